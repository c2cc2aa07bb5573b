"""The pretend shop's mail system: Klaviyo's resources for the server, or SendGrid events as files.

Data flow: tables of a block -> api/klaviyo/{profiles,events,campaigns,lists,list_members,flows,
metrics} (Parquet: id, sort columns, the JSON:API resource as text), or email/part-BBB.jsonl.gz
(SendGrid's Event Webhook).
Does not belong here: paging and filters (the server's).
"""

from __future__ import annotations

from pathlib import Path

from ingestion.demo.catalogue import SHOP_URL
from ingestion.demo.json_text import Maybe, Quoted, Shape, Word, json_sql, text
from ingestion.demo.mailing import MESSAGE_KINDS
from ingestion.demo.tables import Connection, copy_lines, copy_table

KLAVIYO = "https://a.klaviyo.com"
LIST_ID = "HPNEWS"
METRICS = {
    "Received Email": "MREC01", "Opened Email": "MOPN02", "Clicked Email": "MCLK03",
    "Bounced Email": "MBNC04", "Marked Email as Spam": "MSPM05", "Unsubscribed": "MUNS06",
    "Subscribed to List": "MSUB07",
}  # fmt: skip

_HAPPENINGS = f"""
create or replace temp table happenings as
with sent as (
    select m.*, e.value as email_value, e.klaviyo_id, k.name as kind_name,
        case when c.campaign_id is not null then c.campaign_id else 'FLOW' || upper(replace(k.name,
            '_', '')) end as message_key,
        c.campaign_id, coalesce(c.name, initcap_words(k.name)) as campaign_name,
        coalesce(c.subject, initcap_words(k.name)) as subject,
        case when c.campaign_id is not null then (['A',
            'B'])[(m.email % 2 + 1)::integer] end as variant,
        md5(concat_ws(':', seed(), block(), 'message', m.m)) as message_hash
    from messages m
    join emails e on e.e = m.email
    join message_kinds k on k.code = m.kind
    left join campaigns c on c.index = m.campaign
)
select *, 'Received Email' as metric, sent + 5 as happened, false as machine, null as url,
    null as bounce
from sent where bounced = 0
union all
select *, 'Opened Email', machine_opened, true, null, null from sent where machine_opened > 0
union all
select *, 'Opened Email', opened, false, null, null from sent where opened > 0
union all
select *, 'Clicked Email', clicked, false,
    '{SHOP_URL}/?utm_source=klaviyo&utm_medium=email&utm_campaign='
    || replace(lower(campaign_name), ' ', '-'), null from sent where clicked > 0
union all
select *, 'Bounced Email', sent + 3, false, null, case when bounced = 2 then 'Hard' else 'Soft' end
    from sent where bounced > 0
union all
select *, 'Marked Email as Spam', reported, false, null, null from sent where reported > 0
union all
select *, 'Unsubscribed', unsubscribed, false, null, null from sent where unsubscribed > 0
""".replace("initcap_words(k.name)", "upper(k.name[1]) || replace(k.name[2:], '_', ' ')")

_PROFILE_FACTS = """
create or replace temp table profile_facts as
with seen as (
    select email, min(happened) as first_at, max(happened) as last_at from happenings group by email
),
listed as (
    select email, min(since) as since, min(ended) as ended, bool_or(is_unproven) as is_unproven
    from subscriptions group by email
),
stopped as (
    select email, max(happened) filter (where metric = 'Unsubscribed') as unsubscribed,
        max(happened) filter (where metric = 'Marked Email as Spam') as reported,
        max(happened) filter (where bounce = 'Hard') as bounced
    from happenings group by email
),
owned as (
    -- Conditions of a join on its left side alone would make DuckDB compare everything.
    select e.*, p.*,
        case when e.role = 'main' and p.p % 4 = 0 and p.phone_from < getvariable('since')
            and p.phone_until > getvariable('until') then p.phone end as profile_phone,
        case when e.role = 'main' and p.p % 3 = 0 then p.login end as profile_login
    from emails e left join people p on p.p = e.person
)
select e.*, h.value as phone_value, l.value as login_value,
    listed.since, stopped.unsubscribed, stopped.reported, stopped.bounced,
    least(coalesce(listed.since, 9999999999), coalesce(seen.first_at, 9999999999)) as created,
    greatest(coalesce(listed.since, 0), coalesce(seen.last_at, 0)) as updated,
    case when stopped.unsubscribed is not null then 'UNSUBSCRIBED' when listed.since is not null
        then 'SUBSCRIBED'
        else 'NEVER_SUBSCRIBED' end as consent,
    coalesce(stopped.unsubscribed, listed.since) as consent_at
from owned e
left join phones h on h.k = e.profile_phone
left join logins l on l.k = e.profile_login
left join listed on listed.email = e.e
left join seen on seen.email = e.e
left join stopped on stopped.email = e.e
where listed.since is not null or seen.first_at is not null
"""


def _suppressed(reason: str, moment: str) -> str:
    return (
        f"case when {moment} is not null then "
        f"{{'reason': '{reason}', 'timestamp': iso_offset({moment})}} end"
    )


_ATTRIBUTES = """
    'email': f.value, 'phone_number': f.phone_value, 'external_id': f.login_value,
    'first_name': case when f.e % 5 > 0 then f.first_name end, 'last_name': case when f.e % 5 > 0
        then f.last_name end,
    'organization': null, 'locale': 'en-GB', 'title': null, 'image': null,
    'created': iso_offset(f.created), 'updated': iso_offset(f.updated),
        'last_event_date': iso_offset(f.updated),
    'location': {'country': case f.country when 'GB' then 'United Kingdom' when 'IE' then 'Ireland'
            when 'DE' then 'Germany' when 'FR' then 'France' when 'US' then 'United States' end,
        'zip': f.postcode, 'timezone': f.timezone},
    'properties': {'favourite_department': f.interest}
"""

_PROFILES = f"""
select f.klaviyo_id as id, f.value as email, f.created, f.updated,
    to_json({{'type': 'profile', 'id': f.klaviyo_id, 'attributes': {{{_ATTRIBUTES}}},
        'links': {{'self': '{KLAVIYO}/api/profiles/' || f.klaviyo_id || '/'}}}})::text as resource,
    to_json({{
        'email': {{'marketing': {{
            'can_receive_email_marketing': f.unsubscribed is null and f.bounced is null
                and f.reported is null,
            'consent': f.consent, 'consent_timestamp': iso_offset(f.consent_at),
            'last_updated': iso_offset(f.consent_at), 'method': case when f.since is not null
                then 'FORM' end,
            'double_optin': false,
            'suppression': list_filter([{_suppressed("UNSUBSCRIBE", "f.unsubscribed")},
                {_suppressed("SPAM_COMPLAINT", "f.reported")},
                    {_suppressed("HARD_BOUNCE", "f.bounced")}],
                lambda s: s is not null),
            'list_suppressions': []}}}},
        'sms': {{'marketing': {{'can_receive_sms_marketing': false, 'consent': 'NEVER_SUBSCRIBED',
            'consent_timestamp': null}}}}
    }})::text as subscriptions
from profile_facts f order by f.updated, f.klaviyo_id
"""

# Who unsubscribes stays on the list, as at Klaviyo: the profile's consent says that it is over.
_MEMBER: Shape = {
    "type": Word("profile"),
    "id": Quoted("klaviyo_id"),
    "attributes": {"joined_group_at": Quoted("iso_offset(since)")},
    "links": {"self": Quoted("concat(klaviyo_id, '/')", f"{KLAVIYO}/api/profiles/")},
}
_LIST_MEMBERS = f"""
select klaviyo_id as id, '{LIST_ID}' as list_id, since as joined, {json_sql(_MEMBER)} as resource
from profile_facts where since is not null order by since, klaviyo_id
"""

# How an event names its message: a campaign's or a flow's.
_SENT: Shape = {
    "$message": text("message_key"),
    "campaign_id": Maybe("campaign_id"),
    "$flow": Maybe("case when campaign_id is null then message_key end"),
    "Campaign Name": Maybe("campaign_name"),
    "Subject": Maybe("subject"),
    "message_kind": Maybe("kind_name"),
    "variant": Maybe("variant"),
    "message_id": Maybe("substr(message_hash, 1, 22)"),
    "URL": Maybe("url"),
    "machine_open": Maybe("case when metric = 'Opened Email' then machine end"),
    "Bounce Type": Maybe("bounce"),
    "Email Domain": Maybe("split_part(email_value, '@', 2)"),
}
_JOINED: Shape = {
    "List": Word("Newsletter"),
    "list_id": Word(LIST_ID),
    "source": text("n.name"),
}
_UUID = f"""concat({
    ", '-', ".join(
        f"substr(hash, {at}, {size})" for at, size in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    )
})"""
_EVENT: Shape = {
    "type": Word("event"),
    "id": Quoted("id"),
    "attributes": {
        "timestamp": "happened",
        "event_properties": "properties",
        "datetime": Quoted("iso_offset(happened)"),
        "uuid": Quoted(_UUID),
    },
    "relationships": {
        "profile": {"data": {"type": Word("profile"), "id": Quoted("klaviyo_id")}},
        "metric": {"data": {"type": Word("metric"), "id": Quoted("t.metric_id")}},
    },
    "links": {"self": Quoted("concat(id, '/')", f"{KLAVIYO}/api/events/")},
}
_EVENTS = f"""
with h as (
    select m, metric, happened, machine, klaviyo_id, {json_sql(_SENT)} as properties
    from happenings
    union all
    -- Who joins once the shop lives on is numbered after those of before, who keep their numbers.
    select -1 - row_number() over (order by greatest(s.since, getvariable('until')), s.email,
            s.since), 'Subscribed to List', s.since,
        false, e.klaviyo_id, {json_sql(_JOINED)}
    from subscriptions s join emails e on e.e = s.email join list_sources n on n.code = s.source
    where s.since >= getvariable('since')
),
hashed as (
    select h.*, md5(concat_ws(':', seed(), block(), 'happening', m, metric, machine)) as hash
    from h
),
ided as (select *, substr(hash, 1, 22) as id from hashed)
select id, klaviyo_id as profile_id, metric, happened, {json_sql(_EVENT)} as resource
from ided
join (values {", ".join(f"('{name}', '{key}')" for name, key in METRICS.items())})
    as t(metric_name, metric_id)
    on t.metric_name = metric
order by happened, id
"""

_CAMPAIGNS = f"""
select campaign_id as id, sent as updated,
    to_json({{'type': 'campaign', 'id': campaign_id, 'attributes': {{
        'name': name, 'status': 'Sent', 'archived': false,
        'audiences': {{'included': ['{LIST_ID}'], 'excluded': []}},
        'send_options': {{'use_smart_sending': true}},
        'tracking_options': {{'is_tracking_opens': true, 'is_tracking_clicks': true,
            'add_tracking_params': true,
            'custom_tracking_params': []}},
        'send_strategy': {{'method': 'immediate'}},
        'created_at': iso_offset(sent - 86400), 'scheduled_at': iso_offset(sent - 3600),
        'updated_at': iso_offset(sent), 'send_time': iso_offset(sent)}},
    'links': {{'self': '{KLAVIYO}/api/campaigns/' || campaign_id || '/'}}}})::text as resource
from campaigns order by sent
"""

_LISTS = f"""
select '{LIST_ID}' as id, getvariable('since')::bigint as updated,
    to_json({{'type': 'list', 'id': '{LIST_ID}', 'attributes': {{'name': 'Newsletter',
        'created': iso_offset(getvariable('since') - 86400 * 900),
            'updated': iso_offset(getvariable('since')),
        'opt_in_process': 'single_opt_in'}},
    'links': {{'self': '{KLAVIYO}/api/lists/{LIST_ID}/'}}}})::text as resource
"""

_FLOW_NAMES = ", ".join(f"'{kind}'" for kind in MESSAGE_KINDS if kind != "promo")
_FLOWS = f"""
select 'FLOW' || upper(replace(name, '_', '')) as id, getvariable('since')::bigint as updated,
    to_json({{'type': 'flow', 'id': 'FLOW' || upper(replace(name, '_', '')), 'attributes': {{
        'name': upper(name[1]) || replace(name[2:], '_', ' '), 'status': 'live', 'archived': false,
        'created': iso_offset(getvariable('since') - 86400 * 900),
        'updated': iso_offset(getvariable('since')), 'trigger_type': 'Metric'}},
    'links': {{'self': '{KLAVIYO}/api/flows/FLOW' || upper(replace(name, '_', '')) || '/'}}}})::text
        as resource
from (select unnest([{_FLOW_NAMES}]) as name)
"""

_METRICS = f"""
select metric_id as id, metric as name,
    to_json({{'type': 'metric', 'id': metric_id, 'attributes': {{'name': metric,
        'created': '2024-01-01T00:00:00+00:00', 'updated': '2024-01-01T00:00:00+00:00',
        'integration': {{'object': 'integration', 'id': '0rG4eQ', 'name': 'Klaviyo',
            'category': 'Internal'}}}},
    'links': {{'self': '{KLAVIYO}/api/metrics/' || metric_id || '/'}}}})::text as resource
from (values {", ".join(f"('{name}', '{key}')" for name, key in METRICS.items())}) as t(metric,
    metric_id)
order by metric_id
"""

_SENDGRID = """
with named as (
    select *, case metric when 'Received Email' then 'delivered' when 'Opened Email' then 'open'
        when 'Clicked Email' then 'click' when 'Bounced Email' then 'bounce'
        when 'Marked Email as Spam' then 'spamreport' else 'unsubscribe' end as event
    from happenings
    union all
    select *, 'processed' from (select * replace (sent as happened) from happenings
        where metric in ('Received Email', 'Bounced Email'))
)
select json_merge_patch('{}', json_object(
    'email', email_value, 'timestamp', happened, 'event', event,
    'sg_event_id', substr(md5(message_hash || event || machine), 1, 22),
    'sg_message_id', substr(message_hash, 1, 22) || '.recvd',
    'category', [kind_name], 'url', url,
    'sg_machine_open', case when event = 'open' then machine end,
    'type', case when event = 'bounce' then case when bounce = 'Hard' then 'bounce'
        else 'blocked' end end,
    'bounce_classification', case when bounce = 'Hard' then 'Invalid Address' when bounce = 'Soft'
        then 'Mailbox Unavailable' end,
    'reason', case when event = 'bounce' then 'rejected by the receiving server' end,
    'campaign_id', campaign_id, 'message_kind', kind_name, 'variant', variant
))::text as line
from named order by happened, message_hash, event, machine
"""


def prepare(con: Connection, since: int, until: int) -> None:
    """What happened to every message, and the profiles, once per block."""
    con.execute(f"set variable since = {since}")
    con.execute(f"set variable until = {until}")
    con.execute(_HAPPENINGS)
    con.execute(_PROFILE_FACTS)


def write_api_block(con: Connection, folder: Path, block: int) -> None:
    """Write the block's profiles, who is on the list, and events."""
    copy_table(con, _PROFILES, folder / "profiles" / f"part-{block:03d}.parquet")
    copy_table(con, _LIST_MEMBERS, folder / "list_members" / f"part-{block:03d}.parquet")
    copy_table(con, _EVENTS, folder / "events" / f"part-{block:03d}.parquet")


def write_api_fixed(con: Connection, folder: Path, since: int) -> None:
    """Write campaigns, the list, the flows and the metrics."""
    con.execute(f"set variable since = {since}")
    fixed = {"campaigns": _CAMPAIGNS, "lists": _LISTS, "flows": _FLOWS, "metrics": _METRICS}
    for name, query in fixed.items():
        copy_table(con, query, folder / name / "part-000.parquet")


def write_email_files(con: Connection, folder: Path, block: int, ending: str = ".jsonl.gz") -> None:
    """Write the block's mail as SendGrid events."""
    copy_lines(con, _SENDGRID, folder / f"part-{block:03d}{ending}")
