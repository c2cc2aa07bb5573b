"""What the gate says of one person right now, on every channel and for every purpose.

Belongs here: asking the gate about each pair. Does not belong here: the rule (`gate`), or how an
answer is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import duckdb

from ingestion.vocabulary import CHANNELS, PURPOSES
from orchestration.activation.gate import (
    Decision,
    Identifier,
    Key,
    Policy,
    decide,
    load_states_by_policy,
)
from orchestration.activation.people import identifiers_in, load_identifiers
from orchestration.home.layout import Home
from orchestration.ops.store import open_store, to_micros


def permission_now(
    home: Home,
    customer_id: str,
    keys: Sequence[Key],
    *,
    at: datetime,
    double_opt_in: bool = False,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> dict[tuple[str, str], Decision]:
    """The gate's answer by channel and purpose.

    Args:
        home: the shop's home.
        customer_id: of whom; an id that no published run knows has the identifiers of `keys` only.
        keys: identifiers that are this person's alone.
        at: the moment that is asked about, naive UTC.
        double_opt_in: whether opt-ins need proof.
        connection: an open build that says whose identifiers are whose; the published file's
            unless given.

    Raises:
        StoreError: the operational store cannot be read.
    """
    ids = [customer_id]
    by_id = identifiers_in(connection, ids) if connection else load_identifiers(home, ids)
    identifiers = by_id[customer_id]
    identifiers = identifiers or [Identifier(*key) for key in keys]
    known = [identifier.key for identifier in identifiers]
    policies = [Policy(each, purpose, double_opt_in) for each in CHANNELS for purpose in PURPOSES]
    with open_store(home) as store, store.read() as facts:
        states = load_states_by_policy(facts, known, policies, to_micros(at))
    return {
        (policy.channel, policy.purpose): decide(identifiers, states[policy], policy)
        for policy in policies
    }
