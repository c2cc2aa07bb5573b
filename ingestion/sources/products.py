"""The catalogue: what the shop sells, what it costs, how long it lasts.

Format: CSV, JSON Lines or Parquet. Key: product_id.
Lateness: rows of any age; a changed product is a further version, its state from `updated_at` on.
Bad day: no product id: quarantine; a price that is negative or not a number, and
attributes that are no JSON, are left empty.
Data flow: DIR/products/ -> raw_products.products
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec

# A document may hold its attributes as a text of JSON.
UNQUOTED = (
    "case when json_valid({v}) and json_type({v}) = 'VARCHAR' "
    "then json_extract_string({v}, '$') else {v} end"
)

PRODUCTS = TableSpec(
    name="products",
    envelopes=("products", "data"),
    description="One row per version of a product.",
    columns=(
        Column("product_id", required=True, expected=True),
        Column("sku", expected=True),
        Column("name", expected=True),
        Column("category", expected=True),
        Column("brand"),
        Column("price", "money", minimum=0),
        Column("cost", "money", minimum=0),
        Column("replenish_after_days", "integer", minimum=0),
        Column("in_stock", "boolean"),
        Column("substitute_group"),
        Column("attributes", "json", transform=UNQUOTED, may_be_empty=True),
        Column("updated_at", "timestamp"),
    ),
    numbers=("product_id",),
)

SOURCE = FolderSource("products", "The catalogue.", (PRODUCTS,))
