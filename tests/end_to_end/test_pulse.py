"""A pulse and a run of the same moment make the same members, and nobody is sent to twice.

A shop in yen, Tokyo's days, sixty readers: one run, what arrives in the next three hours, a pulse
while another process holds the home, a second pulse, and the run that loads the same rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import run_command
from tests.end_to_end.pulse_shop import AFTER, BEFORE, SETTINGS, append, arrived, email, lay_shop
from tests.locks import held_elsewhere

pytestmark = pytest.mark.faults
Members = dict[str, set[str]]


@dataclass(frozen=True)
class History:
    """What each step left: members by segment after the pulse and the run, what pulses printed."""

    pulse: Members
    run: Members
    people: dict[str, str]
    printed: tuple[str, str]
    sent_twice: list[tuple[str, ...]]
    sent_by_pulse: set[tuple[str, str]]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    root = tmp_path_factory.mktemp("pulse")
    home, folder, settings = root / "home", root / "input", root / "regulars.toml"
    lay_shop(folder)
    settings.write_text(SETTINGS.format(input=folder), "utf-8")

    def regulars(*words: str) -> str:
        done = run_command(*words, "--home", home, timeout=850, REGULARS_CONFIG=str(settings))
        assert done.code == 0, done.out + done.err
        return done.out

    regulars("run", "--as-of", f"{BEFORE.isoformat()}Z", "--send")
    with published(home) as file:
        rows = file.execute("select customer_id, email from marts.dim_customers").fetchall()
    append(folder, arrived(), rest='{"type": "track", "ev')
    with store(home) as ops:
        before = set(ops.execute("select idempotency_key from outbox"))
    at = ("--as-of", f"{AFTER.isoformat()}Z")
    with held_elsewhere(home / ".lock"):
        first = regulars("pulse", *at, "--send")
    second = regulars("pulse", *at, "--send")
    with store(home) as ops:
        pulse = members(
            ops, "select segment, customer_id from segment_memberships where left_at is null"
        )
        sent = {
            row[1:]
            for row in ops.execute(
                "select idempotency_key, segment, customer_id from outbox where operation = 'added'"
            )
            if row[:1] not in before
        }
    regulars("run", *at, "--send")
    with store(home) as ops:
        twice = ops.execute(
            "select segment, destination, customer_id from deliveries where operation = 'added'"
            " group by 1, 2, 3 having count(*) > 1"
        ).fetchall()
    with published(home) as file:
        run = members(
            file,
            "select segment, customer_id from marts.fct_segment_memberships where is_current",
        )
    return History(pulse, run, dict(rows), (first, second), twice, sent)


@contextmanager
def published(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as connection:
        yield connection


@contextmanager
def store(home: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(home / "ops.sqlite")
    try:
        yield connection
    finally:
        connection.close()


def members(connection: duckdb.DuckDBPyConnection | sqlite3.Connection, query: str) -> Members:
    by_segment: Members = {}
    for segment, who in connection.execute(query).fetchall():
        by_segment.setdefault(segment, set()).add(who)
    return by_segment


TURNING = (
    *("abandoned_browse", "abandoned_cart", "abandoned_wishlist", "potential_buyers"),
    *("retargeting", "returning_visitors", "search_without_result", "undecided_visitors"),
)


def test_a_run_of_the_same_moment_has_the_same_members(history: History) -> None:
    for segment in TURNING:
        known = history.run[segment] & history.people.keys()
        assert history.pulse[segment] == known, segment
        assert known, segment


def test_who_came_and_who_left_are_whom_the_events_speak_of(history: History) -> None:
    who = {address: customer for customer, address in history.people.items()}
    carts = history.pulse["abandoned_cart"]
    assert {who[email(number)] for number in (0, 1, 5, 7, 8)} <= carts
    assert who[email(2)] not in carts
    assert who[email(4)] in history.pulse["search_without_result"]
    assert who[email(3)] in history.pulse["abandoned_browse"]
    assert who[email(5)] not in history.pulse["abandoned_browse"]
    assert who[email(6)] in history.pulse["abandoned_wishlist"]


def test_what_arrived_while_a_run_held_the_home_was_sent_once(history: History) -> None:
    who = {address: customer for customer, address in history.people.items()}
    assert ("abandoned_cart", who[email(0)]) in history.sent_by_pulse
    assert history.sent_twice == []
    assert "Nothing to send." in history.printed[1]
    assert " 0 rows that no pulse has read before" in history.printed[1]
