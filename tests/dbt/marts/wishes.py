"""People of the golden tests who wanted something, used it up, or may have it for less.

Belongs here: one who is in each segment of products and offers, and one who is short of a single
condition. Does not belong here: what should come of it; the tests say that.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from tests.dbt.marts.shop import Row, Shop

AS_OF = dt.datetime(2026, 3, 31, 12)

# By segment: who is in it, and who would be but for one thing
PLANTED = {
    "abandoned_checkout": ("checkout_left", "checkout_8_days"),
    "abandoned_wishlist": ("wish_open", "wish_taken_off"),
    "back_in_stock": ("stock_wanted", "stock_seen_since"),
    "category_with_promotion": ("offer_seen", "offer_used"),
    "displeased_with_product": ("soap_displeased", "soap_complaint_open"),
    "price_drop": ("price_wanted", "price_bought_since"),
    "replenishment_due": ("soap_due", "soap_displeased"),
    "search_without_result": ("search_in_vain", "search_found"),
    "thank_you": ("thanks_3_days", "thanks_4_days"),
    "voucher_expiring": ("voucher_7_days", "voucher_8_days"),
    "voucher_unused": ("voucher_8_days", "voucher_7_days"),
}


def ago(**length: float) -> dt.datetime:
    return AS_OF - dt.timedelta(**length)


def add_wishes(shop: Shop) -> None:
    add_products(shop)
    for name in sorted({name for names in PLANTED.values() for name in names}):
        shop.person(name, ago(days=200))
    add_offers(shop)
    for name, days in (("checkout_left", 2), ("checkout_8_days", 8)):
        at = {"started_at": ago(days=days), "changed_at": ago(days=days), "line_count": 1}
        checkout = {"checkout_id": name, "customer_id": name, "status": "abandoned"} | at
        product = {"product_id": "lamp", "product_name": "Lamp", "total": "45", "currency": "GBP"}
        shop.add("int_checkouts_resolved", **checkout, **product)
    for name, kind, days, product in (
        ("wish_open", "product_added_to_wishlist", 10, "desk"),
        ("wish_taken_off", "product_added_to_wishlist", 10, "desk"),
        ("wish_taken_off", "product_removed_from_wishlist", 9, "desk"),
        ("stock_wanted", "product_viewed", 20, "vase"),
        ("stock_seen_since", "product_viewed", 20, "vase"),
        ("stock_seen_since", "product_viewed", 1, "vase"),
        ("price_wanted", "product_viewed", 20, "lamp"),
        ("price_bought_since", "product_viewed", 20, "lamp"),
    ):
        at = ago(days=days)
        shop.interaction(name, kind, at, key=shop.serial("wish-"), product_id=product)
    bought(shop, "price_bought_since", "lamp", ago(days=19))
    for name, results in (("search_in_vain", 0), ("search_found", 4)):
        detail = json.dumps({"query": "hammock", "results": results})
        at = ago(days=2)
        shop.interaction(name, "products_searched", at, key=shop.serial("search-"), detail=detail)
    for name in ("soap_due", "soap_displeased", "soap_complaint_open"):
        bought(shop, name, "soap", ago(days=29))
    for name, closed in (("soap_displeased", ago(days=19)), ("soap_complaint_open", None)):
        remark = {"kind": "review", "score": "1", "product_id": "soap", "occurred_at": ago(days=20)}
        key = shop.serial("feedback-")
        shop.add(
            "int_feedback_resolved", feedback_key=key, customer_id=name, closed_at=closed, **remark
        )


def add_offers(shop: Shop) -> None:
    """A promotion on baths and gardens, which one has used, and vouchers of their own."""
    for name, category in (("bath", "Bath"), ("garden", "Garden")):
        promotion = {
            "promotion_code_id": name,
            "promotion_id": name,
            "promotion_name": name.title(),
        }
        promotion |= {"promotion_source": "promotions", "status": "live", "percent_off": "25"}
        promotion |= {"voucher_count": 0, "redeemed_count": 0, "discount_kind": "percent"}
        shop.add("int_promotion_codes", code=name.upper(), category=category, **promotion)
    for name in ("offer_seen", "offer_used"):
        shop.event(name, "Product Viewed", ago(days=2), product_id="rake", category="Garden")
    shop.order("offer_used", ago(days=5), discount_code="garden")
    for name, days in (("thanks_3_days", 3), ("thanks_4_days", 4)):
        shop.order(name, ago(days=days))
    for name, days in (("voucher_7_days", 7), ("voucher_8_days", 8)):
        voucher = {"voucher_key": name, "customer_id": name, "code": name, "promotion_id": "own"}
        dates = {"issued_at": ago(days=30), "valid_from": ago(days=30)}
        dates |= {"valid_until": ago(days=-days)}
        shop.add("int_vouchers_resolved", promotion_name="Ten off", **voucher, **dates)


def add_products(shop: Shop) -> None:
    """A lamp that is cheaper, a vase that is there again, soap that is used up."""
    for name, category, brand in (
        ("desk", "Rooms", "Regular"),
        ("lamp", "Rooms", "Regular"),
        ("rake", "Garden", "Regular"),
        ("soap", "Bath", "Regular"),
        ("soap-2", "Bath", "Other"),
        ("vase", "Rooms", "Regular"),
    ):
        more = {"category": category, "brand": brand, "price": "45", "currency": "GBP"}
        shop.add("int_products_unioned", product_id=name, product_name=name.title(), **more)
    state: dict[str, Any] = {"product_source": "products", "currency": "GBP", "in_stock": True}
    state |= {"price": "45", "previous_price": "45", "was_in_stock": True}
    for name, change in (("lamp", {"previous_price": "60"}), ("vase", {"was_in_stock": False})):
        own = {"product_state_id": name, "product_id": name, "sku": name}
        shop.add("int_product_states", **(state | own | change), valid_from=ago(days=3))


def bought(shop: Shop, customer: str, product_id: str, at: dt.datetime) -> None:
    shop.order(customer, at)
    shop.rows["int_order_lines_resolved"][-1].update(product_id=product_id)


def soap_interval() -> Row:
    """Soap is used up after thirty days, the catalogue says."""
    interval = {"product_id": "soap", "as_of_date": AS_OF.date(), "interval_days": 30}
    counts = ("repeat_buyer_count", "comeback_count", "found_right_count", "declared_right_count")
    return interval | dict.fromkeys(counts, 0) | {
        "basis": "declared", "found_days": None, "category_days": None, "declared_days": 30.0,
        "null_reason": "too_few_repeat_buyers",
    }  # fmt: skip
