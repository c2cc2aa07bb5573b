"""A draft of a segment held against the published file: who would be in it, what may reach them.

Belongs here: the figures of a draft. Does not belong here: running its SQL (trial.py), layout
(orchestration/commands/draft.py).

Data flow: published.duckdb, a draft's text -> counts, and ten masked members.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from ingestion.duckdb import has_table, literal
from ingestion.duckdb import name as quoted
from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.segments.contact_class import contact_class
from orchestration.segments.files import segment_names
from orchestration.segments.overlap import Contact, Rival, read_contacts, rivals_of
from orchestration.segments.rendering import SEGMENT
from orchestration.segments.trial import MEMBERS, Trial
from orchestration.words.masks import mask, without_addresses

SHOWN = 10
LARGEST = 100_000  # characters of a draft
LAST = 100  # the priority of a segment that says none


@dataclass(frozen=True)
class Draft:
    """What a draft would be. `reach`: people by channel whom its purpose may reach; `overlap`:
    people by live segment; `rivals`: those of them that want the same contact; `joined` and
    `left`: against the live segment of that name, None where there is none; `samples`: masked
    members with the reason."""

    segment: str
    people: int
    known: int
    of_all: int
    purpose: str
    channels: tuple[str, ...]
    landing_page: str | None
    slots: dict[str, str]
    reach: dict[str, int]
    overlap: dict[str, int]
    rivals: tuple[Rival, ...]
    joined: int | None
    left: int | None
    funnel: tuple[dict[str, Any], ...]
    samples: tuple[tuple[str, str], ...]
    as_of: str


def read_draft(path: Path) -> str:
    """What a draft's file says.

    Raises:
        UsageError: it cannot be read, or is no such file.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a draft.", "Name a segment's file.") from error
    if len(text) > LARGEST:
        raise UsageError(f"{path} is too long for a segment.", "Name a segment's file.")
    return text


def try_draft(home: Home, segment: str, text: str, variables: Mapping[str, Any]) -> Draft:
    """Hold a draft against what is published; nothing is built, sent or kept.

    Args:
        home: whose published file is read.
        segment: the name that it would have.
        text: what its file says.
        variables: the settings' variables, as dbt gets them.

    Raises:
        UsageError: the draft says something that there is not, or its SQL is none.
        RegularsError: nothing is published, or it is of an earlier version.
    """
    with open_published(home) as connection:
        return draft_on(connection, segment, text, variables)


def draft_on(
    connection: duckdb.DuckDBPyConnection, segment: str, text: str, variables: Mapping[str, Any]
) -> Draft:
    """The same against an open published file, or a copy of one; fills its temporary tables.

    Raises:
        UsageError: the draft says something that there is not, or its SQL is none.
        RegularsError: the file is of an earlier version.
    """
    build = connection.execute("select as_of from ops.build").fetchone()
    if build is None:
        raise RegularsError("The published file does not say its moment.", "Run again.")
    trial = Trial(connection, variables, build[0], {*segment_names(), segment})
    trial.run(segment, text)
    contacts = read_contacts(connection) if has_table(connection, "marts", "dim_segments") else {}
    return _figures(trial, segment, contacts, build[0].isoformat(sep=" ", timespec="minutes"))


def _figures(trial: Trial, segment: str, contacts: Mapping[str, Contact], as_of: str) -> Draft:
    purpose = str(trial.meta["purpose"])
    [counts] = trial.rows(
        f"select count(*) as people, count(*) filter (where is_known) as known"
        f" from {MEMBERS} inner join marts.dim_customers using (customer_id)"
    )
    [everybody] = trial.rows("select count(*) as people from marts.dim_customers")
    reach = trial.rows(
        "select channel, count(distinct customer_id) as people"
        f" from {MEMBERS} inner join marts.contactability using (customer_id)"
        f" where is_contactable and purpose = {literal(purpose)} group by channel order by channel"
    )
    live = {name: f"segments.{quoted(SEGMENT + name)}" for name in trial.live_segments()}
    joined, left = _changes(trial, live.get(segment))
    overlap = _overlap(trial, {name: table for name, table in live.items() if name != segment})
    return Draft(
        segment=segment,
        people=counts["people"],
        known=counts["known"],
        of_all=everybody["people"],
        purpose=purpose,
        channels=trial.channels(),
        landing_page=trial.meta.get("landing_page"),
        slots=dict(trial.meta.get("slots") or {}),
        reach={row["channel"]: row["people"] for row in reach},
        overlap=overlap,
        rivals=rivals_of(_contact(trial, segment), contacts, overlap),
        joined=joined,
        left=left,
        funnel=tuple(trial.rows("from trial_funnel order by condition_rank")),
        samples=_samples(trial),
        as_of=as_of,
    )


def _contact(trial: Trial, segment: str) -> Contact:
    """What a draft says of its contacts, with what holds where it says nothing."""
    meta = trial.meta
    is_exclusion = bool(meta.get("is_exclusion"))
    kind = contact_class(str(meta["purpose"]), str(meta["message_kind"]), is_exclusion=is_exclusion)
    return Contact(segment, trial.channels(), kind, meta.get("priority") or LAST)


def _changes(trial: Trial, live: str | None) -> tuple[int | None, int | None]:
    if live is None:
        return None, None
    counts = [
        trial.rows(
            f"select count(*) as n from (from {a} select customer_id except from {b}"
            " select customer_id)"
        )[0]["n"]
        for a, b in ((MEMBERS, live), (live, MEMBERS))
    ]
    return counts[0], counts[1]


def _overlap(trial: Trial, live: Mapping[str, str]) -> dict[str, int]:
    """People of the draft in each live segment, the most first; those with none are left out."""
    counts = {
        name: trial.rows(
            f"select count(*) as n from {MEMBERS} inner join {table} using (customer_id)"
        )[0]["n"]
        for name, table in live.items()
    }
    shared = [(name, count) for name, count in counts.items() if count]
    return dict(sorted(shared, key=lambda each: (-each[1], each[0])))


def _samples(trial: Trial) -> tuple[tuple[str, str], ...]:
    rows = trial.rows(
        f"select email, first_name, last_name, reason from {MEMBERS}"
        f" inner join marts.dim_customers using (customer_id) order by customer_id limit {SHOWN}"
    )
    return tuple(
        (
            mask(row["email"], row["first_name"], row["last_name"]),
            without_addresses(row["reason"] or ""),
        )
        for row in rows
    )
