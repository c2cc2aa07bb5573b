"""Whom a sync would make profiles of at a destination whose vendor bills them; nothing is reached.

Belongs here: the question, by what was pulled from the vendor last. Does not belong here: whether a
destination makes profiles (its options), the plan itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from ingestion.config import Settings
from orchestration.activation.plan import Plan
from orchestration.destinations import open_destination
from orchestration.destinations.base import MakesProfiles
from orchestration.home.layout import Home
from orchestration.published.reader import open_published

# Customers, by destination; None where nothing of the vendor's own profiles was ever pulled
NewProfiles = Mapping[str, frozenset[str] | None]


def new_profiles(home: Home, settings: Settings, plans: Iterable[Plan]) -> NewProfiles:
    """The people of the plans that each destination which makes profiles has none of yet.

    Args:
        home: whose published identifiers tell who has a profile.
        settings: where the destinations are.
        plans: what would be sent.

    Returns:
        One entry per destination of the plans that makes profiles.
    """
    added: dict[str, set[str]] = defaultdict(set)
    for plan in plans:
        added[plan.target.destination] |= {
            change.customer_id for change in plan.changes if change.operation == "added"
        }
    new_by_destination: dict[str, frozenset[str] | None] = {}
    for name, customers in sorted(added.items()):
        destination = open_destination(name, settings.destinations[name], home)
        if isinstance(destination, MakesProfiles) and destination.makes_profiles_of:
            known = _with_identifier(home, destination.makes_profiles_of)
            new_by_destination[name] = frozenset(customers - known) if known else None
    return new_by_destination


def _with_identifier(home: Home, identifier_type: str) -> set[str]:
    with open_published(home) as connection:
        rows = connection.execute(
            "select distinct customer_id from marts.bridge_customer_identifiers"
            " where identifier_type = ?",
            [identifier_type],
        ).fetchall()
    return {customer_id for (customer_id,) in rows}
