"""Shopify's product export: one product per variant, each with what stands on the first row."""

from __future__ import annotations

from decimal import Decimal

from tests.exports.conftest import SAMPLES, ExportShop


def test_each_variant_has_its_products_facts(exports: ExportShop) -> None:
    exports.put("shopify_products_export.csv")
    exports.run("products")
    assert exports.raw(
        "select product_id, sku, name, category, brand, price, cost, in_stock"
        " from raw_products.products order by _line"
    ) == [
        (
            *("TEA-1", "TEA-1", "Tea set", "Tableware", "Leaf & Co"),
            *(Decimal("30.0000"), Decimal("12.5000"), True),
        ),
        (
            *("TEA-2", "TEA-2", "Tea set", "Tableware", "Leaf & Co"),
            *(Decimal("31.0000"), Decimal("12.7500"), False),
        ),
        (
            *("gift-card", "gift-card", "Gift card", "Gift cards", "Leaf & Co"),
            *(Decimal("25.0000"), None, True),
        ),
        (
            *("KET-1", "KET-1", "Kettle", "Kettles", "Ironworks"),
            *(Decimal("40.0000"), None, False),
        ),
    ]


def test_a_category_is_the_last_part_of_its_path_without_the_blank_before_it(
    exports: ExportShop,
) -> None:
    whole = (SAMPLES / "shopify_products_export.csv").read_text("utf-8")
    exports.write("products.csv", whole.replace("> Tableware,Tableware,", "> Tableware,,"))
    exports.run("products")
    assert exports.raw(
        "select distinct category from raw_products.products where name = 'Tea set'"
    ) == [("Tableware",)]
