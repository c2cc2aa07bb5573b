"""Stays in segments: how they begin, what ends them and when the next may begin.

Belongs here: `int_segment_stays` run on handmade tables, day by day as runs and commits follow each
other. Does not belong here: the words of the entry (tests/dbt/marts/test_golden.py), the store
(tests/orchestration/ops/test_commit.py).
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ingestion.duckdb import dicts
from ingestion.errors import UsageError
from orchestration.segments.files import check_segment_texts
from orchestration.segments.rendering import DBT_PROJECT, Project

MODEL = DBT_PROJECT / "models/intermediate/segments/int_segment_stays.sql"
START = dt.datetime(2026, 3, 1, 6)
STORE = (
    "segment varchar, customer_id varchar, entered_at timestamp, exited_at timestamp,"
    " left_at timestamp, programme varchar, entry_reason varchar, exit_reason varchar, goal varchar"
)
COLUMNS = [column.split()[0] for column in STORE.split(", ")]
SEGMENT = "cart"
WRITTEN = f"timestamp '{START:%Y-%m-%d %H:%M:%S.%f}'"
Row = dict[str, Any]


def day(number: float) -> dt.datetime:
    return START + dt.timedelta(days=number)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        for table, columns in (
            ("stg_ops__segment_memberships", STORE),
            ("seg_cart", "customer_id varchar"),
            ("customer_aliases", "alias_id varchar, customer_id varchar, merged_at timestamp"),
            (
                "dim_segments",
                "segment varchar, programme varchar, not_after_minutes integer,"
                " cooldown_days integer",
            ),
            ("fct_interactions", "customer_id varchar, kind varchar, occurred_at timestamp"),
        ):
            opened.execute(f"create table {table} ({columns})")
        yield opened


@cache
def rendered(exit_on: tuple[str, ...]) -> str:
    """The model as of START."""
    project = Project({"segments": [SEGMENT]}, START)
    meta = {"segment": {"exit_on": list(exit_on)}}
    project.nodes = {f"model.regulars.seg_{SEGMENT}": {"config": {"meta": meta}}}
    sql = project.render_file(MODEL)
    assert WRITTEN in sql
    return sql


@dataclass
class History:
    """A shop whose runs follow each other; `stays` is what the store has after the last one."""

    connection: duckdb.DuckDBPyConnection
    exit_on: tuple[str, ...] = ("order", "review")
    not_after_days: int | None = None
    cooldown_days: int = 0
    events: list[tuple[str, str, dt.datetime]] = field(default_factory=list)
    aliases: dict[str, tuple[str, dt.datetime]] = field(default_factory=dict)
    stays: list[Row] = field(default_factory=list)

    def run(self, number: float, *members: str) -> list[Row]:
        """One run on a day with these members, and its commit."""
        as_of = day(number)
        self._fill(as_of, members)
        sql = rendered(self.exit_on).replace(WRITTEN, f"timestamp '{as_of}'")
        rows = dicts(self.connection.execute(f"from ({sql}) order by customer_id, entered_at"))
        for row in rows:
            if row["entered_at"] == as_of:
                row["entry_reason"] = f"day {number}"
        later = [row for row in self.stays if row["entered_at"] > as_of]
        self.stays = [*rows, *later]
        return rows

    def of(self, customer_id: str) -> list[tuple[Any, ...]]:
        """Days of entry and exit, why and by which goal."""
        return [
            (
                _number(row["entered_at"]),
                None if row["exited_at"] is None else _number(row["exited_at"]),
                row["exit_reason"],
                row["goal"],
            )
            for row in self.stays
            if row["customer_id"] == customer_id
        ]

    def _fill(self, as_of: dt.datetime, members: tuple[str, ...]) -> None:
        known = [event for event in self.events if event[2] <= as_of]
        rows: Mapping[str, list[tuple[Any, ...]]] = {
            "stg_ops__segment_memberships": [
                tuple(row[column] for column in COLUMNS) for row in self.stays
            ],
            "seg_cart": [(each,) for each in members],
            "customer_aliases": [
                (alias, into, at) for alias, (into, at) in self.aliases.items() if at <= as_of
            ],
            "dim_segments": [
                (
                    *(SEGMENT, "carts"),
                    None if self.not_after_days is None else self.not_after_days * 1440,
                    self.cooldown_days,
                )
            ],
            "fct_interactions": [(self.who(person, as_of), kind, at) for person, kind, at in known],
        }
        for table, values in rows.items():
            self.connection.execute(f"delete from {table}")
            if values:
                columns = [pa.array(each) for each in zip(*values, strict=True)]
                self.connection.register(
                    "given", pa.table(columns, names=list(map(str, range(len(columns)))))
                )
                self.connection.execute(f"insert into {table} from given")

    def who(self, person: str, as_of: dt.datetime) -> str:
        into, at = self.aliases.get(person, (person, as_of))
        return into if at <= as_of else person


def _number(at: dt.datetime) -> float:
    return (at - START) / dt.timedelta(days=1)


@pytest.fixture
def history(connection: duckdb.DuckDBPyConnection) -> History:
    return History(connection)


def test_a_stay_ends_when_the_conditions_hold_no_more(history: History) -> None:
    for number, members in enumerate([["ann"], ["ann"], [], ["ann"]]):
        history.run(number, *members)
    assert history.of("ann") == [(0, 2, "condition", None), (3, None, None, None)]
    assert {row["programme"] for row in history.stays} == {"carts"}
    assert [row["entry_reason"] for row in history.stays] == ["day 0", "day 3"]


def test_a_goal_ends_it_at_its_own_moment_and_one_before_the_entry_does_not(
    history: History,
) -> None:
    history.events = [
        ("ann", "order_placed", day(-1)),
        ("ann", "order_placed", day(0)),
        ("ann", "referral", day(0.5)),
        ("ann", "order_placed", day(1.5)),
    ]
    for number in range(3):
        history.run(number, "ann")
    assert history.of("ann") == [(0, 1.5, "goal_reached", "order")]
    assert [row["is_current"] for row in history.stays] == [True]


@pytest.mark.parametrize(
    ("kind", "goal"),
    [
        ("order_placed", "order"),
        ("referral", "referral"),
        ("review", "review"),
        ("product_reviewed", "review"),
        ("signed_up", "sign_up"),
        ("voucher_redeemed", "voucher"),
        ("support", "support"),
    ],
)
def test_each_goal_ends_a_stay(history: History, kind: str, goal: str) -> None:
    history.exit_on = (goal,)
    history.events = [("ann", kind, day(0.5)), ("bob", "visit", day(0.5))]
    history.run(0, "ann", "bob")
    history.run(1, "ann", "bob")
    assert history.of("ann") == [(0, 0.5, "goal_reached", goal)]
    assert history.of("bob") == [(0, None, None, None)]


def test_of_several_goals_the_first_ends_it_and_of_one_moment_the_first_by_name(
    history: History,
) -> None:
    history.events = [
        ("ann", "product_reviewed", day(0.3)),
        ("ann", "order_placed", day(0.2)),
        ("bob", "review", day(0.2)),
        ("bob", "order_placed", day(0.2)),
    ]
    history.run(0, "ann", "bob")
    history.run(1, "ann", "bob")
    assert history.of("ann") == history.of("bob") == [(0, 0.2, "goal_reached", "order")]


def test_without_a_cooldown_only_leaving_and_coming_back_begins_the_next(history: History) -> None:
    history.events = [("ann", "order_placed", day(0.5))]
    for number in range(1, 40):
        history.run(number - 1, "ann")
    assert history.of("ann") == [(0, 0.5, "goal_reached", "order")]
    history.run(40)
    history.run(41, "ann")
    assert history.of("ann") == [(0, 0.5, "goal_reached", "order"), (41, None, None, None)]


def test_after_the_cooldown_the_next_begins_and_not_before(history: History) -> None:
    history.cooldown_days = 3
    history.events = [("ann", "order_placed", day(0.5)), ("bob", "order_placed", day(0.5))]
    for number in range(5):
        history.run(number, *(["ann"] if number == 1 else ["ann", "bob"]))
    assert history.of("ann") == [(0, 0.5, "goal_reached", "order"), (4, None, None, None)]
    assert history.of("bob") == [
        (0, 0.5, "goal_reached", "order"),
        (2, 2, "cooldown", None),  # left on day 1, and came back too soon
        (4, None, None, None),
    ]


def test_not_after_ends_it_unless_a_goal_came_first(history: History) -> None:
    history.not_after_days = 2
    history.events = [("bob", "order_placed", day(2)), ("cyd", "order_placed", day(2.1))]
    for number in (0, 1, 3):
        history.run(number, "ann", "bob", "cyd")
    assert history.of("ann") == history.of("cyd") == [(0, 2, "not_after", None)]
    assert history.of("bob") == [(0, 2, "goal_reached", "order")]


def test_two_stays_of_one_person_after_a_merge_are_one(history: History) -> None:
    history.run(0, "old")
    history.run(1, "old", "ann")
    history.aliases["old"] = ("ann", day(2))
    history.run(2, "ann")
    assert history.of("ann") == [(0, None, None, None)]
    history.run(3)
    assert history.of("ann") == [(0, 3, "condition", None)]
    assert not history.of("old")


@pytest.mark.parametrize("members", [["old"], ["ann"], ["old", "ann"]])
def test_who_is_merged_into_no_member_leaves_by_the_merge(
    history: History, members: list[str]
) -> None:
    history.run(0, *members)
    history.aliases["old"] = ("ann", day(1))
    history.run(1)
    assert history.of("ann") == [(0, 1, "merged", None)]
    history.run(2)
    assert history.of("ann") == [(0, 1, "merged", None)]


def test_a_goal_of_either_id_ends_the_stay_of_the_merged_person(history: History) -> None:
    history.run(0, "old")
    history.events = [("ann", "order_placed", day(0.5))]
    history.aliases["old"] = ("ann", day(1))
    history.run(1, "ann")
    assert history.of("ann") == [(0, 0.5, "goal_reached", "order")]


def test_a_run_as_of_the_past_sees_what_was_known_then(history: History) -> None:
    for number, members in ((0, ["ann"]), (1, ["ann"]), (2, [])):
        history.run(number, *members)
    history.stays += [dict(history.stays[0], customer_id="bob", entered_at=day(2))]
    rows = history.run(1, "ann")
    assert [(row["customer_id"], row["exited_at"], row["exit_reason"]) for row in rows] == [
        ("ann", None, None)
    ]


PEOPLE = [f"p{number:03d}" for number in range(120)]
DAYS = 9
RULES = [(None, 0), (3, 1), (1, 3), (None, 2)]  # not_after_days, cooldown_days


@dataclass
class Made:
    """A history made at random: who is listed on which day, what happens, who is merged."""

    listed: list[set[str]]
    events: list[tuple[str, str, dt.datetime]]
    aliases: dict[str, tuple[str, dt.datetime]]


def made(seed: int, *, merges: bool) -> Made:
    chance = random.Random(seed)
    listed = [{each for each in PEOPLE if chance.random() < 0.7} for _ in range(DAYS)]
    kinds = ("order_placed", "review", "visit")
    events = [
        (chance.choice(PEOPLE), chance.choice(kinds), day(chance.randrange(DAYS * 4) / 4))
        for _ in range(len(PEOPLE))
    ]
    pairs = zip(PEOPLE[::3], PEOPLE[1::3], strict=True) if merges else ()
    aliases = {old: (into, day(chance.randrange(1, DAYS))) for old, into in pairs}
    return Made(listed, events, aliases)


def replay(
    connection: duckdb.DuckDBPyConnection, one: Made, rules: tuple[int | None, int], runs: int = 1
) -> History:
    """The history day by day, each day so many times over."""
    history = History(
        connection, not_after_days=rules[0], cooldown_days=rules[1], events=one.events
    )
    history.aliases = one.aliases
    for number, listed in enumerate(one.listed):
        # Who is merged is listed no more: the survivor is
        members = {history.who(each, day(number)) for each in listed}
        for _ in range(runs):
            rows = history.run(number, *sorted(members))
            _judge(rows, members, day(number))
    return history


def _judge(rows: list[Row], members: set[str], as_of: dt.datetime) -> None:
    current = [row["customer_id"] for row in rows if row["is_current"]]
    assert sorted(current) == sorted(members), "each member has one current stay"
    by_person: dict[str, list[Row]] = {}
    for row in rows:
        assert row["entered_at"] <= (row["exited_at"] or as_of) <= (row["left_at"] or as_of)
        assert (row["exit_reason"] is None) == (row["exited_at"] is None)
        assert (row["goal"] is not None) == (row["exit_reason"] == "goal_reached")
        by_person.setdefault(row["customer_id"], []).append(row)
    for stays in by_person.values():
        for earlier, later in pairwise(stays):
            assert earlier["exited_at"] is not None
            assert earlier["exited_at"] <= later["entered_at"], "stays never overlap"


@pytest.mark.parametrize("rules", RULES)
def test_stays_never_overlap_and_a_day_repeated_changes_nothing(
    connection: duckdb.DuckDBPyConnection, rules: tuple[int | None, int]
) -> None:
    one = made(1, merges=True)
    once, twice = replay(connection, one, rules), replay(connection, one, rules, runs=2)
    assert once.stays == twice.stays
    reasons = {row["exit_reason"] for row in once.stays}
    assert reasons >= {None, "goal_reached", "not_after" if rules[0] else "merged"}


@pytest.mark.parametrize("rules", RULES)
def test_each_person_has_the_stays_that_the_rule_says(
    connection: duckdb.DuckDBPyConnection, rules: tuple[int | None, int]
) -> None:
    one = made(2, merges=False)
    history = replay(connection, one, rules)
    stays = {person: stays_by_the_rule(person, one, *rules) for person in PEOPLE}
    assert {person: history.of(person) for person in PEOPLE} == stays


def stays_by_the_rule(
    person: str, one: Made, not_after: int | None, cooldown: int
) -> list[tuple[Any, ...]]:
    """The same, person by person and day by day."""
    stays: list[list[Any]] = []
    was_listed = False
    closed: float | None = None
    goals = {"order_placed": "order", "review": "review"}
    for today, members in enumerate(one.listed):
        is_listed = person in members
        if was_listed and stays[-1][1] is None:
            entered = stays[-1][0]
            reached = sorted(
                (_number(at), goals[kind])
                for who, kind, at in one.events
                if who == person and kind in goals and entered < _number(at) <= today
            )
            late = None if not_after is None else entered + not_after
            if reached and (late is None or reached[0][0] <= late):
                stays[-1][1:] = [reached[0][0], "goal_reached", reached[0][1]]
                closed = reached[0][0]
            elif late is not None and late <= today:
                stays[-1][1:] = [late, "not_after", None]
                closed = late
            elif not is_listed:
                stays[-1][1:] = [today, "condition", None]
        if is_listed:
            rests = closed is not None and cooldown > 0 and closed + cooldown > today
            is_ended = was_listed and stays[-1][1] is not None
            if not was_listed:
                stays.append([today, today, "cooldown", None] if rests else [today, *[None] * 3])
            elif is_ended and cooldown > 0 and not rests:
                stays.append([today, *[None] * 3])
        was_listed = is_listed
    return [tuple(stay) for stay in stays]


@pytest.mark.parametrize(
    ("word", "nearest"), [("ordr", "did you mean order?"), ("reviewed", "did you mean review?")]
)
def test_an_unknown_goal_is_one_sentence_before_any_work(word: str, nearest: str) -> None:
    text = (
        "{{ config(meta={'segment': {'label': 'X', 'channel': 'email', 'purpose': 'marketing',"
        f" 'message_kind': 'offer', 'exit_on': ['{word}']}}}}) }}}}"
        " {{ members(all=[ordered()]) }}"
    )
    with pytest.raises(UsageError) as caught:
        check_segment_texts({"tried": text}, {})
    assert f'models/segments/seg_tried.sql: exit_on has the word "{word}"' in str(caught.value)
    assert nearest in str(caught.value)
    check_segment_texts({"tried": text.replace(word, "sign_up")}, {})
