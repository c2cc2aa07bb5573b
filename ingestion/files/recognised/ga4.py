"""Google Analytics 4, the BigQuery export (`events_…`) as JSON Lines or Parquet: a row per event.

Described at https://support.google.com/analytics/answer/7029846 . `event_timestamp` is in
microseconds of UTC. An event has no id: device, time, name and its place in the upload make one.
Names of the e-commerce events become those of Segment's Spec; the first item of an event is the
product it speaks of. What Analytics writes by itself about every visit (`session_start`,
`user_engagement`, `scroll` …) is left out. `privacy_info.ads_storage` No is a no to ads of that
device; a Yes there is none of ours.
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.recognised.export import Export, Feed

_NAMES = {
    "view_item": "Product Viewed",
    "view_item_list": "Product List Viewed",
    "search": "Products Searched",
    "view_search_results": "Products Searched",
    "add_to_cart": "Product Added",
    "remove_from_cart": "Product Removed",
    "view_cart": "Cart Viewed",
    "add_to_wishlist": "Product Added to Wishlist",
    "view_promotion": "Promotion Viewed",
    "select_promotion": "Promotion Clicked",
    "begin_checkout": "Checkout Started",
    "purchase": "Order Completed",
    "refund": "Order Refunded",
    "share": "Product Shared",
}
_OF_ITSELF = ("session_start", "first_visit", "first_open", "user_engagement", "scroll")
_WHENS = " ".join(f"when {literal(theirs)} then {literal(ours)}" for theirs, ours in _NAMES.items())


def _param(key: str) -> str:
    """A parameter of the event, of whichever type."""
    is_it = f"lambda p: json_extract_string(p, '$.key') = {literal(key)}"
    value = f"list_filter(params, {is_it})[1]"
    kinds = ("string_value", "int_value", "double_value", "float_value")
    values = ", ".join(f"json_extract_string({value}, '$.value.{kind}')" for kind in kinds)
    return f"nullif(coalesce({values}), '')"


def _filled(text: str) -> str:
    return f"case when {text} not in ('(not set)', '(direct)', '(none)') then {text} end"


_PROPERTIES = {
    "product_id": _filled("@[items[0].item_id]"),
    "name": _filled("@[items[0].item_name]"),
    "brand": _filled("@[items[0].item_brand]"),
    "category": _filled("@[items[0].item_category]"),
    "variant": _filled("@[items[0].item_variant]"),
    "price": "@[items[0].price]",
    "quantity": "@[items[0].quantity]",
    "order_id": _filled(f"coalesce(@[ecommerce.transaction_id], {_param('transaction_id')})"),
    "query": _param("search_term"),
    "promotion_id": _filled(f"coalesce(@[items[0].promotion_id], {_param('promotion_id')})"),
}
_CAMPAIGN = {
    "source": _filled(f"coalesce(@[collected_traffic_source.manual_source], {_param('source')})"),
    "medium": _filled(f"coalesce(@[collected_traffic_source.manual_medium], {_param('medium')})"),
    "name": _filled(
        f"coalesce(@[collected_traffic_source.manual_campaign_name], {_param('campaign')})"
    ),
}


def _object(fields: dict[str, str]) -> str:
    """SQL: a JSON object of what is there."""
    pairs = ", ".join(f"{literal(key)}, {sql}" for key, sql in fields.items())
    return f"json_merge_patch('{{}}', json_object({pairs}))"


EVENTS = Feed(
    "web",
    "events",
    {
        "type": "case when name = 'page_view' then 'page' when name = 'screen_view' then 'screen' "
        "else 'track' end",
        "messageId": "md5(concat_ws('|', @[user_pseudo_id], @[user_id], @[event_timestamp], name, "
        "@[event_bundle_sequence_id], @[batch_event_index], @[batch_ordering_id]))",
        "anonymousId": "@[user_pseudo_id]",
        "userId": "@[user_id]",
        "event": f"case when name in ('page_view', 'screen_view') then null "
        f"else case name {_WHENS} else name end end",
        "timestamp": "@[event_timestamp]",
        "properties": _object(_PROPERTIES),
        "context": _object(
            {
                "page": _object(
                    {"url": _param("page_location"), "referrer": _param("page_referrer")}
                ),
                "campaign": _object(_CAMPAIGN),
                "device": _object({"type": "@[device.category]"}),
                "location": _object(
                    {"country": _filled("@[geo.country]"), "city": _filled("@[geo.city]")}
                ),
                "consent": "case when lower(@[privacy_info.ads_storage]) = 'no' then "
                'json(\'{"categoryPreferences": {"advertising": false}}\') end',
            }
        ),
    },
    steps=(
        {
            "name": "lower(@[event_name])",
            "params": "cast(json_extract(_raw, '$.event_params') as json[])",
        },
    ),
    where=f"name not in ({', '.join(map(literal, _OF_ITSELF))})",
)

EXPORTS = (
    Export(
        "ga4_bigquery",
        "Google Analytics 4 export of BigQuery",
        required=(
            *("event_date", "event_timestamp", "event_name", "event_params"),
            "user_pseudo_id",
        ),
        feeds=(EVENTS,),
    ),
)
