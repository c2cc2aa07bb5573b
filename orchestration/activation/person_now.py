"""One person as the published file knows them, with what may be sent to them right now.

Belongs here: asking the gate beside the published file. Does not belong here: finding the person
(`who.explain`), what the gate's answers change (`who.now`), how it is laid out.
"""

from __future__ import annotations

from datetime import datetime

import duckdb

from ingestion.settings_file import load_settings
from orchestration.activation.answers import permission_now
from orchestration.activation.gate import Key
from orchestration.home.layout import Home
from orchestration.ops.store import has_store
from orchestration.who.evidence import Explanation
from orchestration.who.explain import NotFoundError, explain, explain_from, with_ledger
from orchestration.who.now import GRANTED, as_of_now, unpublished
from orchestration.who.subject import UNPUBLISHED, find_subject


def explain_now(
    home: Home, who: str, *, at: datetime, connection: duckdb.DuckDBPyConnection | None = None
) -> Explanation:
    """Everything published about a person, with the gate's answers of this moment.

    Whoever is in no published run, and of whom something is recorded, has the answers alone.

    Args:
        home: the shop's home.
        who: an identifier or id, as `explain` takes it.
        at: the moment that the gate is asked about, naive UTC.
        connection: an open build to read; the published file's unless given.

    Raises:
        NotFoundError: nothing is known or recorded of them.
        StoreError: the operational store cannot be read.
    """
    keys: tuple[Key, ...] = ()
    try:
        explanation = _published(home, who, connection)
    except NotFoundError:
        if not has_store(home):
            raise
        explanation, keys = _recorded(home, who)
    if not has_store(home):
        return explanation
    answers = permission_now(
        home,
        explanation.customer_id,
        keys,
        at=at,
        double_opt_in=load_settings().double_opt_in,
        connection=connection,
    )
    answered = {
        pair: (answer.reason or GRANTED, answer.receipt_id) for pair, answer in answers.items()
    }
    return as_of_now(explanation, answered)


def _published(home: Home, who: str, connection: duckdb.DuckDBPyConnection | None) -> Explanation:
    if connection is None:
        return explain(home, who)
    country = load_settings().shop.default_country
    return with_ledger(home, explain_from(connection, who, country))


def _recorded(home: Home, who: str) -> tuple[Explanation, tuple[Key, ...]]:
    """Somebody of whom only the operational store knows; `explain` has told the others apart."""
    subject = find_subject(home, who)
    return unpublished(UNPUBLISHED, subject.keys[0][0]), tuple(subject.keys)
