"""Which segments want the same people, and which of them goes first.

Belongs here: what segments say of themselves beside the people they share, of published tables.
Does not belong here: whose contact goes out today (orchestration/activation/decision.py), layout.

Two segments are rivals where the day gives a person one contact of both: they are of one contact
class (marketing or service) and each has a channel other than the site, or both show something on
the site. A list of whom ads leave out is no contact and has no rival. The lower priority goes
first; of equals the first by name, which nobody chose: where such two share a channel, that is a
conflict.

Data flow: marts.dim_segments, marts.rpt_segment_overlap -> rivals by segment.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from ingestion.duckdb import has_column, has_table
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.segments.contact_class import EXCLUSION, contact_class

ONSITE = "onsite"  # where a contact takes nobody's place but that of another one there


@dataclass(frozen=True, slots=True)
class Contact:
    """What a segment's file says of its contacts."""

    segment: str
    channels: tuple[str, ...]
    contact_class: str
    priority: int


@dataclass(frozen=True, slots=True)
class Rival:
    """Another segment that wants the same people.

    `people`: whom both want. `channels`: those that both have. `first`: the segment that goes
    first. `is_conflict`: on one channel with the same priority, so that names alone decide.
    """

    segment: str
    people: int
    priority: int
    channels: tuple[str, ...]
    first: str
    is_conflict: bool


def read_contacts(connection: duckdb.DuckDBPyConnection) -> dict[str, Contact]:
    """The contacts of the segments that are published, by name."""
    says = has_column(connection, "marts", "dim_segments", "is_exclusion")
    exclusion = "is_exclusion" if says else "false"
    rows = connection.execute(
        f"select segment, channels, purpose, message_kind, priority, {exclusion}"
        " from marts.dim_segments"
    ).fetchall()
    return {
        segment: Contact(
            segment,
            tuple(json.loads(channels)),
            contact_class(purpose, kind, is_exclusion=is_exclusion),
            priority,
        )
        for segment, channels, purpose, kind, priority, is_exclusion in rows
    }


def rivals_of(
    contact: Contact, others: Mapping[str, Contact], shared: Mapping[str, int]
) -> tuple[Rival, ...]:
    """Who wants the same people, the most shared first.

    Args:
        contact: what the segment says.
        others: what the segments there are say, by name.
        shared: people whom the segment shares with others, by name; none are left out.
    """
    rivals = [
        _rival(contact, others[name], people)
        for name, people in shared.items()
        if people and name != contact.segment and name in others and _meet(contact, others[name])
    ]
    return tuple(sorted(rivals, key=lambda each: (-each.people, each.segment)))


def published_rivals(home: Home, segments: Iterable[str]) -> dict[str, tuple[Rival, ...]]:
    """The rivals of these segments by name, as of the last run; nothing is built or reached."""
    with open_published(home) as connection:
        if not has_table(connection, "marts", "rpt_segment_overlap"):  # of an earlier version
            return {}
        contacts = read_contacts(connection)
        shared: dict[str, dict[str, int]] = {}
        for segment, other, people in connection.execute(
            "select segment, other_segment, shared_count from marts.rpt_segment_overlap"
        ).fetchall():
            shared.setdefault(segment, {})[other] = people
    return {
        segment: rivals_of(contacts[segment], contacts, shared.get(segment, {}))
        for segment in dict.fromkeys(segments)
        if segment in contacts
    }


def _meet(one: Contact, other: Contact) -> bool:
    if EXCLUSION in (one.contact_class, other.contact_class):
        return False
    if ONSITE in one.channels and ONSITE in other.channels:
        return True
    return one.contact_class == other.contact_class and all(
        set(each.channels) - {ONSITE} for each in (one, other)
    )


def _rival(one: Contact, other: Contact, people: int) -> Rival:
    channels = tuple(channel for channel in one.channels if channel in other.channels)
    first = min((each.priority, each.segment) for each in (one, other))[1]
    is_conflict = bool(channels) and one.priority == other.priority
    return Rival(other.segment, people, other.priority, channels, first, is_conflict)
