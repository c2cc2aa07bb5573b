"""Where browsers take push notices: the endpoint of each device and the keys to encrypt for it.

Belongs here: reading them from web events, and which of them are still valid. Does not belong here:
permission (a device's opt-in is a consent event), sending.

Data flow: `Push Subscribed` of raw_web.events -> push_subscriptions.

The keys are nobody's business but the browser's: the table leaves neither for dbt nor for any
report. A device has one endpoint, that of its latest subscription; one that was given up, or that a
push service says is gone, is there no more. A browser that was not seen for long has dropped its
endpoint, whatever the push service answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, delete, select, update

from ingestion.vocabulary import DEVICE, PUSH_TOKEN
from orchestration.ops import schema
from orchestration.ops.store import in_parts, to_micros, upsert
from orchestration.ops.tombstones import forgotten_among

LONGEST = 2_000  # characters of an endpoint
Subscription = tuple[str, str, str]  # endpoint, p256dh, auth

_NEW = "_dlt_load_id in (select load_id from new_loads where source_table = 'raw_web.events')"
# Of two events of one moment the one that ends it counts.
_EVENTS = f"""
with events as (
    select trim(anonymous_id) as device, lower(trim(event)) as event, occurred_at,
        case when json_valid(properties) then properties end as properties
    from {{relation}}
    where {_NEW} and nullif(trim(anonymous_id), '') is not null
        and lower(trim(event)) in ('push subscribed', 'push unsubscribed')
)
select device, event = 'push subscribed' as is_on, properties ->> '$.endpoint' as endpoint,
    properties ->> '$.keys.p256dh' as p256dh, properties ->> '$.keys.auth' as auth,
    epoch_us(occurred_at) as at
from events
where coalesce(length(properties ->> '$.endpoint'), 0) <= {LONGEST}
qualify row_number() over (
    partition by device order by occurred_at desc, event desc, properties desc
) = 1
order by device
"""
_SEEN = f"""
select trim(anonymous_id) as device, epoch_us(max(occurred_at)) as at
from {{relation}}
where {_NEW} and trim(anonymous_id) in (select device from push_devices)
group by all
"""


def record_subscriptions(
    raw: duckdb.DuckDBPyConnection, ops: Connection, relation: str, as_of: datetime
) -> int:
    """Take over what new events say of push subscriptions; how many devices it was about.

    Args:
        raw: has the events, and as `new_loads` the loads of them to read.
        ops: a transaction of the operational store.
        relation: the events, in SQL, with every column of raw_web.events.
        as_of: the run's moment; an event is not seen later than that.
    """
    now = to_micros(as_of)
    events = raw.execute(_EVENTS.format(relation=relation)).fetchall()
    gone = forgotten_among(ops, {(DEVICE, device) for device, *_ in events})
    known = _known(ops, [device for device, *_ in events])
    rows, ended = [], []
    for device, is_on, *keys, at in events:
        if (DEVICE, device) in gone or at < known.get(device, at):
            continue
        if not is_on:
            ended.append(device)
        elif all(keys):
            endpoint, p256dh, auth = (str(key).strip() for key in keys)
            rows.append(_row(device, endpoint, p256dh, auth, min(at, now)))
    upsert(ops, schema.push_subscriptions, rows)
    _delete(ops, ended)
    _see(raw, ops, relation, now)
    return len(events)


def living_subscriptions(
    connection: Connection, at: datetime, longest_unseen: timedelta
) -> dict[str, Subscription]:
    """The subscriptions of devices that were seen lately and are not gone, latest first."""
    table = schema.push_subscriptions.c
    query = (
        select(table.device, table.endpoint, table.p256dh, table.auth)
        .where(table.gone_at.is_(None), table.seen_at > to_micros(at - longest_unseen))
        .order_by(table.subscribed_at.desc(), table.device)
    )
    return {row[0]: (row[1], row[2], row[3]) for row in connection.execute(query)}


def end_subscriptions(connection: Connection, endpoints: Sequence[str], at: datetime) -> None:
    """Note that endpoints are there no more, as their push service says."""
    table = schema.push_subscriptions
    for endpoint in endpoints:
        connection.execute(
            update(table).where(table.c.endpoint == endpoint).values(gone_at=to_micros(at))
        )


def erase_subscriptions(connection: Connection, keys: Iterable[tuple[str, str]]) -> int:
    """Delete those of devices and endpoints of whoever is forgotten."""
    wanted = list(keys)
    devices = [value for kind, value in wanted if kind == DEVICE]
    endpoints = [value for kind, value in wanted if kind == PUSH_TOKEN]
    table, done = schema.push_subscriptions, 0
    for column, values in ((table.c.device, devices), (table.c.endpoint, endpoints)):
        for some in in_parts(values):
            done += connection.execute(delete(table).where(column.in_(some))).rowcount
    return done


def _row(device: str, endpoint: str, p256dh: str, auth: str, at: int) -> dict[str, Any]:
    times = {"subscribed_at": at, "seen_at": at, "gone_at": None}
    return {"device": device, "endpoint": endpoint, "p256dh": p256dh, "auth": auth, **times}


def _known(ops: Connection, devices: Sequence[str]) -> dict[str, int]:
    table = schema.push_subscriptions.c
    moments: dict[str, int] = {}
    for some in in_parts(devices):
        query = select(table.device, table.subscribed_at).where(table.device.in_(some))
        moments |= {row[0]: int(row[1]) for row in ops.execute(query)}
    return moments


def _delete(ops: Connection, devices: Sequence[str]) -> None:
    table = schema.push_subscriptions
    for device in devices:
        ops.execute(delete(table).where(table.c.device == device))


def _see(raw: duckdb.DuckDBPyConnection, ops: Connection, relation: str, now: int) -> None:
    """Note when devices that have a subscription were last seen."""
    table = schema.push_subscriptions
    devices: list[str] = list(ops.execute(select(table.c.device)).scalars())
    if not devices:
        return
    raw.register("push_devices", pa.table({"device": pa.array(devices, pa.string())}))
    seen = raw.execute(_SEEN.format(relation=relation)).fetchall()
    raw.unregister("push_devices")
    for device, at in seen:
        later = min(at, now)
        ops.execute(
            update(table)
            .where(table.c.device == device, table.c.seen_at < later)
            .values(seen_at=later)
        )
