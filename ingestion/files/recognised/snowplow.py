"""Snowplow's enriched events: tab-separated lines of 131 values without a header, or with one.

The values in their order: https://docs.snowplow.io/docs/pipeline/enriched-tsv-format ; what each
is: https://docs.snowplow.io/docs/fundamentals/canonical-event ; e-commerce:
https://docs.snowplow.io/docs/events/ootb-data/ecommerce-events . The file is named `.tsv` or
`.tsv.gz`.

Times are UTC; the one that Snowplow derives, with the device's clock corrected, goes first. Events
of the e-commerce schemas, of those before them (`add_to_cart`, `site_search`, `transaction`) and
structured events have the names of Segment's Spec where they mean the same; the first product
entity of an event is the product it speaks of, the cart entity its cart. Left out is what a browser
says of itself all the time (`page_ping`), the items of a `transaction`, whose order the shop knows
better, and what people type into forms. Addresses of computers, postcodes and places on the map
are never read. A refusal of cookies (`consent_preferences` deny_all or withdrawn,
`consent_withdrawn` of all) is a no to ads of that device; a yes there is none of ours.
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.recognised.export import Export, Feed

_HEADER = """
app_id platform etl_tstamp collector_tstamp dvce_created_tstamp event event_id txn_id name_tracker
v_tracker v_collector v_etl user_id user_ipaddress user_fingerprint domain_userid domain_sessionidx
network_userid geo_country geo_region geo_city geo_zipcode geo_latitude geo_longitude
geo_region_name ip_isp ip_organization ip_domain ip_netspeed page_url page_title page_referrer
page_urlscheme page_urlhost page_urlport page_urlpath page_urlquery page_urlfragment refr_urlscheme
refr_urlhost refr_urlport refr_urlpath refr_urlquery refr_urlfragment refr_medium refr_source
refr_term mkt_medium mkt_source mkt_term mkt_content mkt_campaign contexts se_category se_action
se_label se_property se_value unstruct_event tr_orderid tr_affiliation tr_total tr_tax tr_shipping
tr_city tr_state tr_country ti_orderid ti_sku ti_name ti_category ti_price ti_quantity
pp_xoffset_min pp_xoffset_max pp_yoffset_min pp_yoffset_max useragent br_name br_family br_version
br_type br_renderengine br_lang br_features_pdf br_features_flash br_features_java
br_features_director br_features_quicktime br_features_realplayer br_features_windowsmedia
br_features_gears br_features_silverlight br_cookies br_colordepth br_viewwidth br_viewheight
os_name os_family os_manufacturer os_timezone dvce_type dvce_ismobile dvce_screenwidth
dvce_screenheight doc_charset doc_width doc_height tr_currency tr_total_base tr_tax_base
tr_shipping_base ti_currency ti_price_base base_currency geo_timezone mkt_clickid mkt_network
etl_tags dvce_sent_tstamp refr_domain_userid refr_dvce_tstamp derived_contexts domain_sessionid
derived_tstamp event_vendor event_name event_format event_version event_fingerprint true_tstamp
"""
_FIELDS = tuple(_HEADER.split())
_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[.\d]*"
# Application, platform, three times, what kind of event it is, and its id
_LINE = (
    rf"[^\t]*\t[a-z]*\t({_TIME})?\t{_TIME}\t({_TIME})?\t[a-z_]*\t"
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\t"
)

# What an event of the site's own words or of a schema means, by the last part of its name.
_NAMES = {
    "product_view": "Product Viewed",
    "list_view": "Product List Viewed",
    "list_click": "Product Clicked",
    "add_to_cart": "Product Added",
    "add_to_basket": "Product Added",
    "remove_from_cart": "Product Removed",
    "remove_from_basket": "Product Removed",
    "promo_view": "Promotion Viewed",
    "promo_click": "Promotion Clicked",
    "transaction": "Order Completed",
    "refund": "Order Refunded",
    "site_search": "Products Searched",
}
_WHENS = " ".join(f"when {literal(theirs)} then {literal(ours)}" for theirs, ours in _NAMES.items())
_LEFT_OUT = (
    *("page_ping", "transaction_item", "change_form", "focus_form", "submit_form"),
    *("application_background", "application_foreground"),
)
_ECOMMERCE = "com.snowplowanalytics.snowplow.ecommerce/"


def _entity(name: str) -> str:
    """The first entity of an e-commerce schema beside the event."""
    opening = literal(f"iglu:{_ECOMMERCE}{name}/")
    is_it = f"lambda e: starts_with(json_extract_string(e, '$.schema'), {opening})"
    return f"json_extract(list_filter(entities, {is_it})[1], '$.data')"


def _of(document: str, *keys: str) -> str:
    """The first of a document's texts that says anything."""
    values = ", ".join(f"nullif(json_extract_string({document}, '$.{key}'), '')" for key in keys)
    return f"coalesce({values})"


def _document(header: str) -> str:
    return f"case when json_valid(@[{header}]) then cast(@[{header}] as json) end"


def _utc(header: str) -> str:
    return f"replace(@[{header}], ' ', 'T') || 'Z'"


def _object(fields: dict[str, str]) -> str:
    """SQL: a JSON object of what is there; an object with nothing in it is not."""
    pairs = ", ".join(f"{literal(key)}, {sql}" for key, sql in fields.items())
    return f"nullif(json_merge_patch('{{}}', json_object({pairs})), '{{}}')"


_PROPERTIES = {
    "product_id": f"coalesce({_of('product', 'id')}, {_of('legacy', 'sku')})",
    "sku": _of("legacy", "sku"),
    "name": f"coalesce({_of('product', 'name')}, {_of('legacy', 'name')})",
    "brand": _of("product", "brand"),
    "category": f"coalesce({_of('product', 'category')}, {_of('legacy', 'category')})",
    "variant": _of("product", "variant"),
    "price": f"coalesce({_of('product', 'price')}, {_of('legacy', 'unitPrice')})",
    "quantity": f"coalesce({_of('product', 'quantity')}, {_of('legacy', 'quantity')})",
    "cart_id": _of(_entity("cart"), "cart_id"),
    "order_id": f"coalesce({_of(_entity('transaction'), 'transaction_id')}, "
    f"{_of(_entity('refund'), 'transaction_id')}, @[tr_orderid])",
    "promotion_id": _of(_entity("promotion"), "id"),
    "query": "case when schema_name = 'site_search' then "
    "nullif(array_to_string(json_extract_string(said, '$.terms[*]'), ' '), '') end",
    "results": "case when schema_name = 'site_search' then "
    "json_extract_string(said, '$.totalResults') end",
}
_REFUSED = (
    "schema_name = 'consent_preferences' and "
    "json_extract_string(said, '$.eventType') in ('deny_all', 'withdrawn') "
    "or schema_name = 'consent_withdrawn' and json_extract_string(said, '$.all') = 'true'"
)
_CONTEXT = {
    "page": _object({"url": "@[page_url]", "referrer": "@[page_referrer]"}),
    "campaign": _object(
        {"source": "@[mkt_source]", "medium": "@[mkt_medium]", "name": "@[mkt_campaign]"}
    ),
    "userAgent": "@[useragent]",
    "device": _object(
        {
            "type": "case lower(@[dvce_type]) when 'computer' then 'desktop' "
            "else lower(@[dvce_type]) end"
        }
    ),
    "location": _object({"country": "@[geo_country]", "city": "@[geo_city]"}),
    "touchpoint": "case @[platform] when 'mob' then 'app' when 'app' then 'app' "
    "when 'iot' then 'iot' end",
    "traits": _object({"email": _of(_entity("user"), "email")}),
    "consent": f"case when {_REFUSED} then "
    'json(\'{"categoryPreferences": {"advertising": false}}\') end',
}

EVENTS = Feed(
    "web",
    "events",
    {
        "type": "kind",
        "messageId": "@[event_id]",
        "anonymousId": "coalesce(@[domain_userid], @[network_userid])",
        # Who is asked for an address without an account is nobody's login
        "userId": f"coalesce(@[user_id], case when {_of(_entity('user'), 'is_guest')} is distinct "
        f"from 'true' then {_of(_entity('user'), 'id')} end)",
        "event": "case when kind = 'track' then case "
        "when action = 'checkout_step' then case when "
        f"coalesce({_of(_entity('checkout_step'), 'step')}, '1') = '1' then 'Checkout Started' "
        "else 'Checkout Step Viewed' end "
        f"else case action {_WHENS} else coalesce(words, action) end end end",
        "timestamp": f"coalesce({_utc('true_tstamp')}, {_utc('derived_tstamp')}, "
        f"{_utc('dvce_created_tstamp')}, {_utc('collector_tstamp')})",
        "receivedAt": _utc("collector_tstamp"),
        "properties": _object(_PROPERTIES),
        "context": _object(_CONTEXT),
    },
    steps=(
        {
            "entities": f"cast(json_extract({_document('contexts')}, '$.data') as json[])",
            "own": f"json_extract({_document('unstruct_event')}, '$.data')",
        },
        {
            "said": "json_extract(own, '$.data')",
            # iglu:vendor/name/jsonschema/1-0-0
            "schema_name": "coalesce(split_part(json_extract_string(own, '$.schema'), '/', 2), '')",
            "product": _entity("product"),
        },
        {
            "legacy": "case when schema_name in ('add_to_cart', 'remove_from_cart') then said end",
            "kind": "case when @[event] = 'page_view' then 'page' "
            "when schema_name = 'screen_view' then 'screen' else 'track' end",
            "words": "case when @[event] = 'struct' then concat_ws(' ', @[se_category], "
            "@[se_action]) end",
            "action": "case when schema_name = 'snowplow_ecommerce_action' "
            "then json_extract_string(said, '$.type') "
            "when @[event] = 'struct' then replace(replace(lower(@[se_action]), ' ', '_'), '-', "
            "'_') else coalesce(nullif(schema_name, ''), @[event_name], @[event]) end",
        },
    ),
    where=f"coalesce(action, '') not in ({', '.join(map(literal, _LEFT_OUT))})",
)

EXPORTS = (
    Export(
        "snowplow_enriched",
        "Snowplow file of enriched events",
        required=(
            *("event_id", "collector_tstamp", "domain_userid", "contexts", "unstruct_event"),
            *("derived_tstamp", "v_tracker"),
        ),
        feeds=(EVENTS,),
        places=_FIELDS,
        line=_LINE,
    ),
)
