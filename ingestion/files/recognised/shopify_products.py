"""Shopify admin, Products > Export: `products_export.csv`, one row per variant or image.

Described at https://help.shopify.com/en/manual/products/import-export/using-csv . What belongs to
the product (title, vendor, type) stands on its first row only; a row without a price is a further
image. There is no id: a variant is known by its SKU, one without by handle and options.

Stock: nothing tracked, or sold on when there is none, is in stock; what is archived or a draft is
not.
"""

from __future__ import annotations

from ingestion.files.recognised.export import Export, Feed
from ingestion.files.recognised.sql import unquoted

_PRODUCT = "@[Handle]"
_OPTIONS = ", ".join(f"@[Option{number} Value]" for number in (1, 2, 3))


def _of_product(header: str) -> str:
    return f"first_value(@[{header}] ignore nulls) over (partition by {_PRODUCT} order by _line)"


PRODUCTS = Feed(
    "products",
    "products",
    {
        "product_id": "coalesce(sku, concat_ws('/', @[Handle], "
        f"nullif(concat_ws('/', {_OPTIONS}), 'Default Title')))",
        "sku": "coalesce(sku, @[Handle])",
        "name": "title",
        "category": "coalesce(type, trim(regexp_extract(category, '([^>]+)$', 1)))",
        "brand": _of_product("Vendor"),
        "price": "@[Variant Price]",
        "cost": "@[Cost per item]",
        "in_stock": "case when lower(status) in ('archived', 'draft') then 'false' "
        "when @[Variant Inventory Tracker] is null "
        "or lower(@[Variant Inventory Policy]) = 'continue' then 'true' "
        "when try_cast(@[Variant Inventory Qty] as decimal(18, 2)) > 0 then 'true' "
        "when @[Variant Inventory Qty] is not null then 'false' end",
    },
    steps=(
        {
            "title": _of_product("Title"),
            "type": _of_product("Type"),
            "category": _of_product("Product Category"),
            "status": _of_product("Status"),
            "sku": unquoted("@[Variant SKU]"),
        },
    ),
    where="@[Variant Price] is not null",
)

EXPORTS = (
    Export(
        "shopify_products",
        "Shopify products export",
        required=("Handle", "Title", "Vendor", "Option1 Name", "Variant SKU", "Variant Price"),
        feeds=(PRODUCTS,),
        together=True,
    ),
)
