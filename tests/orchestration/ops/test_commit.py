"""What was published is committed once, also of a run killed right after the swap (A8, O3)."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pytest
from sqlalchemy import select

from orchestration.home.layout import Home
from orchestration.ops import commit, schema
from orchestration.ops.commit import commit_after_publish, heal
from orchestration.ops.export import export_ops
from orchestration.ops.runs import SUCCEEDED, Run, fail_killed_runs, run_status, start_run
from orchestration.ops.store import Store, to_micros
from tests.orchestration.ops.conftest import AS_OF

T1 = datetime(2026, 1, 1)


def _publish(
    home: Home,
    run_id: str,
    *,
    registry: list[tuple[str, str, str]] = (),  # type: ignore[assignment]
    aliases: list[tuple[str, str]] = (),  # type: ignore[assignment]
    stays: list[tuple[str, str, datetime | None]] = (),  # type: ignore[assignment]
    people: int | None = None,
) -> None:
    home.published.unlink(missing_ok=True)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("create schema marts; create schema ops")
        connection.execute(
            "create table ops.build as select 'b' as build_id, ? as run_id, ?::timestamp as as_of",
            [run_id, AS_OF],
        )
        connection.execute(
            "create table ops.identity_registry (identifier_type varchar,"
            " identifier_value varchar, customer_id varchar, registered_at timestamp)"
        )
        connection.execute(
            "create table marts.customer_aliases"
            " (alias_id varchar, customer_id varchar, merged_at timestamp)"
        )
        connection.execute(
            "create table marts.fct_segment_memberships (segment varchar, customer_id varchar,"
            " entered_at timestamp, exited_at timestamp, left_at timestamp, programme varchar,"
            " entry_reason varchar, exit_reason varchar, goal varchar)"
        )
        if people is not None:
            connection.execute(
                "create table ops.identity_metrics as select ? as run_id, 'people' as metric,"
                " 'known' as kind, ?::timestamp as as_of, ?::bigint as value",
                [run_id, AS_OF, people],
            )
        for row in registry:
            connection.execute("insert into ops.identity_registry values (?, ?, ?, ?)", [*row, T1])
        for alias in aliases:
            connection.execute("insert into marts.customer_aliases values (?, ?, ?)", [*alias, T1])
        for segment, customer, exited in stays:
            connection.execute(
                "insert into marts.fct_segment_memberships"
                " (segment, customer_id, entered_at, exited_at) values (?, ?, ?, ?)",
                [segment, customer, T1, exited],
            )


def _rows(store: Store, table: Any) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(table)))


def test_commit_mirrors_the_published_tables_once(store: Store, home: Home, run: Run) -> None:
    start_run(store, run, started_at=AS_OF)
    export_ops(store, home.ops_export, run)
    _publish(
        home,
        "run1",
        registry=[("email", "a@example.com", "c1"), ("email", "b@example.com", "c2")],
        stays=[("vip", "c1", None)],
    )
    done = commit_after_publish(store, home, finished_at=AS_OF)
    assert (done.registered, done.memberships, done.already_done) == (2, 1, False)
    assert run_status(store, "run1") == SUCCEEDED
    before = [_rows(store, table) for table in schema.metadata.sorted_tables]
    assert commit_after_publish(store, home, finished_at=AS_OF).already_done
    assert heal(store, home, at=AS_OF) is None
    assert before == [_rows(store, table) for table in schema.metadata.sorted_tables]


def test_every_runs_measures_are_kept(store: Store, home: Home) -> None:
    """A file from before the measures had runs adds none and stops nothing."""
    for number, people in enumerate([None, 7, 9]):
        run = Run(f"run{number}", AS_OF, "test")
        start_run(store, run, started_at=AS_OF)
        export_ops(store, home.ops_export, run)
        _publish(home, run.run_id, people=people)
        if people is None:
            with duckdb.connect(str(home.published)) as connection:
                connection.execute("create table ops.identity_metrics as select 'people' as metric")
        commit_after_publish(store, home, finished_at=AS_OF)
    assert [(row[0], row[4]) for row in _rows(store, schema.identity_metrics)] == [
        ("run1", 7),
        ("run2", 9),
    ]
    for moment, count in ((AS_OF, 2), (AS_OF - timedelta(days=1), 0)):
        sizes = export_ops(store, home.ops_export, Run("later", moment, "test"))
        assert sizes["identity_metrics"] == count, "a run as of the past sees the past"


def test_the_next_run_moves_ids_and_closes_stays(store: Store, home: Home) -> None:
    for number, tables in enumerate(
        (
            {
                "registry": [("email", "a@example.com", "c1"), ("email", "b@example.com", "c2")],
                "stays": [
                    *(("vip", "c1", None), ("vip", "c2", None)),
                    *(("old", "c1", None), ("new", "c1", None)),
                ],
            },
            {
                "registry": [("email", "a@example.com", "c1"), ("email", "b@example.com", "c1")],
                "aliases": [("c2", "c1")],
                "stays": [("vip", "c1", AS_OF), ("new", "c1", None)],
            },
        )
    ):
        run = Run(f"run{number}", AS_OF, "test")
        start_run(store, run, started_at=AS_OF)
        export_ops(store, home.ops_export, run)
        _publish(home, run.run_id, **tables)  # type: ignore[arg-type]
        if number:  # of two stays of one person, one began earlier and goes on
            with duckdb.connect(str(home.published)) as connection:
                connection.execute(
                    "update marts.fct_segment_memberships set entered_at = entered_at"
                    " - interval 1 day where segment = 'new'"
                )
        commit_after_publish(store, home, finished_at=AS_OF)
    assert [row[:3] for row in _rows(store, schema.identity_registry)] == [
        ("email", "a@example.com", "c1"),
        ("email", "b@example.com", "c1"),
    ]
    stays = _rows(store, schema.segment_memberships)
    assert [(row[0], row[1], row[3] is None) for row in stays] == [
        ("new", "c1", True),
        ("old", "c1", True),
        ("vip", "c1", False),
    ]
    assert stays[0][2] == to_micros(T1 - timedelta(days=1)), "the later start is forgotten"


@pytest.mark.parametrize("exported", [True, False])
def test_a_kill_between_swap_and_commit_is_healed(
    store: Store, home: Home, run: Run, exported: bool
) -> None:
    start_run(store, run, started_at=AS_OF)
    if exported:
        export_ops(store, home.ops_export, run)
    _publish(home, "run1", registry=[("email", "a@example.com", "c1")])
    healed = heal(store, home, at=AS_OF)
    assert healed is not None and healed.registered == 1
    assert fail_killed_runs(store, at=AS_OF) == []
    assert run_status(store, "run1") == SUCCEEDED


def test_a_failing_commit_leaves_nothing(
    store: Store, home: Home, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    start_run(store, run, started_at=AS_OF)
    _publish(home, "run1", registry=[("email", "a@example.com", "c1")], stays=[("v", "c1", None)])

    real, calls = commit.upsert, itertools.count()

    def fail_later(*args: Any) -> int:
        if next(calls) == 2:
            raise OSError("disk full")
        return real(*args)

    with monkeypatch.context() as patched:
        patched.setattr(commit, "upsert", fail_later)
        with pytest.raises(OSError, match="disk full"):
            commit_after_publish(store, home, finished_at=AS_OF)
    assert _rows(store, schema.identity_registry) == []
    assert heal(store, home, at=AS_OF) is not None
    assert len(_rows(store, schema.identity_registry)) == 1


def test_an_older_published_file_brings_nothing_back(store: Store, home: Home) -> None:
    for run_id, customer in (("run1", "c1"), ("run2", "c2")):
        start_run(store, Run(run_id, AS_OF, "test"), started_at=AS_OF)
        _publish(home, run_id, registry=[("email", "a@example.com", customer)])
        commit_after_publish(store, home, finished_at=AS_OF)
    _publish(home, "run1", registry=[("email", "a@example.com", "c1")])
    assert heal(store, home, at=AS_OF) is None
    assert _rows(store, schema.identity_registry)[0][2] == "c2"


def test_nothing_published_is_nothing_to_heal(store: Store, home: Home) -> None:
    assert heal(store, home, at=AS_OF) is None
