"""What people refused, for a destination that shows it to themselves, members of anything or not.

Belongs here: whose refusals those are, by everything a visitor is known by. Does not belong here:
permission to send (`gate`), refusals that a destination heard (`withdrawals`).

A site must show whether it heeds a browser's signal, also to somebody who is sent nothing. A
refusal of any identifier of a person is told at all of their browsers, and a refusal of a browser
that is nobody's at that browser.

Data flow: consent_events and suppressions of the store, marts.bridge_customer_identifiers and
customer_personalisation -> purposes by identifier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import pyarrow as pa

from ingestion.vocabulary import Reason
from orchestration.activation.gate import (
    ADDRESS_TYPES,
    ADS,
    ONSITE,
    Key,
    Policy,
    load_all_states,
)
from orchestration.destinations.base import Destination, ShowsRefusals, own_words
from orchestration.home.layout import Home
from orchestration.ops.store import Store, to_micros
from orchestration.published.reader import open_published

PERSONALISATION = "personalisation"
SHOWN = (Policy(ONSITE, PERSONALISATION), Policy(ADS, "ads"), Policy(ADS, "sell_share"))


def show_refusals(store: Store, home: Home, destination: Destination, at: datetime) -> None:
    """Hand all refusals to a destination that shows them.

    Raises:
        StoreError: the permission facts cannot be read.
        RegularsError: the destination did not take them.
    """
    if isinstance(destination, ShowsRefusals):
        refusals = refusals_by_visitor(store, home, at)
        with own_words(destination.name):
            destination.show_refusals(refusals)


def refusals_by_visitor(store: Store, home: Home, at: datetime) -> Mapping[Key, frozenset[str]]:
    """The purposes refused, by the type and value of each login and browser, and by `customer_id`.

    Raises:
        StoreError: the permission facts cannot be read.
    """
    purposes_by_key: dict[Key, set[str]] = defaultdict(set)
    with store.read() as connection:
        for policy in SHOWN:
            for key, state in load_all_states(connection, policy, to_micros(at)).items():
                if state.opt_out is not None and state.opt_out is not Reason.FORGOTTEN:
                    purposes_by_key[key].add(policy.purpose)
    shown: dict[Key, set[str]] = defaultdict(set)
    for kind, value, purpose in _of_visitors(home, purposes_by_key):
        shown[kind, value].add(purpose)
    return {key: frozenset(purposes) for key, purposes in shown.items()}


def _of_visitors(
    home: Home, purposes_by_key: Mapping[Key, Iterable[str]]
) -> list[tuple[str, str, str]]:
    """Type, value and purpose for everything by which whoever refused may come to the site."""
    facts = [(*key, purpose) for key, purposes in purposes_by_key.items() for purpose in purposes]
    names = ("identifier_type", "identifier_value", "purpose")
    columns = zip(*facts, strict=True) if facts else ((), (), ())
    table = pa.table(
        {name: pa.array(each, pa.string()) for name, each in zip(names, columns, strict=True)}
    )
    kinds = ", ".join(f"'{kind}'" for kind in ADDRESS_TYPES[ONSITE])
    with open_published(home) as connection:
        connection.register("refused", table)
        rows = connection.execute(
            f"""
            with people as (
                select customer_id, purpose
                from marts.bridge_customer_identifiers
                inner join refused using (identifier_type, identifier_value)
                union
                select customer_id, '{PERSONALISATION}'
                from marts.customer_personalisation where level = 'none'
            )
            select identifier_type, identifier_value, purpose
            from people inner join marts.bridge_customer_identifiers using (customer_id)
            where identifier_type in ({kinds})
            union
            select 'customer_id', customer_id, purpose from people
            union
            select identifier_type, identifier_value, purpose from refused
            where identifier_type in ({kinds})
            """
        ).fetchall()
    return [(str(kind), str(value), str(purpose)) for kind, value, purpose in rows]
