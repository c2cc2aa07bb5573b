"""Who is meant: members of a segment and everything that identifies them, from the published file.

Belongs here: reading the published file for a plan or a sync, through the locked-down reader. Does
not belong here: permission, differences, anything that leaves.

Data flow: published.duckdb (segments.seg_*, marts.dim_segments, dim_customers,
bridge_customer_identifiers, customer_aliases) -> members and identifiers.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.config import Settings
from ingestion.duckdb import has_table
from ingestion.errors import UsageError
from orchestration.activation.gate import ADDRESS_TYPES, ADS, ONSITE, PUSH, Identifier, Key
from orchestration.activation.push_addresses import SUBSCRIPTION
from orchestration.activation.visitors import (
    Shown,
    device_types_of,
    shown_after_visits,
    shown_to,
    stages_of,
)
from orchestration.destinations import finds_by, messages_on_add, sends_messages, traits_of
from orchestration.home.layout import Home
from orchestration.messages.compose import Writer, writer
from orchestration.published.reader import open_published
from orchestration.published.segment_code import members_of

DEFAULT_TRAITS = ("first_name", "last_name", "country_code")
# What goes out at level segment: whom it is to, and where. The rest of a person's row says what was
# bought, viewed or said.
GROUP_TRAITS = frozenset(DEFAULT_TRAITS)
MESSAGE = "message"  # what is sent, word for word
# For ads: whether the person refused that their data are sold or shared.
LIMITED_USE = "is_sell_share_refused"
# For ads: what the person said to the use of their data for ads, and to ads that are made for them:
# granted, which has a receipt, denied, or None where they never said.
ADS_CONSENT = "ads_consent"
PERSONALISED_ADS_CONSENT = "personalised_ads_consent"
# For the site: all browsers of the person with the type of each, JSON; the current stage; and what
# to show: JSON of `person` and, by browser, `visits`.
DEVICES, STAGE, RECOMMENDATIONS = "devices", "stage", "recommendations"
_FURTHER = {
    ADS: (LIMITED_USE, ADS_CONSENT, PERSONALISED_ADS_CONSENT),
    ONSITE: (DEVICES, STAGE, RECOMMENDATIONS),
}


@dataclass(frozen=True)
class Target:
    """A segment on its way to a destination. `traits` are columns of dim_customers sent along, as
    far as the person's level permits; `ids` types of identifiers by which it finds people;
    `writer` what words the messages, of a destination that sends messages; `messages_on_add`:
    being added there is being contacted, by it or by what the vendor or the shop begins then."""

    segment: str
    destination: str
    channel: str
    purpose: str
    traits: tuple[str, ...] = DEFAULT_TRAITS
    ids: tuple[str, ...] = ()
    writer: Writer | None = None
    messages_on_add: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns a destination gets, in order."""
        addresses = ADDRESS_TYPES[self.channel]
        if self.writer is not None:
            keys = SUBSCRIPTION if self.channel == PUSH else ()
            return ("customer_id", *addresses, *keys, "segment", MESSAGE)
        names = ("segment", "reason", "context")
        columns = ("customer_id", *addresses, *self.ids, *self.traits, *names)
        return (*columns, *_FURTHER.get(self.channel, ()))


@dataclass(frozen=True)
class People:
    """The members of a segment as published, and the ids that were merged away.

    `plain`: reason and context of whoever may not be told what is known of them. Traits that a
    person's level does not permit are None. For the site alone: `device_types` of browsers, and
    what to show by the person's id (`shown`) and by a browser (`shown_after_visits`).
    """

    members: dict[str, dict[str, Any]]
    identifiers: dict[str, list[Identifier]]
    aliases: dict[str, str]
    plain: dict[str, str | None]
    device_types: dict[str, str] = field(default_factory=dict)
    shown: dict[str, Shown] = field(default_factory=dict)
    shown_after_visits: dict[str, Shown] = field(default_factory=dict)


def targets(
    home: Home, settings: Settings, segment: str | None = None, destination: str | None = None
) -> list[Target]:
    """Every published segment with each destination it goes to, or those asked for.

    A destination that a segment's own file names and the settings do not have is none: a segment
    that comes with the product goes there once the shop has it.

    Raises:
        UsageError: what was asked for is not there.
    """
    with open_published(home) as connection:
        rows = _segments(connection)
    pairs = [
        pair
        for pair in _pairs(settings, rows)
        if segment in (None, pair.segment) and destination in (None, pair.destination)
    ]
    if not pairs and (segment or destination):
        known = ", ".join(row[0] for row in rows) or "none"
        raise UsageError(
            f"No published segment{f' `{segment}`' if segment else ''} goes to "
            f"{f'a destination `{destination}`' if destination else 'any destination'}.",
            f"Segments: {known}. Destinations: {', '.join(sorted(settings.destinations)) or '-'}.",
        )
    return [each for each in pairs if settings.destinations[each.destination].enabled]


def targets_in(connection: duckdb.DuckDBPyConnection, settings: Settings) -> list[Target]:
    """Every segment of an open file with each destination it goes to."""
    pairs = _pairs(settings, _segments(connection))
    return [each for each in pairs if settings.destinations[each.destination].enabled]


def _segments(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, ...]]:
    """Each segment with its channels, purpose, listed destinations and kind of message."""
    rows: list[tuple[str, ...]] = connection.execute(
        "select segment, channels, purpose, destinations, message_kind"
        " from marts.dim_segments order by all"
    ).fetchall()
    return rows


def _pairs(settings: Settings, segments: Iterable[tuple[str, ...]]) -> Iterator[Target]:
    for name, channels, purpose, listed, kind in segments:
        for receiver in destinations_of(settings, name, json.loads(listed or "[]")):
            if receiver in settings.destinations:
                channel = _channel(settings, receiver, json.loads(channels))
                if channel is not None:
                    yield target_of(settings, name, receiver, channel, purpose, kind)


def destinations_of(settings: Settings, segment: str, listed: Sequence[str]) -> Sequence[str]:
    """Where a segment goes: as the settings say, else as its file lists; nowhere if it is off."""
    chosen = settings.segments.get(segment)
    if chosen is None:
        return listed
    if not chosen.enabled:
        return ()
    return listed if chosen.destinations is None else chosen.destinations


def member_count(
    home: Home,
    target: Target,
    *,
    by_earlier_code: bool = False,
    only: Collection[str] | None = None,
) -> int:
    """How many members the segment has, or had if its code were the earlier one; of `only` these.

    Raises:
        UsageError: the segment is not published.
    """
    with open_published(home) as connection:
        table = _members(connection, target.segment, by_earlier_code=by_earlier_code, only=only)
        row = connection.execute(f"select count(*) from {table}").fetchone()
    return int(row[0]) if row else 0


def permitted_traits(level: str | None, traits: Iterable[str]) -> frozenset[str]:
    """Those of the traits that may be sent of a person of this level; of an unknown one, none."""
    if level == "full":
        return frozenset(traits)
    return GROUP_TRAITS.intersection(traits) if level == "segment" else frozenset()


def load_people(
    home: Home,
    target: Target,
    relevant: Iterable[Key] | None = None,
    *,
    by_earlier_code: bool = False,
    only: Collection[str] | None = None,
) -> People:
    """The members of the target's segment with their traits and identifiers.

    Args:
        home: whose published file is read.
        target: the segment, and what is sent along.
        relevant: if given, only addresses of the channel and these identifiers: whoever asks knows
            that there are no facts about any other.
        by_earlier_code: members as the segment's earlier code makes them of the same data.
        only: if given, these members alone.

    Raises:
        UsageError: the segment or a trait is not published.
    """
    with open_published(home) as connection:
        table = _members(connection, target.segment, by_earlier_code=by_earlier_code, only=only)
        traits = _known_traits(connection, target.traits)
        members = connection.execute(
            f"""
            select levels.level, member.customer_id, member.reason, member.context{traits}
            from {table} as member
            left join marts.dim_customers as customers using (customer_id)
            left join marts.customer_personalisation as levels using (customer_id)
            order by member.customer_id
            """
        ).fetchall()
        plain = connection.execute(
            "select description, plain_context from marts.dim_segments where segment = ?",
            [target.segment],
        ).fetchone()
        names = ("customer_id", "reason", "context", *target.traits)
        those = "true" if relevant is None else _only(connection, target, relevant)
        everybody = f"select customer_id from {table}"
        people = People(
            members={row[0]: _permitted(level, target, names, row) for level, *row in members},
            identifiers=identifiers_of(connection, everybody, those),
            aliases=aliases_of(connection),
            plain=dict(zip(("reason", "context"), plain or ("", None), strict=True)),
        )
        if target.channel == ONSITE:
            people.device_types.update(device_types_of(connection, everybody))
            people.shown.update(shown_to(connection, everybody))
            people.shown_after_visits.update(shown_after_visits(connection, everybody))
            stages = stages_of(connection, everybody)
            for customer_id, member in people.members.items():
                member[STAGE] = stages.get(customer_id)
        return people


def load_identifiers(home: Home, customer_ids: Iterable[str]) -> dict[str, list[Identifier]]:
    """All identifiers of these people; an id that was merged away gets those of its survivor."""
    wanted = sorted(set(customer_ids))
    if not wanted:
        return {}
    with open_published(home) as connection:
        return identifiers_in(connection, wanted)


def identifiers_in(
    connection: duckdb.DuckDBPyConnection, customer_ids: Sequence[str]
) -> dict[str, list[Identifier]]:
    """The same of an open file."""
    aliases = aliases_of(connection)
    survivors = {customer_id: aliases.get(customer_id, customer_id) for customer_id in customer_ids}
    connection.register("wanted", pa.table({"customer_id": sorted(set(survivors.values()))}))
    identifiers = identifiers_of(connection, "select customer_id from wanted")
    return {customer_id: identifiers.get(survivors[customer_id], []) for customer_id in survivors}


def people_of(home: Home, keys: Collection[Key]) -> frozenset[str]:
    """Whose these identifiers are, by the published file."""
    if not keys:
        return frozenset()
    with open_published(home) as connection:
        _register(connection, "wanted", keys)
        rows = connection.execute(
            "select distinct customer_id from marts.bridge_customer_identifiers"
            " inner join wanted using (identifier_type, identifier_value)"
        ).fetchall()
    return frozenset(row[0] for row in rows)


def addresses_of_people(home: Home, keys: Iterable[Key], kind: str) -> dict[Key, list[str]]:
    """The addresses of a kind of whoever has each of these identifiers, by the published file."""
    with open_published(home) as connection:
        _register(connection, "wanted", keys)
        rows = connection.execute(
            """
            select distinct wanted.identifier_type, wanted.identifier_value,
                addresses.identifier_value
            from wanted
            join marts.bridge_customer_identifiers as own
                using (identifier_type, identifier_value)
            join marts.bridge_customer_identifiers as addresses
                on addresses.customer_id = own.customer_id and addresses.identifier_type = ?
            order by all
            """,
            [kind],
        ).fetchall()
    addresses: dict[Key, list[str]] = {}
    for identifier_type, value, address in rows:
        addresses.setdefault((identifier_type, value), []).append(address)
    return addresses


def _register(connection: duckdb.DuckDBPyConnection, name: str, keys: Iterable[Key]) -> None:
    """Leave these identifiers, of which there may be none, as a relation."""
    types, values = zip(*keys, strict=True) if keys else ((), ())
    columns = {
        "identifier_type": pa.array(types, pa.string()),
        "identifier_value": pa.array(values, pa.string()),
    }
    connection.register(name, pa.table(columns))


def _channel(settings: Settings, destination: str, channels: Sequence[str]) -> str | None:
    """The first of a segment's channels that the destination stands for."""
    chosen = settings.destinations[destination].channels
    return next((each for each in channels if chosen is None or each in chosen), None)


def target_of(
    settings: Settings,
    segment: str,
    destination: str,
    channel: str,
    purpose: str,
    message_kind: str = "",
) -> Target:
    """A segment on its way to a destination of the settings.

    Raises:
        UsageError: the channel is none, or a template of messages may not be.
    """
    if channel not in ADDRESS_TYPES:
        raise UsageError(
            f"The segment `{segment}` has the unknown channel `{channel}`.",
            f"Use one of {', '.join(ADDRESS_TYPES)}.",
        )
    chosen = settings.destinations[destination]
    if sends_messages(chosen.kind):
        own = writer(settings, message_kind, channel, purpose)
        return Target(segment, destination, channel, purpose, writer=own, messages_on_add=True)
    traits = chosen.options.get("columns") or traits_of(chosen.kind, DEFAULT_TRAITS)
    return Target(
        segment,
        destination,
        channel,
        purpose,
        tuple(traits),
        finds_by(chosen.kind),
        messages_on_add=messages_on_add(chosen, segment),
    )


def _members(
    connection: duckdb.DuckDBPyConnection,
    segment: str,
    *,
    by_earlier_code: bool,
    only: Collection[str] | None,
) -> str:
    """SQL of a published segment's members, of `only` these people."""
    name = f"seg_{segment}"
    row = connection.execute(
        "select 1 from information_schema.tables"
        " where table_schema = 'segments' and table_name = ?",
        [name],
    ).fetchone()
    if row is None:
        raise UsageError(f"There is no published segment `{segment}`.", "See `regulars plan`.")
    members = members_of(connection, segment, by_earlier_code=by_earlier_code)
    if only is None:
        return members
    ids = pa.table({"customer_id": pa.array(sorted(only), pa.string())})
    connection.register("those_asked", ids)
    return f"(from {members} where customer_id in (select customer_id from those_asked))"


def _known_traits(connection: duckdb.DuckDBPyConnection, traits: tuple[str, ...]) -> str:
    rows = connection.execute(
        "select column_name from information_schema.columns"
        " where table_schema = 'marts' and table_name = 'dim_customers'"
    ).fetchall()
    known = {row[0] for row in rows}
    for trait in traits:
        if trait not in known:
            raise UsageError(
                f"`{trait}` is no column of marts.dim_customers.",
                "Mend the destination's `columns` in regulars.toml.",
            )
    for trait in _sensitive(connection, traits):
        raise UsageError(
            f"`{trait}` is a sensitive trait and goes to no destination.",
            "Take it out of the destination's `columns` in regulars.toml.",
        )
    return "".join(f', customers."{trait}"' for trait in traits)


def _sensitive(connection: duckdb.DuckDBPyConnection, traits: tuple[str, ...]) -> list[str]:
    """Those that `marts.customer_traits` knows as sensitive, whatever else is called so."""
    if not has_table(connection, "marts", "customer_traits"):
        return []
    rows = connection.execute(
        "select distinct trait from marts.customer_traits"
        " where sensitivity = 'sensitive' and list_contains($traits, trait) order by all",
        {"traits": list(traits)},
    ).fetchall()
    return [str(row[0]) for row in rows]


def _only(connection: duckdb.DuckDBPyConnection, target: Target, relevant: Iterable[Key]) -> str:
    """The condition for addresses of the channel, the target's ids and the identifiers given."""
    _register(connection, "relevant", relevant)
    types_sent = (*ADDRESS_TYPES[target.channel], *target.ids)
    kinds = ", ".join(f"'{kind}'" for kind in types_sent)
    return (
        f"(identifier_type in ({kinds}) or (identifier_type, identifier_value)"
        " in (select (identifier_type, identifier_value) from relevant))"
    )


def identifiers_of(
    connection: duckdb.DuckDBPyConnection, people: str, those: str = "true"
) -> dict[str, list[Identifier]]:
    """The identifiers of the people that a query names, those that a condition lets through."""
    rows = connection.execute(
        f"""
        select customer_id, identifier_type, identifier_value, coalesce(evidence_grade, ''),
            coalesce(is_primary, false), coalesce(is_dormant, false),
            coalesce(epoch_us(last_seen_at), 0)
        from marts.bridge_customer_identifiers
        where customer_id in ({people}) and {those}
        """
    ).fetchall()
    identifiers: dict[str, list[Identifier]] = {}
    for customer_id, *facts in rows:
        identifiers.setdefault(customer_id, []).append(Identifier(*facts))
    return identifiers


def aliases_of(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Every id that was merged away, with the id that lives now."""
    exists = connection.execute(
        "select 1 from information_schema.tables"
        " where table_schema = 'marts' and table_name = 'customer_aliases'"
    ).fetchone()
    if exists is None:
        return {}
    pairs: list[tuple[str, str]] = connection.execute(
        "select alias_id, customer_id from marts.customer_aliases"
    ).fetchall()
    direct = dict(pairs)
    return {alias: _survivor(alias, direct) for alias in direct}


def _survivor(alias: str, direct: dict[str, str]) -> str:
    seen = {alias}
    current = alias
    while (following := direct.get(current)) is not None and following not in seen:
        seen.add(following)
        current = following
    return current


def _permitted(
    level: str | None, target: Target, names: tuple[str, ...], row: Sequence[Any]
) -> dict[str, Any]:
    withheld = set(target.traits) - permitted_traits(level, target.traits)
    return {
        name: None if name in withheld else _json_value(value)
        for name, value in zip(names, row, strict=True)
    }


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
