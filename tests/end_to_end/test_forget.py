"""`regulars forget` on a pretend shop: gone from every byte, and nobody comes back (A8)."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.conftest import DemoHome, Regulars
from tests.traces import traces

pytestmark = pytest.mark.faults

OWN = """
    select identifier_type, identifier_value from marts.bridge_customer_identifiers
    where customer_id = '{who}' and not is_shared and length(identifier_value) >= 6
"""
# Two people of one household who have ordered, the one with the most identifiers first.
HOUSEHOLD = """
    select a.customer_id, b.customer_id
    from marts.bridge_customer_households as a
    join marts.bridge_customer_households as b
        on a.household_id = b.household_id and a.customer_id <> b.customer_id
    join marts.dim_customers as one on one.customer_id = a.customer_id
    join marts.dim_customers as other on other.customer_id = b.customer_id
    where one.order_count > 0 and other.order_count > 0 and one.email is not null
    order by one.identifier_count desc, 1, 2 limit 1
"""


def values(shop: DemoHome, who: str) -> list[str]:
    """What only this person is known by, the ids included."""
    aliases = f"select alias_id from marts.customer_aliases where customer_id = '{who}'"
    own = [str(value) for _, value in shop.query(OWN.format(who=who))]
    return [*own, who, *(str(alias) for (alias,) in shop.query(aliases))]


def everything_of(home: Path, who: str) -> dict[str, list[tuple[object, ...]]]:
    """Every published row of a person, by table."""
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as file:
        tables = file.execute(
            "select schema_name || '.' || table_name from duckdb_columns()"
            " where column_name = 'customer_id' order by all"
        ).fetchall()
        return {
            table: file.execute(
                f"select * from {table} where customer_id = ? order by all", [who]
            ).fetchall()
            for (table,) in tables
        }


def close_accounts(home: Path) -> None:
    """Switch off the accounts with vendors, who erase later than anybody can wait for here.

    Until each has confirmed, whom it is asked to erase stands in the request (test_elsewhere.py).
    """
    settings = home / "demo" / "regulars.toml"
    text = settings.read_text("utf-8")
    for kind in ("klaviyo", "meta_ads", "google_ads"):
        line = f'kind = "{kind}"\n'
        assert text.count(line) == 1
        text = text.replace(line, f"{line}enabled = false\n")
    settings.write_text(text, "utf-8")


def test_one_of_a_household_is_forgotten_and_the_other_misses_nothing(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(demo_home.root, home, symlinks=True)
    close_accounts(home)
    ((who, sibling),) = demo_home.query(HOUSEHOLD)
    known = values(demo_home, who)
    before = everything_of(home, sibling)
    sales = "select sum(net_sales_shop), count(*) from marts.fct_orders"
    counted = demo_home.query(sales)
    assert len(traces(home, known, skip=["demo"])) > 50
    asked = regulars("forget", f"customer_id:{who}", "--home", home)
    assert asked.code == 2
    assert "only when somebody says yes" in asked.err
    assert regulars("forget", "nobody@nowhere.example", "--yes", "--home", home).code == 1
    assert regulars("forget", "--yes", "--home", home).code == 2

    done = regulars("forget", f"customer_id:{who}", "--yes", "--home", home)
    assert done.code == 0, done.out + done.err
    assert "@" not in done.out
    assert traces(home, known, skip=["demo"]) == []
    assert everything_of(home, sibling) == before
    with duckdb.connect(str(home / "published.duckdb"), read_only=True) as file:
        assert file.execute(sales).fetchall() == counted
    email = next(value for value in known if "@" in value)
    again = regulars("forget", email, "--yes", "--home", home)
    assert again.code == 0
    assert "This was forgotten on" in again.out
    for command in (["doctor"], ["plan"], ["report"]):
        assert regulars(*command, "--home", home).code == 0


@pytest.mark.faults  # whole runs of a small shop
@pytest.mark.timeout(2_700)
def test_nobody_comes_back_by_files_a_full_refresh_or_an_older_backup(
    regulars: Regulars, tmp_path: Path
) -> None:
    home, restored = tmp_path / "home", tmp_path / "restored"
    done = regulars("demo", "--people", "150", "--months", "6", "--home", home)
    assert done.code == 0, done.out + done.err
    close_accounts(home)
    shop = DemoHome(home, done.out)
    backup, key = tmp_path / "kept.age", tmp_path / "key"
    assert regulars("backup", backup, "--key", key, "--home", home).code == 0
    people = [
        str(who)
        for (who,) in shop.query(
            "select customer_id from marts.dim_customers where email is not null"
            " order by identifier_count desc, customer_id limit 5"
        )
    ]
    known = [value for who in people for value in values(shop, who)]
    for who in people:
        gone = regulars("forget", f"customer_id:{who}", "--yes", "--home", home)
        assert gone.code == 0, gone.out + gone.err
    assert traces(home, known, skip=["demo"]) == []

    # Every file is read again, as a backfill would, and every model is built anew.
    with duckdb.connect(str(home / "raw.duckdb")) as raw:
        ledgers = raw.execute(
            "select schema_name from duckdb_tables() where table_name = '_files'"
        ).fetchall()
        for (schema,) in ledgers:
            raw.execute(f"delete from {schema}._files")
    run = regulars("run", "--full-refresh", "--send", "--home", home)
    assert run.code == 0, run.out + run.err
    assert "asked to be forgotten arrived and were taken out" in run.out
    assert traces(home, known, skip=["demo"]) == []

    assert regulars("restore", backup, "--key", key, "--home", restored).code == 0
    assert traces(restored, known, skip=["demo"]) != []
    carried = regulars("forget", "--from", home / "erasures", "--home", restored)
    assert carried.code == 0, carried.out + carried.err
    assert traces(restored, known, skip=["demo"]) == []
    run = regulars("run", "--home", restored)
    assert run.code == 0, run.out + run.err
    assert traces(restored, known, skip=["demo"]) == []
