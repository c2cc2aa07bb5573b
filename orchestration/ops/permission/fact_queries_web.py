"""What a site's events say about permission: signals, banners, subscriptions, traits, their names.

Belongs here: the statements over `raw_web.events`, by the rules of `fact_queries`. Does not belong
here: what a name says (`spoken_names`) or a word (`meanings`).
"""

from __future__ import annotations

import re

from ingestion.duckdb import literal
from ingestion.vocabulary import EVERY
from orchestration.ops.permission.spoken_names import named_channel
from orchestration.ops.permission.status_words import folded

NO_EVIDENCE = """null::varchar as wording_version, null::timestamp as expires_at,
    null::varchar as proof, 'consent' as lawful_basis"""

_EMAIL_KEYS = (
    *("email", "Email", "EMAIL", "eMail", "e-mail", "E-Mail", "e_mail", "emailAddress"),
    *("EmailAddress", "email_address", "Email Address", "mail", "Mail"),
)
_PHONE_KEYS = (
    *("phone", "Phone", "PHONE", "phoneNumber", "PhoneNumber", "phone_number", "Phone Number"),
    *("mobile", "Mobile", "mobilePhone", "mobile_phone", "tel", "telephone"),
)


def _first(document: str, keys: tuple[str, ...], *above: str) -> str:
    """SQL: the first text under one of the keys of a document: a refusal needs somebody's name,
    however the site spells its keys."""
    paths = [".".join(("$", *(f'"{name}"' for name in (*above, key)))) for key in keys]
    listed = ", ".join(literal(path) for path in paths)
    texts = f"json_extract_string({document}, [{listed}])"
    return f"list_filter({texts}, lambda x: nullif(trim(x), '') is not null)[1]"


_EMAIL_OF_TRAITS = _first("traits", _EMAIL_KEYS)
_EMAIL_OF_CONTEXT = _first("context", _EMAIL_KEYS, "traits")

# Global Privacy Control ends advertising for whoever sent it. One fact per identifier and day.
WEB_GPC = (
    """
with events as (
    select anonymous_id, user_id, occurred_at, traits, context from {relation}
    where {new} and (contains(context, 'gpc') or contains(context, 'GPC')
        or contains(context, 'Gpc') or contains(context, 'rivacy') or contains(context, 'ptOut')
        or contains(context, 'pt_out') or contains(context, 'otSell')
        or contains(context, 'ot_sell'))
),
-- Wherever it stands in the context: its own field, a header, the banner's state.
signals as (
    select anonymous_id, user_id, occurred_at,
        """
    f"coalesce({_EMAIL_OF_TRAITS}, {_EMAIL_OF_CONTEXT})"
    """ as email,
        case when regexp_matches(context, '(?i)"us_?privacy(_?string)?"\\s*:\\s*"1.Y') then 'true'
            else nullif(trim(regexp_extract(context, '(?i)"(sec[-_]?gpc|gpc|'
                || 'global_?privacy_?control|(data_?)?sale_?opt_?out|do_?not_?sell)'
                || '([-_]?(enabled|signal|value))?"\\s*:\\s*'
                || '\\[?\\s*("[^"]*"|[^",}\\]]*)', 5), '" '), '') end as word
    from events
),
worded as (
    select * replace (case when word in ('{', '[') then 'an object' else word end as word)
    from signals
),
identifiers as (
    select 'device' as identifier_type, anonymous_id as raw_value, occurred_at, word from worded
    union all select 'login', user_id, occurred_at, word from worded
    union all select 'email', email, occurred_at, word from worded
),
days as (
    select identifier_type, raw_value, word,
        date_trunc('day', occurred_at)::timestamp as occurred_at
    from identifiers where nullif(trim(raw_value), '') is not null and word is not null
    group by all
)
select identifier_type, raw_value, 'ads' as channel, '*' as purpose, word as reason,
    'signal:web.context.gpc' as said_in, occurred_at, 'web:gpc' as source
from days
union all
select identifier_type, raw_value, '*', unnest(['ads', 'sell_share']), word,
    'signal:web.context.gpc', occurred_at, 'web:gpc'
from days
"""
)

WEB_PUSH = f"""
select 'device' as identifier_type, anonymous_id as raw_value, 'push' as channel,
    'marketing' as purpose, 'granted' as status, min(occurred_at) as occurred_at,
    'web:push_subscribed' as source, {NO_EVIDENCE}
from {{relation}}
where {{new}} and event = 'Push Subscribed' and nullif(trim(anonymous_id), '') is not null
group by anonymous_id, date_trunc('day', occurred_at)
"""

# The browser's own way out of push; nothing weaker than an evidenced opt-in brings it back.
WEB_PUSH_ENDS = f"""
select 'device' as identifier_type, anonymous_id as raw_value, 'push' as channel, '*' as purpose,
    'revoked' as status, min(occurred_at) as occurred_at,
    'web:push_unsubscribed' as source, {NO_EVIDENCE}
from {{relation}}
where {{new}} and lower(trim(event)) = 'push unsubscribed'
    and nullif(trim(anonymous_id), '') is not null
group by anonymous_id, date_trunc('day', occurred_at)
"""

# Consent banners repeat their state on every event; only changes are facts. A device answers for
# itself; its refusals, not its consents, also speak for the login on it.
WEB_CONSENT = """
with spoken as (
    select anonymous_id, user_id, occurred_at, context from {relation}
    where {new} and (contains(context, 'ategory') or contains(context, 'ATEGORY'))
        and regexp_matches(context, '(?i)"category[-_ ]?preferences"')
),
-- Whatever way the site spells these two keys
spelt as (
    select * replace (regexp_replace(
        regexp_replace(
            context, '(?i)"category[-_ ]?preferences"\\s*:', '"categoryPreferences":', 'g'),
        '(?i)"consent"\\s*:', '"consent":', 'g') as context)
    from spoken
),
events as materialized (
    select anonymous_id, user_id, occurred_at,
        json_extract_string(
            context, ['$.consent.categoryPreferences', '$.consent.version']) as said
    from spelt
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
    answer as status, 'banner:web.categoryPreferences' as said_in,
    occurred_at, 'web:consent' as source, version as wording_version,
    null::timestamp as expires_at, null::varchar as proof, 'consent' as lawful_basis
from meant
where channel is not null and nullif(trim(answer), '') is not null
    and (answer <> 'true' or identifier_type = 'device')
"""

HAS_TRAITS = """(traits is not null or contains(context, '"traits"'))"""
# What an event or a trait says, by whoever it names best for the channel it ends: an address, else
# the login, else the device. A channel that is not said is every channel, and so is every name. The
# last moment of a day stands for the day: traits are repeated with every call.
WEB_REFUSALS = (
    """
with said as (
    select anonymous_id, occurred_at, nullif(trim(user_id), '') as login,
        """
    f"coalesce({_EMAIL_OF_TRAITS}, {_first('properties', _EMAIL_KEYS)}, {_EMAIL_OF_CONTEXT}, "
    "case when contains(user_id, '@') then user_id end) as email,"
    f"coalesce({_first('traits', _PHONE_KEYS)}, {_first('properties', _PHONE_KEYS)}, "
    f"{_first('context', _PHONE_KEYS, 'traits')}) as phone,"
    """
        unnest([{statements}]) as statement
    from {relation} where {new} and {rows}
),
named as (
    select *, statement.word as reason, statement.said_in as said_in,
        statement.channel as channel,
        statement.channel not in ('email', 'sms') as is_by_every_name,
        case when statement.channel = 'sms' then phone end as number
    from said where nullif(trim(statement.word), '') is not null
),
people as (
    select 'email' as identifier_type, email as raw_value, * from named
    where email is not null and number is null
    union all by name
    select 'phone' as identifier_type, phone as raw_value, * from named
    where phone is not null and (channel = 'sms' or is_by_every_name)
    union all by name
    select 'login' as identifier_type, login as raw_value, * from named
    where login is not null and (is_by_every_name or (email is null and number is null))
    union all by name
    select 'device' as identifier_type, anonymous_id as raw_value, * from named
    where channel in ('ads', 'push') or (email is null and phone is null and login is null)
        or (email is null and number is null and login is null)
)
select identifier_type, raw_value, channel, '*' as purpose, reason, said_in,
    max(occurred_at) as occurred_at, {word} as source
from people
group by identifier_type, raw_value, channel, reason, said_in, date_trunc('day', occurred_at)
"""
)
_EMAIL_WAYS = re.compile(r"unsub|subscri|newsletter|bounce|spam")


def event_statement(event: str, said_in: str, channel: str) -> str:
    """What an event of this name says, as an element of `{statements}`."""
    return _statement(f"case when event = {literal(event)} then 'yes' end", said_in, channel)


def trait_statement(path: tuple[str, ...], said_in: str, channel: str) -> str:
    """What the trait at this path says, as an element of `{statements}`."""
    value = f"coalesce(traits -> {pointer(*path)}, context -> {pointer('traits', *path)})"
    word = f"case when json_type({value}) <> 'OBJECT' then {value} ->> '$' end"
    return _statement(word, said_in, channel)


def ended_channel(name: str) -> str:
    """The channel that an event or trait of this name ends."""
    return named_channel(name) or ("email" if _EMAIL_WAYS.search(folded(name)) else EVERY)


def is_push_end(event: str) -> bool:
    """Whether `WEB_PUSH_ENDS` reads events of this name."""
    return event.strip().lower() == "push unsubscribed"


def pointer(*names: str) -> str:
    """The literal of a JSON pointer, which can name a field whatever signs its name has."""
    return literal("".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names))


def _statement(word: str, said_in: str, channel: str) -> str:
    return f"{{'word': {word}, 'said_in': {literal(said_in)}, 'channel': {literal(channel)}}}"
