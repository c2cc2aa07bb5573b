"""The same evidence resolved by other systems' rules, re-implemented from public descriptions.

Belongs here: one function per rule, from `records`, `sightings` and `identifiers` (inputs) to one
customer per identifier. Does not belong here: their products' code (none was read for this), or
judging the outcome (measures).

Two of the rules decide about records, not identifiers. There an identifier goes to the customer
whom the rule itself (rather than a fallback) gave most of its records; of equals, to the latest.
That is in the rivals' favour: an address seen once at a kiosk stays with its owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from orchestration.scorecard.flat_matching import flat_match
from orchestration.scorecard.measures import Connection

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rival:
    """A rule under its name; `resolve` returns a table of (identifier, customer) integers."""

    name: str
    label: str
    resolve: Callable[[Connection], pa.Table]


def find(board: Connection, rival: Rival) -> None:
    """Put what the rule finds into `found`, as if it were a published bridge."""
    board.register("incoming", rival.resolve(board))
    board.execute("""
        create or replace temp table found as
        select identifier_type, identifier_value, customer as customer_id
        from incoming join identifiers using (identifier)
    """)
    board.unregister("incoming")


# Rules about records ------------------------------------------------------------------------------
# Whom a record's own system takes it for: its account first, its cookie or card last.
_OWN_ACCOUNT = (
    "shopify_customer_id, orders_customer_id, loyalty_id, klaviyo_profile_id, login, email, phone,"
    " payment_card, publisher_login, push_token, device"
)
_MOST_RECORDS = """
with judged as ({judged})
select identifier, customer
from sightings join judged using (record)
group by identifier, customer
qualify row_number() over (
    partition by identifier
    order by count(*) filter (is_ruled) desc, count(*) desc, max(record) desc, customer
) = 1
"""


def email_equality(board: Connection) -> pa.Table:
    """One email address, one person, and nothing else.

    Fivetran's Shopify and Klaviyo packages join their customers on the lower-cased email alone. A
    record without an email is a person of its own, by the account that it names.
    """
    return _by_most_records(
        board,
        f"""
        select record, coalesce(email, {_OWN_ACCOUNT}) as customer, email is not null as is_ruled
        from records
        """,
    )


def last_login_per_device(board: Connection) -> pa.Table:
    """Everything on a device is the person's who signed in there last.

    Snowplow's unified package stitches `user_identifier` to its last non-null `user_id`, one hop: a
    second login takes over the whole history. A record without a device is its login's or, failing
    that, its own account's.
    """
    return _by_most_records(
        board,
        f"""
        select records.record,
            coalesce(stitched.last_login, records.device, records.login, {_OWN_ACCOUNT})
                as customer,
            records.device is not null or records.login is not null as is_ruled
        from records left join (
            select device as stitched_device,
                max_by(login, (last_seen_at, record)) as last_login
            from records where device is not null and login is not null group by device
        ) as stitched on records.device = stitched.stitched_device
        """,
    )


def _by_most_records(board: Connection, judged: str) -> pa.Table:
    return board.execute(_MOST_RECORDS.format(judged=judged)).to_arrow_table()


# Flat matching ------------------------------------------------------------------------------------
# Segment's defaults: user_id first and one of it, email second, the rest by name and five of each,
# ever. A login is its user_id and a device its anonymous_id.
PRIORITY = (
    "login",
    "email",
    "device",
    "klaviyo_profile_id",
    "loyalty_id",
    "orders_customer_id",
    "payment_card",
    "phone",
    "publisher_login",
    "push_token",
    "shopify_customer_id",
)
LIMITS = (1, *[5] * (len(PRIORITY) - 1))
# The values that Segment's documentation suggests to block.
_BLOCKED = """
select identifier from identifiers
where regexp_full_match(identifier_value, '[0-]*')
    or identifier_value in ('-1', 'null', 'anonymous')
"""
_CHUNK = 50_000


def flat_matching(board: Connection) -> pa.Table:
    """Segment's identity resolution with its default limits, priority and suggested blocks."""
    blocked = frozenset(row[0] for row in board.execute(_BLOCKED).fetchall())
    profiles = flat_match(_in_turn(board), LIMITS, blocked)
    return pa.table({"identifier": list(profiles), "customer": list(profiles.values())})


def _in_turn(board: Connection) -> Iterator[Sequence[int]]:
    columns = ", ".join(f"coalesce({name}, 0)" for name in PRIORITY)
    cursor = board.execute(f"select {columns} from records order by record")
    while rows := cursor.fetchmany(_CHUNK):
        yield from rows


# Connected components -----------------------------------------------------------------------------
_LINKS = """
with firsts as (select record, min(identifier) as a from sightings group by record)
select distinct a, identifier as b from firsts join sightings using (record)
"""


def connected_components(board: Connection) -> pa.Table:
    """Whatever stands on one record is one person's, through any number of records."""
    links = board.execute(_LINKS).fetchnumpy()
    a, b = links["a"].astype(np.int64), links["b"].astype(np.int64)
    customers = components(a, b)
    identifiers = np.unique(b)
    return pa.table({"identifier": identifiers, "customer": customers[identifiers]})


def components(a: Ints, b: Ints) -> Ints:
    """For each integer up to the largest, the smallest that chains of pairs (a, b) lead to.

    Every root hooks onto the smallest root it meets, then all paths are halved until they are flat;
    the number of rounds grows with the logarithm of the longest chain.
    """
    root = np.arange(int(max(a.max(initial=0), b.max(initial=0))) + 1, dtype=np.int64)
    while True:
        one, other = root[a], root[b]
        apart = one != other
        if not apart.any():
            return root
        one, other = one[apart], other[apart]
        np.minimum.at(root, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(flat := root[root], root):
            root = flat


RIVALS = (
    Rival("email_equality", "Email equality (Fivetran)", email_equality),
    Rival("last_login_per_device", "Last login per device (Snowplow)", last_login_per_device),
    Rival("flat_matching", "Flat matching, limits (Segment)", flat_matching),
    Rival("connected_components", "Connected components", connected_components),
)
