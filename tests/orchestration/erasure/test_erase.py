"""Whoever is forgotten is in no byte of the home, and nobody else misses anything (A8)."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from ingestion.errors import BusyError
from ingestion.forgetting.hidden import DIGEST
from ingestion.forgetting.whose import PERSONAL, WITHOUT_PEOPLE
from ingestion.registry import SOURCES
from orchestration.activation.ledger import broken_laws
from orchestration.activation.removal import tell_destinations
from orchestration.erasure import files
from orchestration.erasure.erase import carry_out, finish_erasures, strip_arrivals
from orchestration.home.layout import Home
from orchestration.home.whole_file import PART
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import Store, open_store
from orchestration.ops.tombstones import (
    TYPED_BY_PEOPLE,
    carry_over,
    forgotten_among,
    forgotten_at,
    open_erasures,
    request,
    tombstones_in,
)
from orchestration.run.run import RunRequest, open_run
from tests.locks import held_elsewhere
from tests.orchestration.erasure.planted import (
    NOW,
    SHARED,
    customer,
    keys_of,
    plant,
    rows_of,
    settings,
    subject,
)
from tests.traces import forms, traces

PEOPLE = 4


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plant(tmp_path / "home", PEOPLE)


def values(number: int) -> list[str]:
    return [*(value for _, value in keys_of(number)), *subject(number).ids]


def forget(home: Home, store: Store, number: int) -> None:
    with store.write() as connection:
        request(connection, subject(number), reason="asked", at=NOW)
    tell_destinations(store, home, settings(), subject(number).ids, at=NOW, wait=lambda _: None)
    with store.read() as connection:
        (erasure,) = open_erasures(connection)
    carry_out(home, store, erasure, country="GB", location="", at=NOW)


def test_every_raw_table_says_whose_its_rows_are_or_that_nobody_is_in_it() -> None:
    tables = {(source.name, spec.name) for source in SOURCES.values() for spec in source.tables}
    assert set(PERSONAL) | WITHOUT_PEOPLE == tables
    assert not set(PERSONAL) & WITHOUT_PEOPLE


def test_nothing_of_a_forgotten_person_is_left_and_everything_of_the_others(home: Home) -> None:
    planted = traces(home.root, values(1))
    assert len({line.split(":")[0] for line in planted}) > 30, "they stood everywhere"
    others = {number: rows_of(home, number) for number in (0, 2, 3)}
    with open_store(home) as store:
        forget(home, store, 1)
        assert traces(home.root, values(1)) == []
        assert {number: rows_of(home, number) for number in others} == others
        for number in others:
            assert traces(home.root, values(number)) != []
        assert broken_laws(store) == []
        with store.read() as connection:
            assert open_erasures(connection) == []
            assert forgotten_at(connection, keys_of(1)) == NOW
            assert forgotten_at(connection, [SHARED]) is None, "it is nobody's alone"


def test_copies_that_a_killed_backup_left_go_too(home: Home) -> None:
    left = home.root / ".backup-killed"
    left.mkdir()
    shutil.copy(home.raw, left)
    with open_store(home) as store:
        forget(home, store, 1)
    assert not left.exists()
    assert traces(home.root, values(1)) == []


def test_the_books_keep_what_was_paid_and_the_proof_that_there_was_a_yes(home: Home) -> None:
    with open_store(home) as store:
        forget(home, store, 1)
        with store.read() as connection:
            table = schema.consent_events.c
            query = select(func.count(), func.count(table.wording_version)).where(
                table.identifier_value.startswith("forgotten:")
            )
            assert tuple(connection.execute(query).one()) == (2, 2)
            people = set(connection.execute(select(schema.deliveries.c.customer_id)).scalars())
    assert sum(one.startswith("forgotten-") for one in people) == 1
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        kept = raw.execute(
            "select count(*), count(payload ->> '$.total'), count(payload ->> '$.note')"
            " from raw_orders.orders where _row_id like '1:%'"
        ).fetchone()
        lines = raw.execute(
            "select count(*), count(email), count(phone), count(customer_ref)"
            " from raw_orders.order_lines where _row_id like '1:%'"
        ).fetchone()
        gift = raw.execute(
            "select product_name, email from raw_orders.order_lines where _row_id = '9:gift'"
        ).fetchone()
    assert kept is not None
    assert kept[0] == kept[1] > 5
    assert kept[2] == 0
    assert lines == (4, 0, 0, 0)
    assert gift == ("A tin for p000.wandering-canary@example.com", "x@example.org")
    with duckdb.connect(str(home.published), read_only=True) as file:
        orders = file.execute(
            "select order_id, customer_id, net_sales, landing_site"
            " from marts.fct_orders order by order_id"
        ).fetchall()
        (said,) = file.execute(
            "select comment from duckdb_tables() where table_name = 'dim_customers'"
        ).fetchone() or ("",)
        counted = file.execute("select row_count from ops.build_tables").fetchall()
    assert orders[1] == ("o1", None, "12.50", None)
    assert orders[2][1] == customer(2)
    assert said == "One row per customer."
    assert counted == [(PEOPLE - 1,)]


def test_what_a_destination_was_told_of_their_refusal_stays_under_its_new_id(home: Home) -> None:
    told, facts = schema.withdrawals_written.c, schema.suppressions.c
    with open_store(home) as store:
        forget(home, store, 1)
        with store.read() as connection:
            refusals = set(connection.execute(select(facts.suppression_id)).scalars())
            known = set(connection.execute(select(told.refusal_id)).scalars())
    assert "s1" not in known
    assert known == refusals
    assert len(known) == PEOPLE


def test_what_another_says_of_them_is_emptied_and_the_rest_of_it_stays(home: Home) -> None:
    with open_store(home) as store:
        forget(home, store, 0)
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        gift = raw.execute(
            "select product_name, email from raw_orders.order_lines where _row_id = '9:gift'"
        ).fetchone()
        (whole,) = raw.execute(
            "select raw_text from raw_web.quarantine where quarantine_id = 'whole'"
        ).fetchone() or ("",)
    assert gift == ("A tin for ", "x@example.org")
    assert whole.count("@") == PEOPLE - 1, "a whole file's text may hold refusals of others"


def test_the_destination_is_told_and_the_receipt_says_so_without_a_value(home: Home) -> None:
    with open_store(home) as store:
        forget(home, store, 1)
    (path,) = home.erasures.glob("*.json")
    receipt = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert receipt["still_to_be_told"] == []
    assert len(receipt["identifiers"]) == len(keys_of(1))
    assert receipt["stores"]["raw.duckdb"]["raw_web.events"] > 5
    audience = (home.delivered / "file" / "vip" / "audience.csv").read_text()
    assert audience.count("wandering-canary") == PEOPLE - 1


def test_a_destination_that_is_switched_off_is_told_later_and_its_address_kept(home: Home) -> None:
    with open_store(home) as store:
        with store.write() as connection:
            request(connection, subject(1), reason="asked", at=NOW)
        finish_erasures(home, store, country="GB", location="", at=NOW)
        (path,) = home.erasures.glob("*.json")
        assert json.loads(path.read_text())["still_to_be_told"] == ["file: vip"]
        kept = {line.split(":")[0].split(" ")[0] for line in traces(home.root, values(1))}
        assert kept == {"ops.sqlite"}, "only what the removal needs"
        tell_destinations(store, home, settings(), subject(1).ids, at=NOW, wait=lambda _: None)
        finish_erasures(home, store, country="GB", location="", at=NOW)
        with store.read() as connection:
            assert open_erasures(connection) == []
    assert json.loads(path.read_text())["still_to_be_told"] == []


def test_a_file_that_a_killed_process_left_half_written_goes(home: Home) -> None:
    audience = home.delivered / "file" / "vip" / "audience.csv"
    half = audience.with_name(f"{audience.name}{PART}")
    shutil.copy(audience, half)
    with open_store(home) as store:
        forget(home, store, 1)
    assert not half.exists()
    assert audience.read_text().count("wandering-canary") == PEOPLE - 1


def test_nobody_writes_delivered_files_while_somebody_is_taken_out_of_them(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "SENDERS_WAIT_SECONDS", 0.0)
    before = (home.delivered / "file" / "vip" / "audience.csv").read_bytes()
    with held_elsewhere(home.sending_lock), pytest.raises(BusyError):
        files.erase_from_delivered(home, subject(1))
    assert (home.delivered / "file" / "vip" / "audience.csv").read_bytes() == before


def test_what_arrives_again_is_taken_out_before_anybody_reads_it(home: Home) -> None:
    with open_store(home) as store:
        forget(home, store, 1)
        with duckdb.connect(str(home.raw)) as raw:
            raw.execute(
                "insert into raw_contacts.contacts (_row_id, email, first_name) values"
                " ('again', ' P001.Wandering-Canary@Example.com ', 'Ann'), ('new', 'n@x.org', 'Bo')"
            )
            raw.execute(
                "insert into raw_web.events (_row_id, properties) values"
                """ ('link', '{"url":"/?to=p001.wandering-canary%40example.com&x=1"}')"""
            )
        again = strip_arrivals(home, store, "GB")
        assert again == {"raw_contacts.contacts": 1, "raw_web.events (mentions emptied)": 1}
        assert strip_arrivals(home, store, "GB") == {}
    assert traces(home.root, values(1)) == []
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        assert raw.execute("from raw_contacts.contacts where _row_id = 'new'").fetchone()


@pytest.mark.faults
@pytest.mark.parametrize("is_later", [False, True])
def test_hashes_and_base64_of_a_forgotten_address_are_found(home: Home, is_later: bool) -> None:
    """What advertising puts into links: known at the erasure, and when it comes again."""
    email, phone = values(1)[:2]
    other = values(2)[0]

    def arrive() -> None:
        with duckdb.connect(str(home.raw)) as raw:
            for number, form in enumerate(
                written for each in (email, phone) for written in hiding(each)
            ):
                said = json.dumps(
                    {"url": f"https://shop.example/?q=1&em={form}&x={hiding(other)[0]}"}
                )
                raw.execute(
                    "insert into raw_web.events (_row_id, properties) values (?, ?)",
                    [f"hidden-{number}", said],
                )
        (home.inbox / "events").mkdir(parents=True, exist_ok=True)
        body = {"rows": [{"hash": hiding(email)[0]}, {"hash": hiding(other)[0]}]}
        (home.inbox / "events" / "120000000000-ab.json").write_text(json.dumps(body))

    with open_store(home) as store:
        if not is_later:
            arrive()
            (home.root / "notes.txt").write_text(f"sent {' '.join(hiding(email))}")
        forget(home, store, 1)
        if is_later:
            arrive()
            assert strip_arrivals(home, store, "GB")["inbox"] == 1
        assert strip_arrivals(home, store, "GB") == {}
    assert traces(home.root, values(1)) == []
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        query = "select properties from raw_web.events where _row_id like 'hidden-%'"
        kept = [json.loads(said)["url"] for (said,) in raw.execute(query).fetchall()]
    assert len(kept) == len(hiding(email)) * 2
    assert all(url.endswith(f"&x={hiding(other)[0]}") and "?q=1&em=" in url for url in kept)


def hiding(value: str) -> list[str]:
    """A value as a link may have it, without saying it."""
    plain = value.encode()
    texts = [f"{'m' * lead}:{value}:" for lead in range(3)]
    return [
        hashlib.sha256(plain).hexdigest(),
        hashlib.sha256(plain).hexdigest().upper(),
        hashlib.sha1(plain, usedforsecurity=False).hexdigest(),
        hashlib.md5(plain, usedforsecurity=False).hexdigest(),
        base64.b64encode(plain).decode(),
        *(base64.b64encode(text.encode()).decode() for text in texts),
        *(base64.urlsafe_b64encode(b"\xff\xfe" + text.encode()).decode() for text in texts),
    ]


def test_a_receipt_carries_the_hashes_over(home: Home, tmp_path: Path) -> None:
    copy = Home(shutil.copytree(home.root, tmp_path / "copy", symlinks=True))
    with open_store(home) as store:
        forget(home, store, 1)
    (receipt,) = home.erasures.glob("*.json")
    said = json.loads(receipt.read_text("utf-8"))
    typed = sum(kind in TYPED_BY_PEOPLE for kind, _ in keys_of(1))
    # Three hashes of the address and of three forms of the number; what is typed, in any case
    assert len(said["digests"]) == 3 * (1 + 3) + typed
    with open_store(copy) as store, store.write() as connection:
        carry_over(connection, tombstones_in(connection, said))
        digest = (DIGEST, hiding(values(1)[0])[0])
        assert forgotten_among(connection, [digest]) == {digest}


@pytest.mark.faults
def test_what_is_recorded_by_hand_of_somebody_forgotten_is_kept_as_a_hash_only(home: Home) -> None:
    with open_store(home) as store:
        forget(home, store, 1)
        kind, value = keys_of(1)[0]
        event = ConsentEvent(kind, value, "email", "marketing", "revoked", NOW, "by hand")
        record_consents(store, [event], recorded_at=NOW)
        assert strip_arrivals(home, store, "GB") == {"consent_events": 1}
        assert strip_arrivals(home, store, "GB") == {}
    assert traces(home.root, values(1)) == []


@pytest.mark.faults
def test_bodies_of_webhooks_lose_the_person_and_keep_the_others(home: Home) -> None:
    def put(place: str, content: object) -> Path:
        path = home.inbox / place / "2026-06-01" / "120000000000-ab.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
        return path

    mine, other = ({"email": keys_of(n)[0][1], "event": "open"} for n in (1, 2))
    several = put("email/sendgrid", [mine, other])
    alone = put("web/segment", {"userId": dict(keys_of(1))["login"], "type": "page"})
    order = put("orders/shopify", {"id": 4, "email": mine["email"], "total_price": "9.50"})
    odd = put("unread/klaviyo", {})
    odd.write_text(f'{{"email": "{mine["email"].upper()}", broken')
    with open_store(home) as store:
        forget(home, store, 1)
        assert json.loads(several.read_text()) == [other]
        assert not alone.exists()
        assert not odd.exists()
        assert json.loads(order.read_text()) == {"id": 4, "total_price": "9.50"}
        put("web/segment", {"userId": dict(keys_of(1))["login"], "type": "page"})
        assert strip_arrivals(home, store, "GB") == {"inbox": 1}
    assert traces(home.root, values(1)) == []


def test_an_address_that_ends_in_a_forgotten_one_is_another(home: Home) -> None:
    longer, text = f"x{keys_of(1)[0][1]}", f"x{keys_of(1)[0][1]}, {keys_of(1)[0][1]}!"
    notes = home.root / "notes.txt"
    notes.write_text(f"{longer} and {keys_of(1)[0][1]}.")
    row = home.delivered / "file" / "vip" / "audience.jsonl"
    row.write_text(json.dumps({"email": longer}) + "\n")
    with duckdb.connect(str(home.raw)) as raw:
        raw.execute(
            "insert into raw_klaviyo.events (_row_id, email, payload) values ('longer', ?, ?)",
            [longer, text],
        )
    with duckdb.connect(str(home.published)) as file:
        file.execute("insert into marts.rpt_free_text values ('other', ?)", [longer])
        file.execute("insert into marts.rpt_free_text values ('other', ?)", [text])
    with open_store(home) as store:
        forget(home, store, 1)
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        found = raw.execute(
            "select email, payload from raw_klaviyo.events where _row_id = 'longer'"
        ).fetchone()
    assert found == (longer, f"{longer}, !")
    with duckdb.connect(str(home.published), read_only=True) as file:
        said = file.execute(
            "select detail from marts.rpt_free_text where customer_id = 'other' order by 1"
        ).fetchall()
    assert said == [(longer,), (None,)]
    assert notes.read_text() == f"{longer} and forgotten."
    assert row.read_text() == json.dumps({"email": longer}) + "\n"


def test_a_parquet_file_of_anybodys_loses_the_row_and_a_strange_database_is_named(
    home: Home,
) -> None:
    table = pa.table({"customer_id": [customer(n) for n in range(PEOPLE)], "score": [1.0] * PEOPLE})
    scores = home.root / "analysis" / "scores.parquet"
    scores.parent.mkdir()
    pq.write_table(table, scores)
    strange = home.root / "mine.duckdb"
    strange.write_bytes(keys_of(1)[0][1].encode())
    with open_store(home) as store:
        forget(home, store, 1)
    assert pq.read_table(scores).num_rows == PEOPLE - 1
    (receipt,) = home.erasures.glob("*.json")
    assert any("mine.duckdb" in each for each in json.loads(receipt.read_text())["not_rewritten"])
    assert strange.exists()
    assert traces(home.root, values(1), skip=["mine.duckdb"]) == []


def test_the_next_run_completes_an_erasure_that_was_stopped(home: Home) -> None:
    with open_store(home) as store, store.write() as connection:
        request(connection, subject(1), reason="asked", at=NOW)
    told: list[str] = []
    with open_run(home, settings(), RunRequest(NOW), say=told.append):
        left = {line.split(":")[0].split(" ")[0] for line in traces(home.root, values(1))}
        assert left == {"ops.sqlite"}, "only what the removal at the destination needs"
    with open_store(home) as store:
        tell_destinations(store, home, settings(), subject(1).ids, at=NOW, wait=lambda _: None)
    with open_run(home, settings(), RunRequest(NOW), say=told.append):
        assert traces(home.root, values(1)) == []
    assert "Somebody asked to be forgotten and was not erased yet; they are now." in told


def test_a_home_where_nobody_was_forgotten_is_not_searched(home: Home) -> None:
    before = home.raw.stat().st_mtime_ns
    with open_store(home) as store:
        assert strip_arrivals(home, store, "GB") == {}
    assert home.raw.stat().st_mtime_ns == before


@pytest.mark.parametrize("name", sorted(forms("somebody@example.com")))
def test_the_search_finds_a_value_in_every_encoding(name: str, tmp_path: Path) -> None:
    import base64

    value = "somebody@example.com"
    text = forms(value)[name]
    if name.startswith("base64"):
        lead = int(name.split()[1])
        text = base64.b64encode(b"abc"[:lead] + value.encode() + b" and more")
    (tmp_path / "file.bin").write_bytes(b"xx" + text + b"yy")
    assert f"file.bin: {name}" in traces(tmp_path, [value])
