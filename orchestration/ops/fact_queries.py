"""What each source says about permission, as one SQL statement per kind of statement.

Belongs here (for Klaviyo and Shopify in `fact_queries_apis`): where in a source's rows a consent or
an opt-out stands, and what it means. Does not belong here: normalising, hashing and storing
(`consent_facts`).

Rules that hold for all of them:
- A state that only says "never asked" (Klaviyo NEVER_SUBSCRIBED, Shopify NOT_SUBSCRIBED or PENDING,
  an unticked box) is no fact. A list a person stands in is no consent either.
- An opt-out without a time counts from the moment we first see it; an opt-in without a time is
  dropped.
- A provider's unsubscribe group or list ends only that group: its purpose is `group:<id>`.

Each statement reads rows of loads not read before (`new_loads`) and yields the columns of its table
in the store, with raw_value for identifier_value (and is_timeless where a consent's id must leave
the time out). `wording_version` or `proof` is what makes an opt-in able to undo an opt-out, so
neither is filled with anything weaker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import Environment

from ingestion.config import REPOSITORY
from orchestration.ops import fact_queries_apis as apis

FACTS_VERSION = 1  # raise it when a meaning below changes: every row is then read again
CHANGE_LOG = "web:consent"  # the source that repeats its state; only changes of it are facts


@dataclass(frozen=True)
class FactQuery:
    """One statement over one raw table."""

    source_table: str
    sql: str
    kind: Literal["consents", "suppressions"]


_NEW = "_dlt_load_id in (select load_id from new_loads where source_table = '{table}')"
_EVIDENCE = """
    null::varchar as wording_version, null::timestamp as expires_at, null::varchar as proof,
    'consent' as lawful_basis"""
_CONTRACT = _EVIDENCE.replace("'consent'", "'contract'")

_CONSENTS = """
select identifier_type, identifier_value as raw_value, lower(trim(channel)) as channel,
    lower(trim(purpose)) as purpose, lower(trim(status)) as status, occurred_at,
    nullif(trim(source), '') as source, nullif(trim(wording_version), '') as wording_version,
    expires_at, nullif(trim(proof), '') as proof,
    coalesce(nullif(lower(trim(lawful_basis)), ''), 'consent') as lawful_basis
from raw.{table} where {new}
"""

# SendGrid: `unsubscribe` is the link out of everything, whatever group the message was sent with.
# `dropped` repeats what SendGrid's own suppression list knows.
_EMAIL_SUPPRESSIONS = """
select 'email' as identifier_type, email as raw_value, 'email' as channel, '*' as purpose,
    case
        when event = 'spamreport' or lower(reason) like 'spam report%' then 'spam_report'
        when event = 'bounce' or lower(reason) like 'bounced%' or lower(reason) like 'invalid%'
            then 'hard_bounce'
        else 'unsubscribed'
    end as reason,
    occurred_at, 'sendgrid:' || event as source
from raw.{table}
where {new} and (
    event in ('unsubscribe', 'spamreport')
    or (event = 'group_unsubscribe' and nullif(trim(asm_group_id::varchar), '') is null)
    or (event = 'bounce' and (
        lower(type) in ('bounce', 'hard')
        or (type is null and coalesce(lower(bounce_classification), 'invalid address')
            in ('invalid address', 'invalid', 'hard', ''))))
    or (event = 'dropped' and (
        lower(reason) like 'bounced%' or lower(reason) like 'unsubscribed%'
        or lower(reason) like 'spam report%' or lower(reason) like 'invalid%')))
"""

_EMAIL_GROUPS = """
select 'email' as identifier_type, email as raw_value, 'email' as channel,
    'group:' || asm_group_id::varchar as purpose,
    case event when 'group_unsubscribe' then 'revoked' else 'granted' end as status, occurred_at,
    'sendgrid:' || event as source, 'group:' || asm_group_id::varchar as wording_version,
    null::timestamp as expires_at, sg_event_id as proof, 'consent' as lawful_basis
from raw.{table}
where {new} and event in ('group_unsubscribe', 'group_resubscribe')
    and nullif(trim(asm_group_id::varchar), '') is not null
"""

# One parse per order: an order's JSON is long. Whose address it gives is read by the very lines
# that the warehouse reads it by. Test orders say nothing about anybody.
_ORDER_PERSON: Any = (
    Environment(autoescape=False)  # noqa: S701 - SQL, not HTML
    .from_string((REPOSITORY / "dbt_project" / "macros" / "order_person.sql").read_text("utf-8"))
    .module
)
_ORDERS = f"""
with placed as (
    select coalesce(created_at, processed_at) as occurred_at,
        json_transform(payload, '{_ORDER_PERSON.order_person_fields()}') as document
    from raw.{{table}} where {{new}}PART
),
orders as (
    select {_ORDER_PERSON.order_email("document")} as raw_value, occurred_at
    from placed where not {_ORDER_PERSON.order_is_test("document")}
)
"""

# A ticked box at checkout is an opt-in whose wording we do not know: it counts, yet it can never
# undo an opt-out.
_ORDER_OPT_INS = (
    _ORDERS.replace("PART", r""" and regexp_matches(payload, 'ccepts_?[mM]arketing"\s*:\s*true')""")
    + f"""
select 'email' as identifier_type, raw_value, 'email' as channel, 'marketing' as purpose,
    'granted' as status, occurred_at, 'checkout' as source, {_EVIDENCE.strip()}
from orders
"""
)

# An order is a contract: what concerns it may be sent to its address. One fact per
# address, whichever order comes first, so its id leaves the time out.
_ORDER_CONTRACTS = (
    _ORDERS.replace("PART", "")
    + f"""
select 'email' as identifier_type, raw_value, 'email' as channel, 'transactional' as purpose,
    'granted' as status, min(occurred_at) as occurred_at, 'order' as source,
    {_CONTRACT.strip()}, true as is_timeless
from orders where nullif(trim(raw_value), '') is not null
group by raw_value
"""
)

_LINE_CONTRACTS = f"""
select 'email' as identifier_type, email as raw_value, 'email' as channel,
    'transactional' as purpose, 'granted' as status, min(ordered_at) as occurred_at,
    'order' as source, {_CONTRACT.strip()},
    true as is_timeless
from raw.{{table}} where {{new}} and nullif(trim(email), '') is not null
group by email
"""

# A list's status has no time of its own (created_at is when the person joined).
_CONTACT_SUPPRESSIONS = """
with listed as (
    select email, phone, lower(trim(status)) as status
    from raw.{table} where {new} and status is not null
),
meant as (
    select *, case
        when status in ('unsubscribed', 'unsubscribe', 'opted_out', 'opt_out', 'optout',
            'non_subscribed_by_request', 'revoked') then 'unsubscribed'
        when status in ('cleaned', 'bounced', 'hard_bounced', 'invalid', 'undeliverable')
            then 'hard_bounce'
        when status in ('complained', 'spam', 'abuse', 'spam_report') then 'spam_report'
        when status in ('suppressed', 'blocked', 'blacklisted', 'do_not_contact', 'deleted')
            then 'manual' end as reason
    from listed
)
select 'email' as identifier_type, email as raw_value, 'email' as channel, '*' as purpose, reason,
    null::timestamp as occurred_at, 'contacts' as source
from meant where reason is not null and nullif(trim(email), '') is not null
union all
select 'phone', phone, 'sms', '*', reason, null, 'contacts'
from meant
where reason in ('unsubscribed', 'manual') and nullif(trim(email), '') is null
"""

# Global Privacy Control ends advertising for whoever sent it. One fact per identifier and day.
_WEB_GPC = """
with signals as (
    select anonymous_id, user_id, occurred_at,
        coalesce(traits ->> '$.email', context ->> '$.traits.email') as email
    from raw.{table}
    where {new} and contains(context, '"gpc"') and (context ->> '$.gpc') in ('true', '1')
),
identifiers as (
    select 'device' as identifier_type, anonymous_id as raw_value, occurred_at from signals
    union all select 'login', user_id, occurred_at from signals
    union all select 'email', email, occurred_at from signals
)
select identifier_type, raw_value, 'ads' as channel, '*' as purpose, 'gpc' as reason,
    date_trunc('day', occurred_at)::timestamp as occurred_at, 'web:gpc' as source
from identifiers where nullif(trim(raw_value), '') is not null
group by all
"""

_WEB_PUSH = f"""
select 'device' as identifier_type, anonymous_id as raw_value, 'push' as channel,
    'marketing' as purpose, 'granted' as status, min(occurred_at) as occurred_at,
    'web:push_subscribed' as source, {_EVIDENCE.strip()}
from raw.{{table}}
where {{new}} and event = 'Push Subscribed' and nullif(trim(anonymous_id), '') is not null
group by anonymous_id, date_trunc('day', occurred_at)
"""

# Consent banners repeat their state on every event; only changes are facts. A device answers for
# itself; its refusals, not its consents, also speak for the login on it.
_WEB_CONSENT = """
with events as materialized (
    select anonymous_id, user_id, occurred_at,
        json_extract_string(
            context, ['$.consent.categoryPreferences', '$.consent.version']) as said
    from raw.{table}
    where {new} and contains(context, '"categoryPreferences"')
),
-- Nearly every device says one thing for ever, so only the others need their events in order.
spells as (
    select anonymous_id, said[1] as preferences, said[2] as version, min(occurred_at) as began_at,
        count(*) over (partition by anonymous_id) as answer_count
    from events where nullif(trim(anonymous_id), '') is not null
    group by anonymous_id, said
),
wavering as (
    select anonymous_id, occurred_at, said[1] as preferences, said[2] as version
    from events
    where anonymous_id in (select anonymous_id from spells where answer_count > 1)
    qualify said is distinct from lag(said) over (
        partition by anonymous_id order by occurred_at, said)
),
states as (
    select 'device' as identifier_type, anonymous_id as raw_value, began_at as occurred_at,
        preferences, version
    from spells where answer_count = 1
    union all
    select 'device', anonymous_id, occurred_at, preferences, version from wavering
    union all
    select 'login', user_id, min(occurred_at), said[1], said[2]
    from events where nullif(trim(user_id), '') is not null group by user_id, said
),
answers as (
    select *, unnest(json_keys(preferences)) as category from states
),
meant as (
    select *,
        preferences ->> ('$."' || replace(category, '"', '') || '"') as answer,
        case
            when regexp_replace(lower(category), '[^a-z0-9]', '', 'g')
                in ('advertising', 'ads', 'marketing', 'targeting', 'targetedadvertising', 'c0004')
                then 'ads'
            when regexp_replace(lower(category), '[^a-z0-9]', '', 'g')
                in ('personalisation', 'personalization') then 'onsite' end as channel
    from answers
)
select identifier_type, raw_value, channel,
    unnest(case when channel = 'onsite' then ['personalisation']
        when answer = 'true' then ['ads'] else ['ads', 'marketing'] end) as purpose,
    case answer when 'true' then 'granted' else 'denied' end as status,
    occurred_at, 'web:consent' as source, version as wording_version,
    null::timestamp as expires_at, null::varchar as proof, 'consent' as lawful_basis
from meant
where channel is not null
    and (answer = 'false' or (answer = 'true' and identifier_type = 'device'))
"""

QUERIES = (
    FactQuery("raw_consents.consents", _CONSENTS, "consents"),
    FactQuery("raw_email.events", _EMAIL_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_email.events", _EMAIL_GROUPS, "consents"),
    FactQuery("raw_klaviyo.profiles", apis.KLAVIYO_CONSENTS, "consents"),
    FactQuery("raw_klaviyo.profiles", apis.KLAVIYO_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_klaviyo.events", apis.KLAVIYO_EVENTS, "suppressions"),
    FactQuery("raw_shopify.customers", apis.SHOPIFY_CONSENTS, "consents"),
    FactQuery("raw_shopify.customers", apis.SHOPIFY_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_orders.orders", _ORDER_OPT_INS, "consents"),
    FactQuery("raw_shopify.orders", _ORDER_OPT_INS, "consents"),
    FactQuery("raw_orders.orders", _ORDER_CONTRACTS, "consents"),
    FactQuery("raw_shopify.orders", _ORDER_CONTRACTS, "consents"),
    FactQuery("raw_orders.order_lines", _LINE_CONTRACTS, "consents"),
    FactQuery("raw_contacts.contacts", _CONTACT_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_web.events", _WEB_GPC, "suppressions"),
    FactQuery("raw_web.events", _WEB_PUSH, "consents"),
    FactQuery("raw_web.events", _WEB_CONSENT, "consents"),
)


def statement(query: FactQuery) -> str:
    """The SQL of one query, restricted to loads that were not read before."""
    new = _NEW.format(table=query.source_table)
    return query.sql.replace("{table}", query.source_table).replace("{new}", new)
