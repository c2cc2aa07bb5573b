"""The facts of one day's decision, and its answer for everybody or for some.

Belongs here: reading wishes and people from a published file or candidate, the ledger and the facts
of permission from the store, and asking the rule. Does not belong here: the rule (decision.py), who
is held out (holdouts.py), writing rows (contact_tables.py), sending.

Data flow: marts.dim_segments, dim_contact_rules, fct_segment_memberships, dim_customers, ... and
segments.seg_* of the file; deliveries, outbox, audience_states, consent_events and suppressions of
the store -> rows per person and class, and a verdict per person and segment.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, or_, select

from ingestion.config import Settings
from ingestion.duckdb import has_column, has_table
from ingestion.errors import RegularsError
from ingestion.vocabulary import FIRST_ACTIVATIONS
from orchestration.activation import holdouts, quiet_hours
from orchestration.activation.decision import (
    ENDS_OF_STAYS,
    GLOBAL,
    WAITS,
    WEEK,
    ContactDecision,
    Limits,
    Moment,
    Past,
    Person,
    SegmentRules,
    Verdict,
    Wish,
    decide_day,
)
from orchestration.activation.first_activation import ALWAYS, baseline_until, baselines
from orchestration.activation.gate import (
    TRANSACTIONAL,
    Decision,
    Identifier,
    Key,
    PermissionState,
    Policy,
    decide,
    load_all_states,
    load_states,
    reads_all_facts,
)
from orchestration.activation.people import Target, aliases_of, identifiers_of, targets_in
from orchestration.activation.quiet_hours import Place, Shop
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import from_micros, to_micros
from orchestration.published.reader import open_published
from orchestration.published.segment_code import members_of

_MINUTE = 60_000_000
_DAY = 24 * 60 * _MINUTE
_ALL_ROWS = 5_000  # people from which reading the whole ledger is faster than looking theirs up
_LOOKUP = 900
ADDED = "added"
IN_DOUBT = ("sending", "accepted", "unknown")  # rows that may have arrived: nobody said so


@dataclass(frozen=True)
class Judged:
    """What the day comes to: rows in the order of person and class, and the verdicts by segment."""

    rows: tuple[ContactDecision, ...]
    verdicts: Mapping[str, Mapping[str, Verdict]]


@dataclass(frozen=True)
class Rules:
    """What the file says of segments and limits. `holdout_shares`: by segment, and the global."""

    segments: Mapping[str, SegmentRules]
    limits: Limits
    shop: Shop
    holdout_shares: Mapping[str, float]
    holdout_salt: str


@dataclass
class ContactDay:
    """Wishes and people of one published file, to be judged at any moment, as often as asked.

    `pairs`: where the shop sends segments, which says whose first activation is to come.
    `is_by_earlier_code`: whether members are those that the segments' earlier code makes. `only`:
    whom it knows of, where that is not everybody.
    """

    rules: Rules
    as_of: datetime
    wishes: dict[str, list[Wish]] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    identifiers: dict[str, list[Identifier]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    pairs: tuple[Target, ...] = ()
    is_by_earlier_code: bool = False
    only: frozenset[str] | None = None

    def judge(
        self,
        store: Connection,
        at: datetime,
        *,
        only: Collection[str] | None = None,
        double_opt_in: bool = False,
        batch: tuple[str, int] | None = None,
        permitted: Mapping[tuple[str, str], Mapping[str, Decision]] = MappingProxyType({}),
    ) -> Judged:
        """The day's answer at the moment `at`, for everybody or for `only` these people.

        `batch`: sync run and number of the rows it is asked for, which are no contact of the past.
        `permitted`: by channel and purpose the gate's answers of this very moment about all these
        people, where it was asked already.

        Raises:
            StoreError: the permission facts cannot be read; nothing may be sent.
        """
        chosen = self.wishes.keys() if only is None else self.wishes.keys() & set(only)
        people = sorted(chosen)
        moment = self._moment(at)
        states = self._states(
            store, people, moment.at, double_opt_in=double_opt_in, but=permitted.keys()
        )
        segments = self._segments(store)
        lists = {name for name, rules in segments.items() if rules.is_exclusion}
        pasts = _pasts(store, people, self.aliases, self.splits, moment, batch, lists)
        rows: list[ContactDecision] = []
        verdicts = {}
        opens_at: dict[tuple[str, Place], int | None] = {}
        for customer_id in people:
            decisions, verdicts[customer_id] = decide_day(
                self.people[customer_id],
                self.wishes[customer_id],
                segments,
                pasts.get(customer_id, _NO_PAST),
                self.rules.limits,
                moment,
                _permit(
                    self.identifiers.get(customer_id, []),
                    states,
                    {pair: answers[customer_id] for pair, answers in permitted.items()},
                    double_opt_in=double_opt_in,
                ),
                partial(self._opens, opens_at, self.places[customer_id]),
            )
            rows += decisions
        return Judged(tuple(rows), verdicts)

    def stays(self, segment: str) -> dict[str, int]:
        """Since when each member has been in a segment, microseconds."""
        return {
            customer_id: wish.entered_at
            for customer_id, wishes in self.wishes.items()
            for wish in wishes
            if wish.segment == segment
        }

    def baseline_members(
        self, store: Connection, target: Target, people: Collection[str]
    ) -> frozenset[str]:
        """Who of these was a member when the pair was first synced; who stands there is too."""
        until = baseline_until(store, target, self._words(), self.as_of)
        if until == ALWAYS:
            return frozenset()
        return frozenset(
            customer_id
            for customer_id in people
            for wish in self.wishes.get(customer_id, ())
            if wish.segment == target.segment and wish.entered_at <= until
        )

    def _words(self) -> dict[str, str]:
        """What each segment's file says of a first activation."""
        return {name: each.first_activation for name, each in self.rules.segments.items()}

    def _segments(self, store: Connection) -> dict[str, SegmentRules]:
        """What the file says of segments, with the baselines that the store knows of."""
        baselines_by_segment = baselines(store, self._words(), self.pairs, self.as_of)
        return {
            name: replace(each, baseline_until=baselines_by_segment.get(name, {}))
            for name, each in self.rules.segments.items()
        }

    def _moment(self, at: datetime) -> Moment:
        day = quiet_hours.day_of(at, self.rules.shop.timezone)
        start, end = quiet_hours.day_bounds(day, self.rules.shop.timezone)
        return Moment(to_micros(at), day, to_micros(start), to_micros(end))

    def _opens(
        self, known: dict[tuple[str, Place], int | None], place: Place, channel: str, at: int
    ) -> int | None:
        """The first allowed moment, worked out once per channel and place."""
        key = (channel, place)
        if key not in known:
            allowed = quiet_hours.allowed_from(channel, place, self.rules.shop, from_micros(at))
            known[key] = None if allowed is None else to_micros(allowed)
        return known[key]

    def _states(
        self,
        store: Connection,
        people: Collection[str],
        at: int,
        *,
        double_opt_in: bool,
        but: Collection[tuple[str, str]],
    ) -> dict[tuple[str, str], dict[Key, PermissionState]]:
        """What the store knows of these people's identifiers, per channel and purpose, `but`
        these."""
        asking = {wish.segment for customer_id in people for wish in self.wishes[customer_id]}
        pairs = {
            (channel, self.rules.segments[segment].asked_purpose)
            for segment in asking
            for channel in self.rules.segments[segment].channels
        }
        policies = [Policy(*pair, double_opt_in) for pair in sorted(pairs - set(but))]
        if reads_all_facts(store, len(people)):
            return {(p.channel, p.purpose): load_all_states(store, p, at) for p in policies}
        keys = {
            identifier.key
            for customer_id in people
            for identifier in self.identifiers.get(customer_id, [])
        }
        return {(p.channel, p.purpose): load_states(store, keys, p, at) for p in policies}


def read_contact_day(
    home: Home,
    only: Collection[str] | None = None,
    *,
    settings: Settings | None = None,
    by_earlier_code: bool = False,
) -> ContactDay:
    """What the decision needs of the published file, for these people or for everybody.

    Args:
        home: whose published file is read.
        only: these people; None is everybody.
        settings: where the shop sends what.
        by_earlier_code: whether the segments have the members that their earlier code makes.

    Raises:
        RegularsError: nothing is published, or by an earlier version.
    """
    with open_published(home) as connection:
        row = connection.execute("select as_of from ops.build").fetchone()
        assert row is not None  # noqa: S101 - a published file says which build it is
        pairs = targets_in(connection, settings) if settings else []
        return load_contact_day(
            connection, row[0], only=only, pairs=pairs, by_earlier_code=by_earlier_code
        )


def load_rules(connection: duckdb.DuckDBPyConnection) -> Rules:
    """What the file says of segments and limits.

    Raises:
        RegularsError: the file is of an earlier version, which did not say so.
    """
    if not has_table(connection, "marts", "dim_contact_rules"):
        raise RegularsError(
            "The published file does not say how often people may be contacted.",
            "It is of an earlier version: run `regulars run` once.",
        )
    # A file of an earlier version does not say these two.
    says_support = has_column(connection, "marts", "dim_contact_rules", "support_quiet_days")
    support = "support_quiet_days" if says_support else "null"
    row = connection.execute(
        "select contacts_per_day, contacts_per_week, just_bought_days, quiet_time_days,"
        " holdout_share, holdout_salt, shop_timezone, default_country,"
        f" {support} from marts.dim_contact_rules"
    ).fetchone()
    assert row is not None  # noqa: S101 - the model has one row
    per_day, per_week, bought, quiet, share, salt, timezone, country, after_support = row
    segments = {}
    everybody = _everybody(connection)
    shares = {GLOBAL: float(share or 0)}
    says_first = has_column(connection, "marts", "dim_segments", "first_activation")
    first = "first_activation" if says_first else "null"
    says_exclusion = has_column(connection, "marts", "dim_segments", "is_exclusion")
    exclusion = "is_exclusion" if says_exclusion else "false"
    for each in connection.execute(
        "select segment, channels, purpose, message_kind, priority, level, delay_minutes,"
        f" not_after_minutes, cooldown_days, exit_on, holdout_share, plain_context, {first},"
        f" {exclusion}"
        " from marts.dim_segments order by segment"
    ).fetchall():
        segment, channels, purpose, kind, priority, level, delay, not_after, cooldown = each[:9]
        segments[segment] = SegmentRules(
            name=segment,
            channels=tuple(json.loads(channels)),
            purpose=purpose,
            message_kind=kind,
            priority=priority,
            level=level,
            has_plain=each[11] is not None,
            delay=delay * _MINUTE,
            not_after=None if not_after is None else not_after * _MINUTE,
            cooldown=cooldown * _DAY,
            exit_on=tuple(json.loads(each[9])),
            everybody_on=frozenset(everybody[segment]),
            first_activation=each[12] or FIRST_ACTIVATIONS[0],
            is_exclusion=each[13],
        )
        shares[segment] = float(each[10])
    held = _promotions_from(connection, timezone)
    limits = Limits(per_day, per_week, bought * _DAY, quiet * _DAY, promotions_from=held)
    if after_support is not None:
        limits = replace(limits, support_quiet_time=after_support * _DAY)
    return Rules(segments, limits, Shop(timezone, country), shares, salt)


def _everybody(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """Segments that hold nearly everybody without saying so, each with the channels."""
    channels: dict[str, list[str]] = defaultdict(list)
    if has_table(connection, "marts", "rpt_segment_reach"):
        for segment, channel in connection.execute(
            "select segment, channel from marts.rpt_segment_reach where is_everybody"
        ).fetchall():
            channels[segment].append(channel)
    return channels


def _promotions_from(connection: duckdb.DuckDBPyConnection, timezone: str) -> int | None:
    """When promotions by email may go out again, as far as complaints ever held any sender's.

    Which sender an audience's messages will leave by is not known here, so the last one counts.
    """
    if not has_table(connection, "marts", "rpt_complaint_rates"):
        return None
    row = connection.execute("select max(held_until) from marts.rpt_complaint_rates").fetchone()
    if row is None or row[0] is None:
        return None
    return to_micros(quiet_hours.day_bounds(row[0], timezone)[0])


def load_contact_day(
    connection: duckdb.DuckDBPyConnection,
    as_of: datetime,
    *,
    only: Collection[str] | None = None,
    held_out: Mapping[str, Iterable[str]] | None = None,
    pairs: Iterable[Target] = (),
    by_earlier_code: bool = False,
) -> ContactDay:
    """Everything that the decision needs of a published file or candidate.

    Args:
        connection: the file, opened.
        as_of: the moment that the file describes.
        only: these people; None is everybody.
        held_out: holdouts by person, where the file does not have them yet.
        pairs: where the shop sends what.
        by_earlier_code: whether the segments have the members that their earlier code makes.
    """
    rules = load_rules(connection)
    aliases = aliases_of(connection)
    splits = _split_off(connection, aliases)
    day = ContactDay(
        *(rules, as_of),
        aliases=aliases,
        splits=splits,
        pairs=tuple(pairs),
        is_by_earlier_code=by_earlier_code,
        only=None if only is None else frozenset(only),
    )
    _register_wishes(connection, rules, only, by_earlier_code=by_earlier_code)
    for customer_id, segment, entered_at, exit_reason, bought_at in connection.execute(
        _WISHES, {"bought_since": from_micros(to_micros(as_of) - rules.limits.just_bought)}
    ).fetchall():
        ended_by = None if exit_reason is None else ENDS_OF_STAYS[exit_reason]
        wish = Wish(segment, entered_at, bought_at, ended_by)
        day.wishes.setdefault(customer_id, []).append(wish)
    _begin_as_before(connection, day)
    done = _last_done(connection, rules)
    out = _held_out(connection) if held_out is None else held_out
    for row in connection.execute(_people_query(connection)).fetchall():
        customer_id, country, region, level, ordered_at, preferred, measured, asked = row
        day.people[customer_id] = Person(
            customer_id,
            level or "segment",
            ordered_at,
            preferred,
            measured,
            frozenset(out.get(customer_id, ())),
            done.get(customer_id, {}),
            asked,
        )
        day.places[customer_id] = Place(country or "", region or "")
    for customer_id in day.wishes.keys() - day.people.keys():
        day.people[customer_id] = Person(customer_id)
        day.places[customer_id] = Place()
    day.identifiers = identifiers_of(connection, "select customer_id from wishes")
    return day


def held_out_people(
    connection: duckdb.DuckDBPyConnection, rules: Rules
) -> Iterator[tuple[str, str, bool]]:
    """Every known person with each holdout there is: person, holdout, whether held out."""
    holdouts_there = {each: share for each, share in rules.holdout_shares.items() if share > 0}
    if not holdouts_there:
        return
    split_from = dict(_splits(connection))
    people = connection.execute(
        "select customer_id from marts.dim_customers where is_known order by customer_id"
    ).fetchall()
    for (customer_id,) in people:
        origin = holdouts.origin_of(customer_id, split_from)
        for holdout, share in sorted(holdouts_there.items()):
            is_out = holdouts.is_held_out(origin, holdout, share, rules.holdout_salt)
            yield customer_id, holdout, is_out


_NO_PAST = Past()


def _permit(
    identifiers: list[Identifier],
    states: Mapping[tuple[str, str], Mapping[Key, PermissionState]],
    known: dict[tuple[str, str], Decision],
    *,
    double_opt_in: bool,
) -> partial[Decision]:
    return partial(_permission, identifiers, states, double_opt_in, known)


def _permission(
    identifiers: list[Identifier],
    states: Mapping[tuple[str, str], Mapping[Key, PermissionState]],
    double_opt_in: bool,
    known: dict[tuple[str, str], Decision],
    channel: str,
    purpose: str,
) -> Decision:
    """The gate's answer, asked once per channel and purpose."""
    pair = (channel, purpose)
    if pair not in known:
        policy = Policy(channel, purpose, double_opt_in)
        known[pair] = decide(identifiers, states[pair], policy)
    return known[pair]


def _register_wishes(
    connection: duckdb.DuckDBPyConnection,
    rules: Rules,
    only: Collection[str] | None,
    *,
    by_earlier_code: bool,
) -> None:
    """Current members of the segments there are, each with the product its context offers."""
    asked = ""
    if only is not None:
        ids = pa.table({"customer_id": pa.array(sorted(only), pa.string())})
        connection.register("asked", ids)
        asked = "where customer_id in (select customer_id from asked)"
    # In a file of an earlier version every stay lasts as long as its conditions hold.
    exit_reason, is_current = "null::varchar", "stays.exited_at is null"
    if has_column(connection, "marts", "fct_segment_memberships", "exit_reason"):
        exit_reason, is_current = "stays.exit_reason", "stays.is_current"
    parts = [
        f"select '{segment}' as segment, customer_id, context"
        f" from {members_of(connection, segment, by_earlier_code=by_earlier_code)} {asked}"
        for segment in rules.segments
    ] or [_NOBODY]
    connection.execute(
        f"""
        create or replace temp table wishes as
        select
            members.segment,
            members.customer_id,
            coalesce(epoch_us(stays.entered_at), 0) as entered_at,
            {exit_reason} as exit_reason,
            members.context ->> '$.product_id' as product_id,
            members.context ->> '$.sku' as sku
        from ({" union all ".join(parts)}) as members
        left join marts.fct_segment_memberships as stays
            on members.segment = stays.segment
            and members.customer_id = stays.customer_id
            and {is_current}
        """
    )
    if only is not None:
        connection.unregister("asked")


_NOBODY = (
    "select null::varchar as segment, null::varchar as customer_id, null::varchar as context"
    " where false"
)
_WISHES = """
    with bought as (
        select orders.customer_id, lines.product_id, lines.sku, products.substitute_group,
            orders.ordered_at
        from marts.fct_orders as orders
        inner join marts.fct_order_lines as lines
            on orders.order_id = lines.order_id and orders.order_source = lines.order_source
        left join marts.dim_products as products on lines.product_id = products.product_id
        where orders.is_kept and orders.ordered_at > $bought_since
            and orders.customer_id in (select customer_id from wishes)
    ),
    offered as (
        select wishes.customer_id, wishes.segment, wishes.product_id, wishes.sku,
            products.substitute_group
        from wishes
        left join marts.dim_products as products on wishes.product_id = products.product_id
        where coalesce(wishes.product_id, wishes.sku) is not null
    ),
    just_bought as (
        select offered.customer_id, offered.segment, max(epoch_us(bought.ordered_at)) as bought_at
        from offered
        inner join bought
            on offered.customer_id = bought.customer_id
            and (
                offered.product_id = bought.product_id
                or offered.sku = bought.sku
                or offered.substitute_group = bought.substitute_group
            )
        group by all
    )
    select wishes.customer_id, wishes.segment, wishes.entered_at, wishes.exit_reason,
        just_bought.bought_at
    from wishes
    left join just_bought
        on wishes.customer_id = just_bought.customer_id
        and wishes.segment = just_bought.segment
    order by wishes.customer_id, wishes.segment
"""


def _people_query(connection: duckdb.DuckDBPyConnection) -> str:
    preferred = "null::varchar"
    if has_table(connection, "marts", "customer_preferences"):
        preferred = """(
            select preferences.preferred_channel from marts.customer_preferences as preferences
            where preferences.customer_id = customers.customer_id
        )"""
    measured = "null::varchar"
    if has_table(connection, "marts", "customer_channel_preferences"):
        measured = """(
            select arg_min(measured.channel, measured.rank)
            from marts.customer_channel_preferences as measured
            where measured.customer_id = customers.customer_id and measured.basis = 'measured'
        )"""
    region = "null::varchar"  # in a file of an earlier version
    if has_column(connection, "marts", "dim_customers", "region"):
        region = "customers.region"
    asked = "null::bigint"
    if has_table(connection, "marts", "customer_engagement"):
        asked = """(
            select epoch_us(greatest(engagement.last_complaint_at, engagement.last_support_at))
            from marts.customer_engagement as engagement
            where engagement.customer_id = customers.customer_id
        )"""
    return f"""
        select customers.customer_id, customers.country_code, {region} as region, levels.level,
            orders.ordered_at, {preferred} as preferred_channel, {measured} as measured_channel,
            {asked} as asked_at
        from marts.dim_customers as customers
        left join marts.customer_personalisation as levels
            on customers.customer_id = levels.customer_id
        left join (
            select customer_id, max(epoch_us(ordered_at)) as ordered_at
            from marts.fct_orders
            where is_kept
            group by customer_id
        ) as orders on customers.customer_id = orders.customer_id
        where customers.customer_id in (select customer_id from wishes)
    """


def _last_done(connection: duckdb.DuckDBPyConnection, rules: Rules) -> dict[str, dict[str, int]]:
    """When people last did what ends the wish of some segment."""
    kinds = sorted({kind for each in rules.segments.values() for kind in each.exit_on})
    done: dict[str, dict[str, int]] = defaultdict(dict)
    if kinds:
        for customer_id, kind, at in connection.execute(
            "select customer_id, kind, max(epoch_us(occurred_at)) from marts.fct_interactions"
            " where list_contains($kinds, kind)"
            " and customer_id in (select customer_id from wishes) group by all",
            {"kinds": kinds},
        ).fetchall():
            done[customer_id][kind] = at
    return done


def _held_out(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    holdouts: dict[str, list[str]] = defaultdict(list)
    for customer_id, holdout in connection.execute(
        "select customer_id, holdout from activity.fct_holdouts"
        " where is_held_out and customer_id in (select customer_id from wishes)"
    ).fetchall():
        holdouts[customer_id].append(holdout)
    return holdouts


def _begin_as_before(connection: duckdb.DuckDBPyConnection, day: ContactDay) -> None:
    """Let the wishes of whoever was split off begin when the member that they were joined."""
    heirs = day.splits.keys() & day.wishes.keys()
    if not heirs:
        return
    earlier = {each for heir in heirs for each in day.splits[heir]}
    stays: dict[tuple[str, str], list[tuple[int, int | None]]] = defaultdict(list)
    for segment, customer_id, entered_at, exited_at in connection.execute(
        "select segment, customer_id, epoch_us(entered_at), epoch_us(exited_at)"
        " from marts.fct_segment_memberships where list_contains($ids, customer_id)",
        {"ids": sorted(earlier)},
    ).fetchall():
        stays[segment, customer_id].append((entered_at, exited_at))
    for heir in heirs:
        day.wishes[heir] = [
            replace(wish, entered_at=_since(wish, day.splits[heir], stays))
            for wish in day.wishes[heir]
        ]


def _since(
    wish: Wish,
    before: Mapping[str, int],
    stays: Mapping[tuple[str, str], Collection[tuple[int, int | None]]],
) -> int:
    """Since when a member was one, also under the ids of before that had the same stay."""
    same = (
        entered_at
        for earlier, until in before.items()
        for entered_at, exited_at in stays.get((wish.segment, earlier), ())
        if wish.entered_at <= until and (exited_at is None or exited_at >= wish.entered_at)
    )
    return min((wish.entered_at, *same))


def _splits(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """Ids that a split gave birth to, each with the id it was part of."""
    rows: list[tuple[str, str]] = connection.execute(
        """
        select splits.customer_id, min(splits.previous_customer_id)
        from marts.fct_identity_changes as splits
        inner join marts.fct_identity_changes as births
            on splits.customer_id = births.customer_id
            and splits.recorded_at = births.recorded_at
        where splits.change_type = 'split' and births.change_type = 'created'
            and splits.previous_customer_id <> splits.customer_id
        group by splits.customer_id
        """
    ).fetchall()
    return rows


def _split_off(
    connection: duckdb.DuckDBPyConnection, aliases: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """Per id that identifiers were split off to: the ids they had before, each with until when.

    A split is known to senders when its run has published, so what left within a day of it counts.
    """
    if not has_table(connection, "marts", "fct_identity_changes"):
        return {}
    rows = connection.execute(
        "select customer_id, previous_customer_id, max(epoch_us(recorded_at))"
        " from marts.fct_identity_changes"
        " where change_type = 'split' and previous_customer_id <> customer_id group by all"
    ).fetchall()
    before: dict[str, dict[str, int]] = defaultdict(dict)
    for customer_id, previous, recorded_at in rows:
        before[customer_id][previous] = recorded_at + _DAY
    if not before:
        return {}
    merged: dict[str, list[str]] = defaultdict(list)
    for old, survivor in aliases.items():
        merged[survivor].append(old)
    return {customer_id: _followed(customer_id, before, merged) for customer_id in before}


def _followed(
    customer_id: str,
    before: Mapping[str, Mapping[str, int]],
    merged: Mapping[str, Collection[str]],
) -> dict[str, int]:
    """All earlier ids of one id, through splits of splits and what was merged before them."""
    until_by_id: dict[str, int] = {}
    ahead = list(before[customer_id].items())
    while ahead:
        earlier, until = ahead.pop()
        if earlier == customer_id or until_by_id.get(earlier, -1) >= until:
            continue
        until_by_id[earlier] = until
        ahead += [(each, min(until, at)) for each, at in before.get(earlier, {}).items()]
        ahead += [(old, until) for old in merged.get(earlier, ())]
    return until_by_id


def _pasts(
    store: Connection,
    people: Collection[str],
    aliases: Mapping[str, str],
    splits: Mapping[str, Mapping[str, int]],
    now: Moment,
    batch: tuple[str, int] | None,
    exclusions: Collection[str],
) -> dict[str, Past]:
    """What the ledger knows of these people; what went out under a merged id is the survivor's.

    What went out before a split is the past of both people; only one of them stands in audiences.
    Being put on a list of `exclusions` is no contact.
    """
    at, wanted = now.at, set(people)
    heirs: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for heir in wanted & splits.keys():
        for earlier, until in splits[heir].items():
            heirs[earlier].append((heir, until))
    formerly = [old for old, survivor in aliases.items() if survivor in wanted]
    formerly += [earlier for earlier in heirs if earlier not in wanted]
    ids = None if len(people) > _ALL_ROWS else [*people, *formerly]
    standing: dict[str, set[str]] = defaultdict(set)
    contacts: dict[str, set[tuple[str, str, int]]] = defaultdict(set)
    last: dict[str, dict[str, int]] = defaultdict(dict)
    for customer_id, segment in _standing(store, ids):
        standing[aliases.get(customer_id, customer_id)].add(segment)
    for customer_id, segment, is_marketing, moment, is_in_doubt in _contacts(store, ids, at, batch):
        survivor = aliases.get(customer_id, customer_id)
        if is_in_doubt:
            standing[survivor].add(segment)
        heir_ids = (heir for heir, until in heirs.get(customer_id, ()) if moment <= until)
        for whose in {survivor, *heir_ids}:
            last[whose][segment] = max(moment, last[whose].get(segment, moment))
            if is_marketing and segment not in exclusions and moment > at - WEEK:
                contacts[whose].add((customer_id, segment, moment))
    return {
        customer_id: Past(
            frozenset(standing.get(customer_id, ())),
            tuple(sorted(_once_a_day(contacts.get(customer_id, ()), now.day_start))),
            last.get(customer_id, {}),
        )
        for customer_id in standing.keys() | last.keys()
        if customer_id in wanted
    }


def _once_a_day(contacts: Iterable[tuple[str, str, int]], day_start: int) -> list[tuple[str, int]]:
    """One sync to several destinations at about one time is one contact of the id by the segment.

    Ids that became one person later were contacted one by one. What went on after midnight is a
    contact of yesterday and of today.
    """
    kept: list[tuple[str, str, int]] = []
    for contact in sorted(contacts):
        is_same = kept and kept[-1][:2] == contact[:2] and contact[2] - kept[-1][2] < _DAY // 2
        if is_same and not kept[-1][2] < day_start <= contact[2]:
            continue
        kept.append(contact)
    return [(segment, moment) for _, segment, moment in kept]


def _standing(store: Connection, ids: list[str] | None) -> Iterator[tuple[str, str]]:
    table = schema.audience_states.c
    query = select(table.customer_id, table.segment).where(table.is_member.is_(True))
    for part in _parts(ids):
        narrowed = query if part is None else query.where(table.customer_id.in_(part))
        yield from store.execute(narrowed).tuples()


def _contacts(
    store: Connection, ids: list[str] | None, at: int, batch: tuple[str, int] | None
) -> Iterator[tuple[str, str, bool, int, bool]]:
    """Additions that arrived or may have: person, segment, whether marketing, moment, in doubt.

    Those of the week ahead count too: a clock that went back undoes no contact. Whatever was tried
    may have arrived, as after a kill; the rows of `batch` are those it is asked for.
    """
    ledger, rows = schema.deliveries.c, schema.outbox.c
    arrived = select(
        ledger.customer_id, ledger.segment, ledger.purpose, ledger.channel, ledger.delivered_at
    ).where(ledger.operation == ADDED, ledger.delivered_at <= at + WEEK)
    doubtful = select(
        rows.customer_id, rows.segment, rows.purpose, rows.channel, rows.updated_at
    ).where(
        rows.operation == ADDED,
        or_(
            rows.state.in_(IN_DOUBT),
            (rows.state == "pending") & or_(rows.attempts > 0, rows.in_doubt.is_(True)),
            (rows.state == "dead") & rows.in_doubt.is_(True),
        ),
    )
    if batch is not None:
        doubtful = doubtful.where(or_(rows.sync_run_id != batch[0], rows.batch != batch[1]))
    for query, table in ((arrived, ledger), (doubtful, rows)):
        for part in _parts(ids):
            narrowed = query if part is None else query.where(table.customer_id.in_(part))
            for row in store.execute(narrowed):
                is_marketing = row.purpose != TRANSACTIONAL and row.channel != WAITS
                yield row[0], row[1], is_marketing, row[4], query is doubtful


def _parts(ids: list[str] | None) -> Iterator[list[str] | None]:
    if ids is None:
        yield None
        return
    for start in range(0, len(ids), _LOOKUP):
        yield ids[start : start + _LOOKUP]
