"""What each source says about permission, as one SQL statement per kind of statement.

Belongs here (for Klaviyo and Shopify in `fact_queries_apis`, for a site's events in
`fact_queries_web`): where in a source's rows a consent or
an opt-out stands, and what it means. Does not belong here: normalising, hashing and storing
(`consent_facts`).

Rules that hold for all of them:
- What a word means stands in one list (`status_words`), and what it comes to in `meanings`: a
  statement hands on the word as `status` or `reason` and names its column in `said_in`. Where
  `said_in` is NULL, the statement has already said what it means.
- An unticked box is no fact. A list a person stands in is no consent either.
- An opt-out without a time counts from the moment we first see it; an opt-in without a time is
  dropped.
- A provider's unsubscribe group or list ends only that group: its purpose is `group:<id>`.

Each statement reads rows of loads not read before (`new_loads`), or rows in quarantine read as well
as they can be (`held_rows`), and yields the columns of its table in the store, with raw_value for
identifier_value (and is_timeless where a consent's id must leave the time out). `wording_version`
or `proof` is what makes an opt-in able to undo an opt-out, so neither is filled with anything
weaker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from jinja2 import Environment

from ingestion.config import REPOSITORY
from ingestion.duckdb import literal
from ingestion.landing.replies import OPT_OUT, VERDICT
from ingestion.sources.feedback import NO_REPLIES
from ingestion.vocabulary import CHANNELS, LEVELS
from orchestration.ops.permission import fact_queries_apis as apis
from orchestration.ops.permission import fact_queries_web as web
from orchestration.ops.permission.fact_queries_web import NO_EVIDENCE
from orchestration.ops.permission.spoken_names import (
    column_kind,
    event_reason,
    file_reason,
    named_channel,
    trait_kind,
)

FACTS_VERSION = 10  # raise it when a meaning below changes: every row is then read again
CHANGE_LOG = "web:consent"  # the source that repeats its state; only changes of it are facts


@dataclass(frozen=True)
class FactQuery:
    """One statement over one raw table."""

    source_table: str
    sql: str
    kind: Literal["consents", "suppressions"] = "suppressions"
    values: Mapping[str, str] = field(default_factory=dict)  # SQL for names in braces


_SLOT = re.compile(r"\{(relation|new|word|said_in|channel|statements|rows)\}")
_CONTRACT = NO_EVIDENCE.replace("'consent'", "'contract'")

_CONSENTS = """
select identifier_type, identifier_value as raw_value, trim(channel) as channel,
    trim(purpose) as purpose, 'log:consents.status' as said_in, occurred_at,
    case when contains(lower(purpose), 'personali') and lower(trim(level)) in ('LEVELS')
        then lower(trim(level)) end as level,
    -- To be personalised not at all is a no, whatever stands beside it.
    case when lower(trim(level)) = 'none' and contains(lower(purpose), 'personali') then 'denied'
        else trim(status) end as status,
    nullif(trim(source), '') as source, nullif(trim(wording_version), '') as wording_version,
    expires_at, nullif(trim(proof), '') as proof,
    coalesce(nullif(lower(trim(lawful_basis)), ''), 'consent') as lawful_basis
from {relation} where {new} and nullif(trim(status), '') is not null
""".replace("LEVELS", "', '".join(LEVELS))

# SendGrid: `unsubscribe` is the link out of everything, whatever group the message was sent with.
# `dropped` repeats what SendGrid's own suppression list knows. What is known to be no refusal is
# named (a blocked or temporary bounce, a drop for its content); what is not known is one.
_EMAIL_SUPPRESSIONS = """
with events as (
    select email, occurred_at, lower(trim(event)) as event,
        coalesce(lower(trim(reason)), '') as why, coalesce(lower(trim(type)), '') as bounce_type,
        coalesce(lower(trim(bounce_classification)), '') as class,
        coalesce(trim(asm_group_id::varchar), '') as asm_group
    from {relation} where {new} and nullif(trim(event), '') is not null
),
meant as (
    select *, case
        when event in ('processed', 'delivered', 'deferred', 'open', 'click', 'group_resubscribe')
            then null
        when event = 'unsubscribe' then 'unsubscribed'
        when event = 'group_unsubscribe' then case when asm_group = '' then 'unsubscribed' end
        when event = 'spamreport' then 'spam_report'
        when event = 'bounce' then case
            when bounce_type in ('bounce', 'hard') then 'hard_bounce'
            when bounce_type in ('blocked', 'block', 'soft', 'expired') then null
            when bounce_type <> '' then bounce_type
            when class in ('', 'invalid address', 'invalid', 'hard') then 'hard_bounce'
            when class in ('mailbox unavailable', 'technical', 'content', 'reputation',
                'frequency or volume too high', 'unclassified', 'soft') then null
            else class end
        when event = 'dropped' then case
            when contains(why, 'unsubscribe') then 'unsubscribed'
            when contains(why, 'spam report') then 'spam_report'
            when why like 'spam content%' or why like 'invalid smtpapi%'
                or why like 'recipient list over%' then null
            when contains(why, 'bounce') or why like 'invalid%' then 'hard_bounce'
            else coalesce(nullif(why, ''), 'dropped') end
        else event end as reason
    from events
)
select 'email' as identifier_type, email as raw_value, 'email' as channel, '*' as purpose, reason,
    case when reason not in ('unsubscribed', 'spam_report', 'hard_bounce') then case event
        when 'bounce' then 'list:email.type' when 'dropped' then 'list:email.reason'
        else 'list:email.event' end end as said_in,
    occurred_at, 'sendgrid:' || event as source
from meant where reason is not null
"""

_EMAIL_GROUPS = """
select 'email' as identifier_type, email as raw_value, 'email' as channel,
    'group:' || asm_group_id::varchar as purpose,
    case event when 'group_unsubscribe' then 'revoked' else 'granted' end as status, occurred_at,
    'sendgrid:' || event as source, 'group:' || asm_group_id::varchar as wording_version,
    null::timestamp as expires_at, sg_event_id as proof, 'consent' as lawful_basis
from {relation}
where {new} and event in ('group_unsubscribe', 'group_resubscribe')
    and nullif(trim(asm_group_id::varchar), '') is not null
"""

# A message on any channel. What is known to be no refusal is named: a delivery that failed for now,
# a bounce that says so. A reply that asks for silence is an unsubscribe.
_MESSAGES = """
with steps as (
    select identifier_type, identifier_value, occurred_at, lower(trim(event)) as event,
        coalesce(nullif(lower(trim(channel)), ''), '*') as channel,
        coalesce(lower(trim(reason)), '') as why, coalesce(is_opt_out_reply, false) as is_opt_out
    from {relation} where {new} and (nullif(trim(event), '') is not null or is_opt_out_reply)
),
meant as (
    select *, case
        when is_opt_out or event = 'unsubscribed' then 'unsubscribed'
        when event in ('sent', 'delivered', 'opened', 'clicked', 'replied') then null
        when event in ('bounced', 'failed') then case
            when regexp_matches(why, 'unsubscri|opt(ed)?[ _-]?out|(^|[^a-z])stop([^a-z]|$)')
                then 'unsubscribed'
            when regexp_matches(why, 'spam ?report|complain') then 'spam_report'
            when event = 'failed' then null
            when regexp_matches(why, '(^|[^a-z])(soft|block(ed)?|expired|tempor(ary|ily)|transient|'
                || 'deferred|throttl(ed|ing)|mailbox (full|unavailable)|quota|technical|content|'
                || 'reputation|frequency or volume too high|unclassified)([^a-z]|$)') then null
            else 'hard_bounce' end
        else event end as reason
    from steps
)
select identifier_type, identifier_value as raw_value,
    case when channel in ('CHANNELS') then channel else '*' end as channel, '*' as purpose, reason,
    case when reason not in ('unsubscribed', 'spam_report', 'hard_bounce')
        then 'list:messages.event' end as said_in,
    occurred_at, 'messages:' || coalesce(event, 'replied') as source
from meant where reason is not null
""".replace("CHANNELS", "', '".join(CHANNELS))

# A reply that asks for silence ends every channel, since it does not say which it came by. What is
# of no kind that we know is no plain answer. Rows that an earlier version stored hold the text.
_FEEDBACK = f"""
select identifier_type, identifier_value as raw_value, '*' as channel, '*' as purpose,
    'unsubscribed' as reason, null as said_in, occurred_at, 'feedback:reply' as source
from {{relation}}
where {{new}} and {VERDICT.replace("{v}", "answer")} = {literal(OPT_OUT)}
    and coalesce(lower(trim(kind)), '') not in ({", ".join(map(literal, NO_REPLIES))})
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
    from {{relation}} where {{new}}PART
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
    'granted' as status, occurred_at, 'checkout' as source, {NO_EVIDENCE}
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
    {_CONTRACT}, true as is_timeless
from orders where nullif(trim(raw_value), '') is not null
group by raw_value
"""
)

_LINE_CONTRACTS = f"""
select 'email' as identifier_type, email as raw_value, 'email' as channel,
    'transactional' as purpose, 'granted' as status, min(ordered_at) as occurred_at,
    'order' as source, {_CONTRACT},
    true as is_timeless
from {{relation}} where {{new}} and nullif(trim(email), '') is not null
group by email
"""

# Shopify writes the customer's state into the order; the box at checkout is another thing.
_ORDER_REFUSALS = """
with said as (
    select json_extract_string(payload, ['$.email', '$.contact_email', '$.customer.email',
            '$.customer.email_marketing_consent.state',
            '$.customer.email_marketing_consent.consent_updated_at',
            '$.phone', '$.customer.phone', '$.customer.sms_marketing_consent.state',
            '$.customer.sms_marketing_consent.consent_updated_at',
            '$.billing_address.country_code', '$.test']) as said
    from {relation} where {new} and contains(payload, 'marketing_consent"')
)
select 'email' as identifier_type,
    coalesce(nullif(said[3], ''), nullif(said[1], ''), nullif(said[2], '')) as raw_value,
    'email' as channel, '*' as purpose, said[4] as reason,
    'list:orders.customer.email_marketing_consent' as said_in,
    try_cast(said[5] as timestamptz) at time zone 'UTC' as occurred_at,
    'order:customer' as source, null as country
from said where nullif(trim(said[4]), '') is not null and coalesce(said[11], 'false') <> 'true'
union all
select 'phone', coalesce(nullif(said[7], ''), nullif(said[6], '')), 'sms', '*', said[8],
    'list:orders.customer.sms_marketing_consent',
    try_cast(said[9] as timestamptz) at time zone 'UTC', 'order:customer', said[10]
from said where nullif(trim(said[8]), '') is not null and coalesce(said[11], 'false') <> 'true'
"""

# A list's status has no time of its own (created_at is when the person joined). A contact without
# an email address answers for its phone; one whose address cannot be read, with all it has. What a
# column of another channel says (`sms_opt_out`) is of that channel, by every name the row has.
_CONTACT_STATES = """
with listed as (
    select *, coalesce(regexp_matches(email, '[@＠]'), false) as has_email,
        nullif(trim(email), '') is null as is_phone_only
    from {relation} where {new}
),
said as (
    select *, {word} as reason from listed
)
select 'email' as identifier_type, email as raw_value, coalesce({channel}, 'email') as channel,
    '*' as purpose, reason, {said_in} as said_in, null::timestamp as occurred_at,
    'contacts' as source, country
from said where nullif(trim(reason), '') is not null
    and (has_email or (not is_phone_only and nullif(trim(phone), '') is null
        and nullif(trim(loyalty_id), '') is null and nullif(trim(customer_ref), '') is null))
union all
select 'phone', phone, coalesce({channel}, case when is_phone_only then 'sms' else '*' end), '*',
    reason, {said_in}, null, 'contacts', country
from said
where nullif(trim(reason), '') is not null and (not has_email or {channel} is not null)
    and nullif(trim(phone), '') is not null
union all
select 'loyalty_id', loyalty_id, coalesce({channel}, '*'), '*', reason, {said_in}, null,
    'contacts', country
from said
where nullif(trim(reason), '') is not null and not has_email
    and nullif(trim(loyalty_id), '') is not null
union all
select 'orders_customer_id', customer_ref, coalesce({channel}, '*'), '*', reason, {said_in}, null,
    'contacts', country
from said
where nullif(trim(reason), '') is not null and not has_email
    and nullif(trim(customer_ref), '') is not null
"""


def _contact_states(word: str, said_in: str, channel: str = "") -> FactQuery:
    named = literal(channel) if channel not in ("", "email") else "null::varchar"
    values = {"word": word, "said_in": literal(said_in), "channel": named}
    return FactQuery("raw_contacts.contacts", _CONTACT_STATES, values=values)


QUERIES = (
    FactQuery("raw_consents.consents", _CONSENTS, "consents"),
    FactQuery("raw_email.events", _EMAIL_SUPPRESSIONS, "suppressions"),
    FactQuery("raw_email.events", _EMAIL_GROUPS, "consents"),
    FactQuery("raw_messages.messages", _MESSAGES, "suppressions"),
    FactQuery("raw_feedback.feedback", _FEEDBACK, "suppressions"),
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
    FactQuery("raw_orders.orders", _ORDER_REFUSALS, "suppressions"),
    _contact_states("status", "list:contacts.status"),
    FactQuery("raw_web.events", web.WEB_GPC, "suppressions"),
    FactQuery("raw_web.events", web.WEB_PUSH, "consents"),
    FactQuery("raw_web.events", web.WEB_PUSH_ENDS, "consents"),
    FactQuery("raw_web.events", web.WEB_CONSENT, "consents"),
)


def statement(query: FactQuery, stored: str, held: str = "") -> str:
    """The SQL of one query over loads of `stored` that were not read before, or over held rows."""
    relation = held or stored
    new = "true" if held else new_rows(query.source_table)
    values = {"relation": relation, "new": new, **query.values}
    # In one pass: a name that a stranger chose, such as `unsub {new}`, is not looked into.
    return _SLOT.sub(lambda match: values[match[1]], query.sql)


def new_rows(table: str) -> str:
    """Which rows of a raw table stand in loads that were not read before."""
    return f"_dlt_load_id in (select load_id from new_loads where source_table = {literal(table)})"


def column_queries(columns: Iterable[str]) -> list[FactQuery]:
    """Statements for those further columns of contacts whose name says what they tell."""
    queries = []
    for column in sorted(columns):
        kind = column_kind(column)
        if kind:
            word = f"attributes ->> {web.pointer(column)}"
            said_in = f"{kind}:contacts.{column}"
            queries.append(_contact_states(word, said_in, named_channel(column)))
    return queries


def event_queries(events: Iterable[str]) -> list[FactQuery]:
    """A statement for those events of a site whose name says that they end a channel."""
    reasons = {event: event_reason(event) for event in sorted(events)}
    ending = {
        event: reason for event, reason in reasons.items() if reason and not web.is_push_end(event)
    }
    statements = [
        web.event_statement(event, f"flag/{reason}:web.event", web.ended_channel(event))
        for event, reason in ending.items()
    ]
    return _web_refusals("event", statements, f"event in ({', '.join(map(literal, ending))})")


def trait_queries(traits: Iterable[tuple[str, ...]]) -> list[FactQuery]:
    """A statement for those traits of people, by their path, whose name speaks of permission."""
    statements = []
    for path in sorted(traits):
        name = " ".join(path)
        if kind := trait_kind(name):
            said_in = f"{kind}:web.traits.{'.'.join(path)}"
            statements.append(web.trait_statement(path, said_in, web.ended_channel(name)))
    return _web_refusals("identify", statements, web.HAS_TRAITS)


def _web_refusals(name: str, statements: list[str], rows: str) -> list[FactQuery]:
    values = {"statements": ", ".join(statements), "rows": rows, "word": literal(f"web:{name}")}
    return [FactQuery("raw_web.events", web.WEB_REFUSALS, values=values)] if statements else []


def file_queries(files: Iterable[str]) -> list[FactQuery]:
    """Statements for those files of contacts whose name says that who is in them wants no more."""
    queries = []
    for file in sorted(files):
        reason = file_reason(file)
        if reason:
            word = f"case when _file = {literal(file)} then 'yes' end"
            queries.append(_contact_states(word, f"flag/{reason}:contacts file"))
    return queries
