"""Products: what sells, what goes together, what is needed again, where, and how it pleases.

Belongs here: the page. Does not belong here: whom to recommend what (dbt_project), and what stock
that is missing costs, which no table says.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.serve.pages.page import Asked, Page, View

PAIRS = {
    "also_bought": "Bought in one order",
    "also_viewed": "Looked at in one visit",
    "searched_then_bought": "Found by a search, and bought instead within a day",
}
BASES = {
    "product": "found in its own purchases, and proven",
    "category": "found in its category's purchases, and proven",
    "declared": "what the catalogue says",
}


def read(asked: Asked) -> Mapping[str, object]:
    """Everything of the page."""
    return {
        "best": asked.rows("products_best"),
        "sold_out": asked.rows("products_sold_out"),
        "pairs": asked.rows("products_pairs"),
        "pair_words": PAIRS,
        "bundles": asked.rows("products_bundles"),
        "intervals": asked.rows("products_intervals", as_of=asked.build.as_of),
        "interval_words": BASES,
        "stores": asked.rows("products_stores"),
        "satisfaction": asked.rows("products_satisfaction"),
    }


PAGE = Page("Products", "/products", (View("/products", "products.html.j2", read),))
