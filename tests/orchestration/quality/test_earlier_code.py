"""The earlier code of a segment is run on today's tables, at today's moment, and reads no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.activation.outbox import SyncRun, open_sync_run
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan
from orchestration.home.layout import Home
from orchestration.ops.store import Store, open_store
from orchestration.published.segment_code import ComparedCode, add_segment_code, members_of
from orchestration.quality.earlier_code import compare_code, with_moment, without_moment
from orchestration.run.dbt import target_path

FIRST_DAY = datetime(2026, 6, 1)
BUYERS = (
    "select customer_id, 'Bought.' as reason, '{{}}' as context"
    ' from "warehouse"."marts"."buyers"'
    " where orders >= {orders} and bought_at <= timestamp '{as_of}'"
)


@dataclass
class Builds:
    """A home whose warehouse holds buyers, and the segments that its last build made of them."""

    home: Home
    store: Store
    runs: int = 0

    def build(self, code: dict[str, str], *, day: int = 0, columns: str = "") -> ComparedCode:
        """Make the tables by this code as of a day, compare it, and publish."""
        self.runs += 1
        as_of = FIRST_DAY + timedelta(days=day)
        compiled = target_path(self.home) / "compiled/regulars/models/segments"
        compiled.mkdir(parents=True, exist_ok=True)
        nodes = {}
        self.home.warehouse.unlink(missing_ok=True)
        with duckdb.connect(str(self.home.warehouse)) as connection:
            connection.execute(
                "create schema marts; create schema segments; create table marts.buyers as"
                " select 'c' || i as customer_id, i as orders,"
                " timestamp '2026-05-28' + i * interval 1 day as bought_at from range(1, 9) r(i)"
            )
            if columns:
                connection.execute(columns)
            for name, text in code.items():
                sql = text.replace("{as_of}", f"{as_of}")
                (compiled / f"seg_{name}.sql").write_text(f"\n{sql}\n", "utf-8")
                connection.execute(f"create table segments.seg_{name} as {sql}")
                nodes[f"model.regulars.seg_{name}"] = {
                    "resource_type": "model",
                    "schema": "segments",
                    "name": f"seg_{name}",
                    "config": {"meta": {"segment": {"label": name}}},
                }
        manifest = target_path(self.home) / "manifest.json"
        manifest.write_text(json.dumps({"nodes": nodes}), "utf-8")
        context = {
            "run_id": [f"run{self.runs}"],
            "as_of": pa.array([as_of], pa.timestamp("us")),
        }
        pq.write_table(pa.table(context), self.home.ops_export / "run_context.parquet")
        compared = compare_code(self.home, self.store)
        self._publish(compared, code, as_of)
        return compared

    def _publish(self, compared: ComparedCode, code: dict[str, str], as_of: datetime) -> None:
        self.home.published.unlink(missing_ok=True)
        with duckdb.connect(str(self.home.published)) as connection:
            connection.execute(f"attach '{self.home.warehouse}' as warehouse (read_only)")
            connection.execute("create schema segments; create schema ops")
            for name in code:
                connection.execute(
                    f"create table segments.seg_{name} as from warehouse.segments.seg_{name}"
                )
            connection.execute(
                "create table ops.build as select 'b' as build_id, ? as run_id,"
                " ?::timestamp as as_of",
                [f"run{self.runs}", as_of],
            )
            add_segment_code(connection, compared)

    def sent(self, segment: str) -> None:
        """A sync of the segment from what is published."""
        target = Target(segment, "file", "email", "marketing")
        plan = Plan(target, f"run{self.runs}", (), (), 0, 0, (), ())
        with self.store.write() as connection:
            open_sync_run(connection, plan, SyncRun(f"s{self.runs}", target, FIRST_DAY))

    def members(self, segment: str, *, by_earlier_code: bool) -> set[str]:
        """Who is in a published segment."""
        with duckdb.connect(str(self.home.published), read_only=True) as connection:
            those = members_of(connection, segment, by_earlier_code=by_earlier_code)
            rows = connection.execute(f"select customer_id from {those}").fetchall()
        assert len(rows) == len(set(rows))
        return {customer_id for (customer_id,) in rows}


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Builds(home, store)


def buyers(orders: int) -> str:
    return BUYERS.format(orders=orders, as_of="{as_of}")


def test_conditions_are_code_though_they_are_a_table(builds: Builds) -> None:
    """The table holds the conditions of today alone: the earlier segment asks for another one."""
    compiled = target_path(builds.home) / "compiled/regulars/models/intermediate"
    compiled.mkdir(parents=True)

    def build(orders: int) -> ComparedCode:
        key = f"ordered(at_least={orders})"
        conditions = (
            f"with results as (select '{key}' as condition, customer_id"
            f' from "warehouse"."marts"."buyers" where orders >= {orders}) select * from results'
        )
        (compiled / "int_condition_results.sql").write_text(conditions, "utf-8")
        segment = (
            "with held as (select customer_id from"
            ' "warehouse"."intermediate"."int_condition_results"'
            f" where condition = '{key}') select customer_id, '' as reason, '' as context from held"
        )
        table = "create schema intermediate; create table intermediate.int_condition_results as "
        return builds.build({"vip": segment}, columns=table + conditions)

    build(6)
    assert comparisons(build(7)) == {"vip": "changed"}
    assert builds.members("vip", by_earlier_code=False) == {"c7", "c8"}
    assert builds.members("vip", by_earlier_code=True) == {"c6", "c7", "c8"}


def comparisons(compared: ComparedCode) -> dict[str, str]:
    return {each.segment: each.comparison for each in compared.codes}


@pytest.mark.parametrize("moment", [datetime(2026, 7, 1), datetime(2026, 7, 1, 12, 30, 1, 500_000)])
def test_the_moment_of_a_run_is_no_part_of_the_code(moment: datetime) -> None:
    with duckdb.connect() as connection:
        row = connection.execute("select cast(?::timestamp as varchar)", [moment]).fetchone()
    sql = f"select timestamp '{row[0] if row else ''}' - interval '30' day"
    code = without_moment(sql, moment)
    assert "2026" not in code
    assert with_moment(code, moment) == sql
    assert "2026-07" in with_moment("cast('{as_of}' as timestamp)", moment)


def test_the_shops_date_of_a_run_is_no_part_of_the_code_either() -> None:
    codes = {
        without_moment(f"select date '{day}' - 14", moment, "Asia/Tokyo")
        for day, moment in (
            ("2026-07-02", datetime(2026, 7, 1, 20)),
            ("2026-07-03", datetime(2026, 7, 3)),
        )
    }
    (code,) = codes
    with duckdb.connect() as connection:
        row = connection.execute(with_moment(code, datetime(2026, 8, 31, 20))).fetchone()
    assert str(row[0] if row else "") == "2026-08-18"


def test_the_same_code_on_another_day_is_the_same_code(builds: Builds) -> None:
    assert comparisons(builds.build({"vip": buyers(2)})) == {"vip": "first"}
    compared = builds.build({"vip": buyers(2)}, day=2)
    assert comparisons(compared) == {"vip": "same"}
    assert compared.effects.num_rows == 0
    now = builds.members("vip", by_earlier_code=False)
    assert now == builds.members("vip", by_earlier_code=True) == {"c2", "c3", "c4", "c5", "c6"}


def test_earlier_code_is_run_on_todays_data_at_todays_moment(builds: Builds) -> None:
    builds.build({"vip": buyers(2)})
    compared = builds.build({"vip": buyers(4)}, day=3)
    assert comparisons(compared) == {"vip": "changed"}
    assert builds.members("vip", by_earlier_code=False) == {"c4", "c5", "c6", "c7"}
    # By the earlier code on its own day c5 to c7 were none yet
    assert builds.members("vip", by_earlier_code=True) == {f"c{i}" for i in range(2, 8)}
    assert [each["customer_id"] for each in compared.effects.to_pylist()] == ["c2", "c3"]


def test_code_is_compared_with_what_was_last_sent_by_it(builds: Builds) -> None:
    builds.build({"vip": buyers(2)})
    builds.build({"vip": buyers(4)})
    # Nobody has sent it since: the code of two builds ago is what audiences were made by
    assert comparisons(builds.build({"vip": buyers(4)})) == {"vip": "changed"}
    builds.sent("vip")
    assert comparisons(builds.build({"vip": buyers(4)})) == {"vip": "same"}


def test_a_new_segment_is_all_by_code_until_it_was_sent(builds: Builds) -> None:
    builds.build({"vip": buyers(2)})
    both = {"vip": buyers(2), "best": buyers(3)}
    assert comparisons(builds.build(both)) == {"vip": "same", "best": "new"}
    assert builds.members("best", by_earlier_code=False) == {"c3", "c4"}
    assert builds.members("best", by_earlier_code=True) == set()
    builds.sent("best")
    assert comparisons(builds.build(both)) == {"vip": "same", "best": "same"}


def test_code_that_does_not_run_any_more_is_said_to_be_unknown(builds: Builds) -> None:
    builds.build({"vip": buyers(2)})
    renamed = "alter table marts.buyers rename column orders to order_count"
    new = buyers(2).replace("orders", "order_count")
    compared = builds.build({"vip": new}, columns=renamed)
    assert comparisons(compared) == {"vip": "not_run"}
    assert compared.effects.num_rows == 0


def test_words_that_changed_concern_the_members_that_have_them(builds: Builds) -> None:
    builds.build({"vip": buyers(3)})
    compared = builds.build({"vip": buyers(3).replace("Bought.", "Has bought.")})
    rows = compared.effects.to_pylist()
    assert {(each["was_member"], each["reason"]) for each in rows} == {(True, "Bought.")}
    assert len(rows) == 2


def test_earlier_code_reads_no_file_that_models_do_not_read(builds: Builds, tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside.csv", builds.home.ops_export / "inside.csv"
    for path in (outside, inside):
        path.write_text("customer_id\nc9\n", "utf-8")
    words = "select customer_id, '' as reason, '' as context from read_csv('{path}', header=true)"
    old = {each.stem: words.format(path=each) for each in (outside, inside)}
    builds.build(old)
    assert comparisons(builds.build({name: buyers(2) for name in old})) == {
        "outside": "not_run",
        "inside": "changed",
    }
