"""What the pretend shop offers and spends: live, with owners, redeemed by orders, with truth."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.demo import write_days
from ingestion.demo.occasions import occasions
from ingestion.demo.world import World, make_world
from ingestion.demo.write import write_all_files, write_demo
from ingestion.sources.personas import read_persona
from ingestion.vocabulary import OCCASIONS

LATER_DAYS = 45


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(700, seed=2)


@pytest.fixture(scope="module")
def shop(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Orders as files, so that a discount stands beside its order."""
    folder = tmp_path_factory.mktemp("offers")
    write_all_files(world, folder, ".jsonl.gz")
    return folder


def table(shop: Path, query: str, **files: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        for name, files_of in files.items():
            kind = "read_csv" if files_of.endswith("csv") else "read_json"
            more = ", union_by_name = true, filename = true" if kind == "read_csv" else ""
            con.execute(f"create view {name} as select * from {kind}('{shop}/{files_of}'{more})")
        con.execute("set timezone = 'UTC'")
        return con.execute(query).fetchall()


VOUCHERS = "input/promotions/issued/part-*.csv"


def test_an_offer_is_live_at_the_first_moment_and_a_year_later(shop: Path) -> None:
    for day in ("2026-07-01", "2026-12-31", "2027-06-30"):
        query = (
            f"select count(*) from offers where timestamptz '{day}' between starts_at and ends_at"
        )
        live = table(shop, query, offers="input/promotions/promotions.csv")
        assert live[0][0] >= 1, day


def test_a_voucher_is_redeemed_in_its_time_by_an_order_with_its_discount(shop: Path) -> None:
    wrong, redeemed, unused = table(
        shop,
        """
        select
            count(*) filter (where v.redeemed_at is not null and (
                v.redeemed_at not between v.issued_at and v.valid_until
                or o.id is null or o.code <> v.code or o.created_at <> v.redeemed_at)),
            count(v.redeemed_at), count(*) - count(v.redeemed_at)
        from vouchers v
        left join (
            select id, created_at::timestamptz as created_at, discount_codes[1].code as code
            from orders
        ) o on o.id = v.redeemed_order_id
        """,
        vouchers=VOUCHERS,
        orders="input/orders/*.jsonl.gz",
    )[0]
    assert wrong == 0
    assert 10 < redeemed < unused


def test_a_voucher_is_one_persons(shop: Path) -> None:
    owners = table(
        shop,
        "select count(*), count(distinct identifier_value) from vouchers",
        vouchers=VOUCHERS,
    )
    truth = table(
        shop, f"select count(*), count(distinct person_id) from '{shop}/truth/vouchers/*.parquet'"
    )
    assert owners == truth
    assert owners[0][0] == owners[0][1]


def test_in_later_days_vouchers_are_issued_and_redeemed(tmp_path: Path) -> None:
    world = make_world(300, seed=2)
    write_demo(world, tmp_path)
    write_days.write_until(world, tmp_path, LATER_DAYS)
    days = table(
        tmp_path,
        """
        select count(*) filter (where contains(filename, 'issued')
                and issued_at::date = regexp_extract(filename, 'day-(.{10})', 1)::date),
            count(*) filter (where contains(filename, 'redeemed')
                and redeemed_at::date = regexp_extract(filename, 'day-(.{10})', 1)::date),
            count(*)
        from vouchers
        """,
        vouchers="input/promotions/*/day-*.csv",
    )
    issued, redeemed, rows = days[0]
    assert issued > 0
    assert redeemed > 0
    assert issued + redeemed == rows


def test_every_programme_has_a_cost_on_every_day(world: World, shop: Path) -> None:
    days = (world.calendar.end - world.calendar.start) // 86_400
    programmes = table(
        shop,
        """
        select programme, count(*) from spend where programme is not null and cost > 0
        group by 1 order by 1
        """,
        spend="input/spend/spend.csv",
    )
    names = ("bring-a-friend", "harbour-card", "newsletter", "push-news", "text-club")
    assert programmes == [(name, days) for name in names]


@pytest.mark.parametrize(
    ("year", "mothers", "easter", "fathers", "black_friday"),
    [
        (2024, date(2024, 3, 10), date(2024, 3, 31), date(2024, 6, 16), date(2024, 11, 29)),
        (2025, date(2025, 3, 30), date(2025, 4, 20), date(2025, 6, 15), date(2025, 11, 28)),
        (2026, date(2026, 3, 15), date(2026, 4, 5), date(2026, 6, 21), date(2026, 11, 27)),
    ],
)
def test_the_moving_days_of_a_year(
    year: int, mothers: date, easter: date, fathers: date, black_friday: date
) -> None:
    found = {name: ends for name, _, ends in occasions(year)}
    assert found.keys() <= set(OCCASIONS)
    moving = ("mothers_day", "easter", "fathers_day", "black_friday")
    assert [found[name] for name in moving] == [mothers, easter, fathers, black_friday]
    assert all(starts < ends for _, starts, ends in occasions(year))


def test_the_personas_are_read_and_the_truth_names_them(shop: Path) -> None:
    files = sorted((shop / "input" / "personas").glob("*.yml"))
    names = {read_persona(path.read_text("utf-8"))["name"] for path in files}
    truth = {
        row[0] for row in table(shop, f"select persona from '{shop}/truth/personas/*.parquet'")
    }
    assert names == truth == {"Warm cup", "Fresh air"}
