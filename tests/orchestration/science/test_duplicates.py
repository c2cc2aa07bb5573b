"""Likely duplicates: what is proposed, what is left out, when it abstains."""

from __future__ import annotations

import random
import stat
import sys
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import Home
from orchestration.science.duplicates import MIN_PEOPLE, propose_duplicates

TABLES = """
create schema marts; create schema ops;
create table ops.build as select 'build' as build_id, timestamp '2026-06-01' as as_of;
create table marts.dim_customers (
    customer_id text, is_known boolean, first_name text, last_name text, email text);
create table marts.customer_contact_details (customer_id text, postcode text, birthday date);
create table marts.bridge_customer_identifiers (
    customer_id text, identifier_type text, identifier_value text);
create table marts.fct_identity_edges (
    identifier_a_type text, identifier_a_value text, identifier_b_type text,
    identifier_b_value text, refusal_reason text);
"""
Person = tuple[str, str, str, str]


def shop(root: Path, people: int) -> Home:
    """A published file; every tenth person stands in it twice, as `twin-N` with another email."""
    home = Home(root)
    root.mkdir(parents=True, exist_ok=True)
    dice = random.Random(3)
    syllables = ("ba", "co", "di", "fu", "ga", "ho", "ki", "lu", "ma", "ne", "po", "ru")

    def name() -> str:
        return "".join(dice.choice(syllables) for _ in range(3))

    firsts, lasts = [name() for _ in range(60)], [name() for _ in range(300)]
    rows: list[tuple[str, *Person]] = []
    for number in range(people):
        first, last = dice.choice(firsts), dice.choice(lasts)
        postcode = f"ab{dice.randrange(90)} {dice.randrange(9)}cd"
        rows.append((f"id-{number}", first, last, f"{name()}{name()}@one.example", postcode))
        if number % 10 == 0:
            # a slip of the pen in the first name of every other one
            slip = f"{first}e" if number % 20 else first
            twin = (f"twin-{number}", slip, last, f"{last}{number}@two.example", postcode.upper())
            rows.append(twin)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(TABLES)
        connection.executemany(
            "insert into marts.dim_customers values ($1, true, $2, $3, $4)", [r[:4] for r in rows]
        )
        connection.executemany(
            "insert into marts.customer_contact_details values (?, ?, null)",
            [(r[0], r[4]) for r in rows],
        )
        connection.execute(
            "insert into marts.bridge_customer_identifiers "
            "select customer_id, 'email', email from marts.dim_customers"
        )
        connection.execute(
            "insert into marts.fct_identity_edges select 'email', a.email, 'email', b.email, "
            "'cannot_link' from marts.dim_customers a, marts.dim_customers b "
            "where a.customer_id = 'id-0' and b.customer_id = 'twin-0'"
        )
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return shop(tmp_path_factory.mktemp("duplicates") / "home", 900)


def test_people_who_stand_twice_are_proposed_and_strangers_are_not(home: Home) -> None:
    pytest.importorskip("splink")
    before = home.published.read_bytes()
    found = propose_duplicates(home, 6.0)
    rows = duckdb.sql(f"select customer_a, customer_b from '{found.file}'").fetchall()
    true = {tuple(sorted((f"id-{n}", f"twin-{n}"))) for n in range(0, 900, 10)}
    proposed = {tuple(sorted(row)) for row in rows}
    assert len(rows) == len(proposed) == found.pairs
    assert len(proposed & true) >= 0.9 * len(true)
    assert len(proposed - true) <= 0.1 * len(proposed)
    assert ("id-0", "twin-0") not in proposed, "a rule has parted them"
    assert home.published.read_bytes() == before


def test_the_review_holds_ids_and_weights_for_its_owner_alone(home: Home) -> None:
    pytest.importorskip("splink")
    found = propose_duplicates(home, 6.0)
    columns = [row[0] for row in duckdb.sql(f"describe from '{found.file}'").fetchall()]
    assert columns == [
        "customer_a", "customer_b", "match_weight", "match_probability", "build_id", "as_of",
    ]  # fmt: skip
    assert stat.S_IMODE(found.file.stat().st_mode) == 0o600
    content = found.file.read_bytes()
    propose_duplicates(home, 6.0)
    assert duckdb.sql(f"from '{found.file}'").fetchall()
    assert found.file.read_bytes() == content, "the same people give the same proposals"


def test_a_small_shop_is_told_why_there_is_nothing(tmp_path: Path) -> None:
    pytest.importorskip("splink")
    with pytest.raises(RegularsError, match=f"fewer than the {MIN_PEOPLE}"):
        propose_duplicates(shop(tmp_path / "home", 50), 6.0)


def test_without_the_extra_the_command_says_what_to_install(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(UsageError, match="not installed") as error:
        propose_duplicates(home, 6.0)
    assert "[duplicates]" in str(error.value.hint)
