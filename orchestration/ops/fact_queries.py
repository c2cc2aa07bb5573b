"""What each source says about permission, as one SQL statement per kind of statement.

Belongs here: where in a source's rows a consent or an opt-out stands, and what it means. Does not
belong here: normalising, hashing and storing (`consent_facts`).

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
from typing import Literal

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

_KLAVIYO_STATES = """
with profiles as (
    select profile_id, email, phone_number, updated_at,
        coalesce(payload::json -> '$.subscriptions',
                 payload::json -> '$.attributes.subscriptions') as state
    from raw.{table} where {new}
),
channels as (
    select profile_id, 'email' as channel, email as address, 'email' as address_type,
        'marketing' as purpose, updated_at, state -> '$.email.marketing' as said from profiles
    union all
    select profile_id, 'sms', phone_number, 'phone', 'marketing', updated_at,
        state -> '$.sms.marketing' from profiles
    union all
    select profile_id, 'sms', phone_number, 'phone', 'transactional', updated_at,
        state -> '$.sms.transactional' from profiles
    union all
    select profile_id, 'push', null, 'device', 'marketing', updated_at,
        state -> '$.mobile_push.marketing' from profiles
),
dated as (
    select *, upper(said ->> '$.consent') as consent,
        coalesce(try_cast(said ->> '$.consent_timestamp' as timestamptz),
                 try_cast(said ->> '$.last_updated' as timestamptz)) at time zone 'UTC' as said_at,
        nullif(trim(address), '') as known_address
    from channels
)
"""

_KLAVIYO_CONSENTS = (
    _KLAVIYO_STATES
    + """
select address_type as identifier_type, known_address as raw_value, channel, purpose,
    'granted' as status, coalesce(said_at, updated_at) as occurred_at,
    'klaviyo:' || coalesce(nullif(lower(said ->> '$.method'), ''), 'profile') as source,
    null::varchar as wording_version, null::timestamp as expires_at,
    case said ->> '$.double_optin' when 'true' then 'double_optin' end as proof,
    'consent' as lawful_basis
from dated where consent = 'SUBSCRIBED' and known_address is not null
"""
)

_KLAVIYO_SUPPRESSIONS = (
    _KLAVIYO_STATES
    + """,
suppressed as (
    select profile_id, known_address, upper(entry ->> '$.reason') as reason,
        try_cast(entry ->> '$.timestamp' as timestamptz) at time zone 'UTC' as occurred_at
    from dated, unnest(cast(said -> '$.suppression' as json[])) as entries (entry)
    where channel = 'email'
)
select case when known_address is null then 'klaviyo_profile_id' else address_type end
        as identifier_type,
    coalesce(known_address, profile_id) as raw_value, channel,
    case purpose when 'marketing' then '*' else purpose end as purpose,
    'unsubscribed' as reason, said_at as occurred_at, 'klaviyo:profile' as source
from dated where consent = 'UNSUBSCRIBED'
union all
select case when known_address is null then 'klaviyo_profile_id' else 'email' end,
    coalesce(known_address, profile_id), 'email', '*',
    case reason when 'HARD_BOUNCE' then 'hard_bounce' when 'INVALID_EMAIL' then 'hard_bounce'
        when 'SPAM_COMPLAINT' then 'spam_report' when 'UNSUBSCRIBE' then 'unsubscribed'
        else 'manual' end,
    occurred_at, 'klaviyo:suppression'
from suppressed
"""
)

# "Bounced Email" without a type counts as hard: a living address bounces again softly tomorrow.
_KLAVIYO_EVENTS = """
select case when nullif(trim(email), '') is null then 'klaviyo_profile_id' else 'email' end
        as identifier_type,
    coalesce(nullif(trim(email), ''), profile_id) as raw_value,
    case when lower(metric_name) similar to '.*(sms|text message).*' then 'sms' else 'email' end
        as channel,
    '*' as purpose,
    case when lower(metric_name) like '%spam%' then 'spam_report'
        when lower(metric_name) like 'bounced%' then 'hard_bounce' else 'unsubscribed' end
        as reason,
    occurred_at, 'klaviyo:event' as source
from raw.{table}
where {new} and (
    lower(metric_name) like 'unsubscribed%' and lower(metric_name) not like '%list%'
    or lower(metric_name) like 'marked email as spam%'
    or (lower(metric_name) like 'bounced email%' and lower(coalesce(
        payload::json ->> '$."Bounce Type"', payload::json ->> '$.bounce_type',
        payload::json ->> '$.event_properties."Bounce Type"',
        payload::json ->> '$.event_properties.bounce_type', 'hard')) <> 'soft'))
"""

# GraphQL has had the states in two places; both are read.
_SHOPIFY_STATES = """
with customers as (
    select shopify_customer_id, email, phone, updated_at, payload::json as said
    from raw.{table} where {new}
),
dated as (
    select shopify_customer_id, 'email' as channel, 'email' as address_type,
        nullif(trim(email), '') as known_address, updated_at,
        upper(coalesce(said ->> '$.emailMarketingConsent.marketingState',
                 said ->> '$.defaultEmailAddress.marketingState')) as state,
        lower(coalesce(said ->> '$.emailMarketingConsent.marketingOptInLevel',
                 said ->> '$.defaultEmailAddress.marketingOptInLevel')) as opt_in_level,
        try_cast(coalesce(said ->> '$.emailMarketingConsent.consentUpdatedAt',
                 said ->> '$.defaultEmailAddress.marketingUpdatedAt') as timestamptz)
            at time zone 'UTC' as said_at
    from customers
    union all
    select shopify_customer_id, 'sms', 'phone', nullif(trim(phone), ''), updated_at,
        upper(coalesce(said ->> '$.smsMarketingConsent.marketingState',
                 said ->> '$.defaultPhoneNumber.marketingState')),
        lower(coalesce(said ->> '$.smsMarketingConsent.marketingOptInLevel',
                 said ->> '$.defaultPhoneNumber.marketingOptInLevel')),
        try_cast(coalesce(said ->> '$.smsMarketingConsent.consentUpdatedAt',
                 said ->> '$.defaultPhoneNumber.marketingUpdatedAt') as timestamptz)
            at time zone 'UTC'
    from customers
)
"""

_SHOPIFY_CONSENTS = (
    _SHOPIFY_STATES
    + """
select address_type as identifier_type, known_address as raw_value, channel,
    'marketing' as purpose, 'granted' as status, coalesce(said_at, updated_at) as occurred_at,
    'shopify:customer' as source, null::varchar as wording_version,
    null::timestamp as expires_at,
    case when opt_in_level = 'confirmed_opt_in' then opt_in_level end as proof,
    'consent' as lawful_basis
from dated where state = 'SUBSCRIBED' and known_address is not null
"""
)

_SHOPIFY_SUPPRESSIONS = (
    _SHOPIFY_STATES
    + """
select case when known_address is null then 'shopify_customer_id' else address_type end
        as identifier_type,
    coalesce(known_address, shopify_customer_id) as raw_value, channel, '*' as purpose,
    case state when 'UNSUBSCRIBED' then 'unsubscribed' when 'INVALID' then 'hard_bounce'
        else 'manual' end as reason,
    said_at as occurred_at, 'shopify:customer' as source
from dated where state in ('UNSUBSCRIBED', 'INVALID', 'REDACTED')
union all
select unnest(['shopify_customer_id', 'email', 'phone']),
    unnest([shopify_customer_id, nullif(trim(email), ''), nullif(trim(phone), '')]),
    'ads', '*', 'gpc', null, 'shopify:data_sale_opt_out'
from customers where said ->> '$.dataSaleOptOut' = 'true'
"""
)

# A ticked box at checkout is an opt-in whose wording we do not know: it counts, yet it can never
# undo an opt-out.
_ORDER_OPT_INS = f"""
with boxes as (
    select payload::json as said, coalesce(created_at, processed_at) as occurred_at
    from raw.{{table}}
    where {{new}} and payload ilike '%accepts%marketing%'
)
select 'email' as identifier_type,
    coalesce(said ->> '$.email', said ->> '$.contact_email', said ->> '$.customer.email',
        said ->> '$.customer.defaultEmailAddress.emailAddress') as raw_value,
    'email' as channel, 'marketing' as purpose, 'granted' as status, occurred_at,
    'checkout' as source, {_EVIDENCE.strip()}
from boxes
where coalesce(said ->> '$.buyer_accepts_marketing', said ->> '$.customerAcceptsMarketing') = 'true'
    and coalesce(said ->> '$.test', 'false') <> 'true'
"""

# An order is a contract: what concerns it may be sent to its address. One fact per
# address, whichever order comes first, so its id leaves the time out.
_ORDER_CONTRACTS = f"""
with placed as (
    select coalesce(payload ->> '$.email', payload ->> '$.contact_email',
            payload ->> '$.customer.email',
            payload ->> '$.customer.defaultEmailAddress.emailAddress') as raw_value,
        coalesce(created_at, processed_at) as occurred_at
    from raw.{{table}}
    where {{new}} and coalesce(payload ->> '$.test', 'false') <> 'true'
)
select 'email' as identifier_type, raw_value, 'email' as channel, 'transactional' as purpose,
    'granted' as status, min(occurred_at) as occurred_at, 'order' as source,
    {_CONTRACT.strip()}, true as is_timeless
from placed where nullif(trim(raw_value), '') is not null
group by raw_value
"""

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
        coalesce(traits::json ->> '$.email', context::json ->> '$.traits.email') as email
    from raw.{table}
    where {new} and contains(context, '"gpc"')
        and lower(context::json ->> '$.gpc') in ('true', '1')
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

# Consent banners repeat their state on every event; only changes are facts.
_WEB_CONSENT = """
with states as (
    select anonymous_id, user_id, occurred_at,
        context::json -> '$.consent.categoryPreferences' as preferences,
        context::json ->> '$.consent.version' as version
    from raw.{table}
    where {new} and contains(context, '"categoryPreferences"')
),
answers as (
    select *, unnest(json_keys(preferences)) as category from states
),
meant as (
    select anonymous_id, user_id, occurred_at, version,
        lower(preferences ->> ('$."' || replace(category, '"', '') || '"')) as answer,
        case
            when regexp_replace(lower(category), '[^a-z0-9]', '', 'g')
                in ('advertising', 'ads', 'marketing', 'targeting', 'targetedadvertising', 'c0004')
                then 'ads'
            when regexp_replace(lower(category), '[^a-z0-9]', '', 'g')
                in ('personalisation', 'personalization') then 'onsite' end as channel
    from answers
),
per_identifier as (
    select 'device' as identifier_type, anonymous_id as raw_value, * from meant
    union all select 'login', user_id, * from meant
)
select identifier_type, raw_value, channel,
    unnest(case when channel = 'onsite' then ['personalisation']
        when answer = 'true' then ['ads'] else ['ads', 'marketing'] end) as purpose,
    case answer when 'true' then 'granted' else 'denied' end as status,
    occurred_at, 'web:consent' as source, version as wording_version,
    null::timestamp as expires_at, null::varchar as proof, 'consent' as lawful_basis
from per_identifier
where channel is not null and answer in ('true', 'false')
    and nullif(trim(raw_value), '') is not null
"""

QUERIES = (
    FactQuery("raw_consents.consents", _CONSENTS, "consents"),
    FactQuery("raw_email.events", _EMAIL_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_email.events", _EMAIL_GROUPS, "consents"),
    FactQuery("raw_klaviyo.profiles", _KLAVIYO_CONSENTS, "consents"),
    FactQuery("raw_klaviyo.profiles", _KLAVIYO_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_klaviyo.events", _KLAVIYO_EVENTS, "suppressions"),
    FactQuery("raw_shopify.customers", _SHOPIFY_CONSENTS, "consents"),
    FactQuery("raw_shopify.customers", _SHOPIFY_SUPPRESSIONS, "suppressions"),
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
