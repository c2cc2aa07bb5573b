"""The whole card on a small invented home, and what a home without a truth is told."""

from __future__ import annotations

import json
import subprocess
import sys
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from ingestion.errors import BusyError, RegularsError, UsageError
from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.commands.score import score
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.scorecard.scorecard import OURS, TROUBLES, make_scorecard

# Ann and Bob both used the kiosk; Ann signed in on her own device too.
TRUTH = """
copy (from (values
    ('P1', 'email', 'ann@a.example', 'none', false, 'P1-0'),
    ('P1', 'login', 'u1', 'none', false, 'P1-0'),
    ('P1', 'device', 'd1', 'none', false, 'P1-0'),
    ('P1', 'device', 'kiosk', 'shared_tablet', true, null),
    ('P2', 'email', 'bob@b.example', 'none', false, 'P2-0'),
    ('P2', 'login', 'u2', 'none', false, 'P2-0'),
    ('P2', 'device', 'kiosk', 'shared_tablet', true, null),
    ('P2', 'device', 'tablet', 'family', true, null)
) as t(person_id, identifier_type, identifier_value, trouble, is_shared, evidence_group))
to '{folder}/identifiers/part-000.parquet';
copy (from (values ('P1', 'ann@a.example'), ('P2', 'bob@b.example')) as t(person_id, best_email))
to '{folder}/people/part-000.parquet';
"""
PUBLISHED = """
create schema marts; create schema ops;
create table marts.bridge_customer_identifiers as from (values
    ('C1', 'email', 'ann@a.example'), ('C1', 'login', 'u1'), ('C1', 'device', 'd1'),
    ('C2', 'email', 'bob@b.example'), ('C2', 'login', 'u2'), ('C3', 'device', 'kiosk')
) as t(customer_id, identifier_type, identifier_value);
create table marts.dim_customers as from (values
    ('C1', 'ann@a.example'), ('C2', 'old@b.example'), ('C3', null)) as t(customer_id, email);
create table ops.build as select 'b' as build_id, 'run-1' as run_id,
    timestamp '2026-07-01' as as_of;
"""
RECORDS = (
    {"device": "d1", "login": "u1"},
    {"login": "u1", "email": "Ann@a.example"},
    {"device": "kiosk", "login": "u1"},
    {"device": "kiosk", "login": "u2"},
    {"login": "u2", "email": "bob@b.example"},
)


def write_warehouse(path: Path) -> None:
    columns = ", ".join(f"{name} varchar" for name in IDENTIFIER_TYPES)
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("create schema intermediate")
        warehouse.execute(
            "create table intermediate.int_identity_evidence (source_system varchar, rule varchar,"
            f" source_record_id varchar, observed_at timestamp, last_seen_at timestamp, {columns})"
        )
        for hour, record in enumerate(RECORDS):
            values = [record.get(name) for name in IDENTIFIER_TYPES]
            moment = f"timestamp '2026-01-01' + interval {hour} hour"
            warehouse.execute(
                "insert into intermediate.int_identity_evidence values"
                f" ('web', 'visit', '{hour}', {moment}, {moment}, {', '.join('?' * len(values))})",
                values,
            )
        warehouse.execute(
            "create table intermediate.int_identifier_values as"
            " select *, dense_rank() over (order by identifier_type, identifier_value) as"
            " identifier_key from (select distinct identifier_type, raw_value, lower(raw_value) as"
            " identifier_value from (unpivot intermediate.int_identity_evidence on"
            f" {', '.join(IDENTIFIER_TYPES)} into name identifier_type value raw_value))"
        )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    for name in ("identifiers", "people"):
        (home.demo / "truth" / name).mkdir(parents=True)
    duckdb.execute(TRUTH.format(folder=home.demo / "truth"))
    with duckdb.connect(str(home.published)) as published:
        published.execute(PUBLISHED)
    write_warehouse(home.warehouse)
    return home


def test_ours_and_every_rival_stand_side_by_side(home: Home) -> None:
    card = make_scorecard(home)
    assert (card.run_id, card.people, card.identifiers) == ("run-1", 2, 5)
    methods = {method.name: method for method in card.methods}
    assert list(methods) == [
        *(OURS, "email_equality", "last_login_per_device", "flat_matching", "connected_components")
    ]
    ours, plain = methods[OURS], methods["connected_components"]
    assert float(ours.pairs.score.f1) == 1
    assert ours.merges == 0
    assert ours.best_email == pytest.approx(0.5)
    assert ours.kept_ids is None
    assert plain.merges == 1
    assert float(plain.pairs.score.precision) == pytest.approx(4 / 10)
    assert float(plain.pairs.score.recall) == 1
    kiosk = {name: method.troubles[0].merges for name, method in methods.items()}
    # Ann's login is on more records of her own than at the kiosk that Bob took over.
    assert kiosk.pop("connected_components") == 1
    assert set(kiosk.values()) == {0}


def test_the_tables_show_every_method_and_trouble_and_nobody(home: Home, tmp_path: Path) -> None:
    out = Console(file=StringIO(), width=200)
    score(home, tmp_path / "card.json", home.published, out)
    said = out.file.getvalue()  # type: ignore[attr-defined]
    for word in ("Regulars", "Segment", "Snowplow", "Fivetran", "kept ids", *TROUBLES):
        assert word in said
    written = (tmp_path / "card.json").read_text("utf-8")
    assert "@" not in said + written
    facts = json.loads(written)
    assert [method["id_stability"] for method in facts["methods"]] == [1, None, None, None, None]
    for method in facts["methods"]:
        assert tuple(method["troubles"]) == TROUBLES
        assert 0 <= method["pairwise"]["f1"] <= 1


@pytest.mark.parametrize("place", ["", "no folder/card.json"])
def test_a_file_that_cannot_be_written_is_refused_at_once(
    home: Home, tmp_path: Path, place: str
) -> None:
    home.warehouse.unlink()  # would be missed later
    with pytest.raises(UsageError, match="cannot be written"):
        score(home, tmp_path / place, None, Console(file=StringIO()))


def test_the_same_home_gives_the_same_file(home: Home, tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        score(home, tmp_path / name, None, Console(file=StringIO()))
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_families_are_split_into_devices_and_cards(home: Home) -> None:
    troubles = {one.trouble: one.people for one in make_scorecard(home).methods[0].troubles}
    assert troubles["family_device"] == 1
    assert troubles["household_card"] == 0


def test_a_home_without_a_truth_is_told_so_in_one_sentence(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("regulars")), "score", "--home", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "no pretend shop" in done.stderr
    assert "`regulars demo` makes one" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_truth_of_another_version_is_refused(home: Home) -> None:
    (home.demo / "truth" / "identifiers" / "part-000.parquet").write_bytes(b"nothing")
    with pytest.raises(UsageError, match="another version"):
        make_scorecard(home)


def test_without_a_published_file_there_is_nothing_to_score(home: Home) -> None:
    home.published.unlink()
    with pytest.raises(RegularsError, match="Nothing is published"):
        make_scorecard(home)


def test_without_a_warehouse_rivals_have_no_evidence(home: Home) -> None:
    home.warehouse.unlink()
    with pytest.raises(RegularsError, match="no warehouse"):
        make_scorecard(home)


def test_a_warehouse_without_evidence_is_refused(home: Home) -> None:
    home.warehouse.unlink()
    duckdb.connect(str(home.warehouse)).close()
    with pytest.raises(RegularsError, match="does not hold the evidence"):
        make_scorecard(home)


def test_a_run_under_way_is_waited_for_by_nobody(home: Home) -> None:
    script = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX);"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home.lock)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(BusyError):
            make_scorecard(home)
        other.communicate()
    assert lock.holder(home.lock) is None


@pytest.mark.parametrize("content", [None, b"nothing", ""])
def test_an_older_file_that_is_none_is_refused(
    home: Home, tmp_path: Path, content: bytes | str | None
) -> None:
    older = tmp_path / "older.duckdb"
    if content == "":
        duckdb.connect(str(older)).close()
    elif content is not None:
        older.write_bytes(content)  # type: ignore[arg-type]
    with pytest.raises(UsageError):
        make_scorecard(home, older)
