"""What Klaviyo and Shopify say about permission.

Belongs here: the statements over their raw tables, by the rules of `fact_queries`. Does not belong
here: anything else of these systems.

A state without its date counts from the row's last change, which may be any change of the person:
such an opt-in has no proof, so that it cannot seem newer than a refusal and undo it. One that was
not confirmed has none either.
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.landing.replies import OPT_OUT, VERDICT
from ingestion.vocabulary import LOST_NUMBER

_KLAVIYO_STATES = """
with profiles as (
    select profile_id, email, phone_number, updated_at,
        coalesce(payload::json -> '$.subscriptions',
                 payload::json -> '$.attributes.subscriptions') as state
    from {relation} where {new}
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

KLAVIYO_CONSENTS = (
    _KLAVIYO_STATES
    + """
select address_type as identifier_type, known_address as raw_value, channel, purpose,
    'granted' as status, coalesce(said_at, updated_at) as occurred_at,
    'klaviyo:' || coalesce(nullif(lower(said ->> '$.method'), ''), 'profile') as source,
    null::varchar as wording_version, null::timestamp as expires_at,
    case when said_at is not null and (said ->> '$.double_optin') = 'true' then 'double_optin' end
        as proof,
    'consent' as lawful_basis
from dated where consent = 'SUBSCRIBED' and known_address is not null
"""
)

KLAVIYO_SUPPRESSIONS = (
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
    case purpose when 'marketing' then '*' else purpose end as purpose, consent as reason,
    'list:klaviyo.' || channel || '.consent' as said_in, said_at as occurred_at,
    'klaviyo:profile' as source
from dated where nullif(trim(consent), '') is not null
union all
select case when known_address is null then 'klaviyo_profile_id' else 'email' end,
    coalesce(known_address, profile_id), 'email', '*',
    case reason when 'HARD_BOUNCE' then 'hard_bounce' when 'INVALID_EMAIL' then 'hard_bounce'
        when 'SPAM_COMPLAINT' then 'spam_report' when 'UNSUBSCRIBE' then 'unsubscribed'
        else 'manual' end, null,
    occurred_at, 'klaviyo:suppression'
from suppressed
"""
)

# "Bounced Email" without a type counts as hard: a living address bounces again softly tomorrow. A
# text that failed says so only of a number that cannot be texted at all. A push that bounced is of
# one device, which says nothing about the person's others. A channel that we do not have is every
# one. A text from a person that asks for silence ends the channel by which it came; those that an
# earlier version stored hold its words. What was SMS is Text Message in newer accounts' names. A
# click on the link to unsubscribe ("Clicked email to unsubscribe") is none yet: scanners click too.
_EARLIER_TEXT = (
    "case when lower(metric_name) like 'sent %' then"
    """ payload ->> '$.attributes.event_properties."Message Body"' end"""
)
KLAVIYO_EVENTS = """
with said as (
    select lower(metric_name) as metric, nullif(trim(email), '') as email,
        nullif(trim(phone_number), '') as phone, profile_id, occurred_at,
        lower(coalesce(
            payload ->> '$.attributes.event_properties."Bounce Type"',
            payload ->> '$.event_properties."Bounce Type"',
            payload ->> '$."Bounce Type"', 'hard')) as bounce,
        lower(coalesce(
            payload ->> '$.attributes.event_properties."Failure Type"',
            payload ->> '$.event_properties."Failure Type"',
            payload ->> '$."Failure Type"', '')) as failure,
        coalesce(is_opt_out_reply, false) or coalesce(ASKS_TO_STOP, false) as is_opt_out
    from {relation}
    where {new} and regexp_matches(lower(metric_name), '^(unsubscribed|marked email as spam|'
        || 'bounced email|failed to deliver|sent (sms|text message|whatsapp))')
),
meant as (
    select *,
        case when regexp_matches(metric, 'sms|text messag') then 'sms'
            when metric like '%push%' then 'push'
            when metric like '%whatsapp%' then '*' else 'email' end as channel,
        case when metric like 'marked%' then 'spam_report'
            when regexp_matches(metric, '^(unsubscribed|sent)') then 'unsubscribed'
            else 'hard_bounce' end as reason
    from said
    where case when metric like 'unsubscribed%' then metric not like '%list%'
        when metric like 'bounced%' then bounce <> 'soft'
        when metric like 'failed%' then regexp_matches(failure, 'LOST_NUMBER')
        when metric like 'sent%' then is_opt_out
        else true end
)
select case when email is not null then 'email' when profile_id is null and phone is not null
        then 'phone' else 'klaviyo_profile_id' end as identifier_type,
    coalesce(email, profile_id, phone) as raw_value, channel, '*' as purpose, reason, occurred_at,
    'klaviyo:event' as source
from meant where channel <> 'sms' or reason = 'unsubscribed' or phone is null
union all
select 'phone', phone, channel, '*', reason, occurred_at, 'klaviyo:event'
from meant where channel in ('sms', '*') and phone is not null
""".replace("LOST_NUMBER", "|".join(LOST_NUMBER)).replace(
    "ASKS_TO_STOP", f"{VERDICT.replace('{v}', _EARLIER_TEXT)} = {literal(OPT_OUT)}"
)

# GraphQL has had the states in two places; both are read.
_SHOPIFY_STATES = """
with customers as (
    select shopify_customer_id, email, phone, updated_at, payload::json as said
    from {relation} where {new}
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

SHOPIFY_CONSENTS = (
    _SHOPIFY_STATES
    + """
select address_type as identifier_type, known_address as raw_value, channel,
    'marketing' as purpose, 'granted' as status, coalesce(said_at, updated_at) as occurred_at,
    'shopify:customer' as source, null::varchar as wording_version,
    null::timestamp as expires_at,
    case when said_at is not null and opt_in_level = 'confirmed_opt_in' then opt_in_level end
        as proof,
    'consent' as lawful_basis
from dated where state = 'SUBSCRIBED' and known_address is not null
"""
)

SHOPIFY_SUPPRESSIONS = (
    _SHOPIFY_STATES
    + """
select case when known_address is null then 'shopify_customer_id' else address_type end
        as identifier_type,
    coalesce(known_address, shopify_customer_id) as raw_value, channel, '*' as purpose,
    state as reason, 'list:shopify.' || channel || '.marketingState' as said_in,
    said_at as occurred_at, 'shopify:customer' as source
from dated where nullif(trim(state), '') is not null
union all
select identifier_type, raw_value, opted_out.channel, opted_out.purpose, opt_out_word,
    'signal:shopify.dataSaleOptOut', null, 'shopify:data_sale_opt_out'
from (
    select unnest(['shopify_customer_id', 'email', 'phone']) as identifier_type,
        unnest([shopify_customer_id, nullif(trim(email), ''), nullif(trim(phone), '')])
            as raw_value,
        said ->> '$.dataSaleOptOut' as opt_out_word
    from customers
)
cross join (values ('ads', '*'), ('*', 'ads'), ('*', 'sell_share')) as opted_out (channel, purpose)
-- Who has no phone is named by the others
where raw_value is not null and nullif(trim(opt_out_word), '') is not null
"""
)
