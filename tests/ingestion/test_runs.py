"""The life of a run: again, the same twice, changed, killed, defective; what it leaves behind."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion import pipelines
from ingestion.config import Quarantine, Settings
from ingestion.errors import SourceError
from ingestion.files.input_mark import fingerprint
from ingestion.landing import intake as intake_module
from ingestion.landing.batch import RawBatch, Reject
from ingestion.landing.intake import Intake
from ingestion.pipelines import begin, run_source
from ingestion.registry import SOURCES, enabled_sources
from ingestion.sources.web import EVENTS

NO_LIMIT = Settings(quarantine=Quarantine(max_share=1.0, accept=("*",)))


def test_a_second_run_does_nothing(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), make.event("m2"), make.event("m1")))
    assert make.four(shop.run("web")["events"]) == (3, 2, 0, 1)
    before = shop.query("select count(*) from raw_web._dlt_loads")
    assert make.four(shop.run("web")["events"]) == (0, 0, 0, 0)
    assert shop.query("select count(*) from raw_web._dlt_loads") == before


def test_the_same_file_under_a_second_name_is_all_duplicates(shop: Any, make: Any) -> None:
    text = make.lines(make.event("m1"), "{bad", make.event("m2"))
    shop.write("web/a.jsonl", text)
    assert make.four(shop.run("web")["events"]) == (3, 2, 1, 0)
    shop.write("web/again/b.jsonl.gz", text)
    # the bad line is held once per place, so that each can be found
    assert make.four(shop.run("web")["events"]) == (3, 0, 1, 2)


def test_a_changed_file_is_read_again(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), "{bad"))
    shop.run("web")
    shop.write("web/a.jsonl", make.lines(make.event("m1"), "{bad", make.event("m2")))
    assert make.four(shop.run("web")["events"]) == (3, 1, 0, 2)
    assert len(shop.quarantine("web")) == 1


def test_a_row_sent_again_with_other_content_is_a_further_version(shop: Any, make: Any) -> None:
    shop.write("orders/a.jsonl", make.lines(make.order(1), make.order(1, total_price="9.00")))
    assert make.four(shop.run("orders")["orders"]) == (2, 2, 0, 0)


def test_spaces_and_unknown_fields_make_no_new_version(shop: Any, make: Any) -> None:
    row = make.event("m1")
    shop.write("web/a.jsonl", make.lines(row))
    shop.run("web")
    shop.write("web/b.json", json.dumps([{**row, "integrations": {"All": True}}], indent=2))
    assert make.four(shop.run("web")["events"]) == (1, 0, 0, 1)


def test_late_rows_of_any_age_arrive(shop: Any, make: Any) -> None:
    shop.write("web/2026.jsonl", make.lines(make.event("m1")))
    shop.run("web")
    shop.write("web/1999.jsonl", make.lines(make.event("m0", timestamp="1999-01-01T00:00:00Z")))
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)


def test_nothing_personal_stays_in_working_files(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("canary-1"), '{"canary-2"'))
    shop.run("web")
    assert [path for path in shop.dlt.rglob("*") if path.is_file()] == []
    for table in ("events", "quarantine"):
        assert shop.query(f"select count(*) from raw_web_staging.{table}") == [(0,)]
    assert shop.raw.stat().st_mode & 0o777 == 0o600


def test_leftovers_of_a_killed_run_are_dropped(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    with begin("web", shop.context()) as run:
        run.pipeline.extract(run.dlt_source, loader_file_format="parquet")
        run.pipeline.normalize()
        left = [path for path in shop.dlt.rglob("*") if path.is_file()]
        copies = {path: path.read_bytes() for path in left}
    for path, data in copies.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)
    assert shop.query("select count(*) from raw_web.events") == [(1,)]


def test_a_home_that_lost_dlts_folder_or_the_ledger_goes_on(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), "{bad"))
    shop.run("web")
    shop.query("drop table raw_web._files")
    assert make.four(shop.run("web")["events"]) == (2, 0, 0, 2)


def test_the_inboxs_mark_follows_every_file(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    first = fingerprint(shop.input, SOURCES.values())
    assert fingerprint(shop.input, SOURCES.values()) == first
    shop.write("web/README.md", "x")
    assert fingerprint(shop.input, SOURCES.values()) == first
    shop.write("orders/mapping.yml", "x")
    second = fingerprint(shop.input, SOURCES.values())
    shop.write("web/a.jsonl", make.lines(make.event("m2")))
    assert len({first, second, fingerprint(shop.input, SOURCES.values())}) == 3


@pytest.mark.faults
def test_an_unchanged_input_costs_little(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    names = [n for n in enabled_sources(shop.settings) if n not in ("klaviyo", "shopify")]
    for name in names:
        shop.run(name)
    started = time.process_time()
    for name in names:
        shop.run(name)
    assert time.process_time() - started < 4


# The conservation law ----------------------------------------------------------------------------

ROW = st.one_of(
    st.integers(1, 6).map(lambda n: {"type": "page", "messageId": f"m{n}", "anonymousId": "d",
                                     "timestamp": "2026-01-01T00:00:00Z"}),
    st.sampled_from(["{bad", "[]", "null", '"x"', "{}", '{"type": "page"}', "\x00", "{]", "é"]),
    st.dictionaries(
        st.sampled_from(["type", "messageId", "anonymousId", "timestamp", "event", "properties"]),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner,
                                                                        max_size=3),
            max_leaves=5,
        ),
    ),
    st.text(max_size=30),
)  # fmt: skip


def _text(row: Any) -> str:
    return row if isinstance(row, str) else json.dumps(row, ensure_ascii=False)


@pytest.mark.faults
@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(ROW, max_size=12), max_size=4), st.integers(0, 3))
def test_every_row_is_new_bad_or_duplicate(batches: list[list[Any]], rejects: int) -> None:
    """Whatever arrives, the door lets it through, holds it or knows it: exactly one of them."""
    intake = Intake("web", Path("nowhere.duckdb"), "r", NO_LIMIT.quarantine)
    raw = [
        RawBatch(
            pa.table(
                {
                    "_file": ["f"] * len(rows),
                    "_line": pa.array(range(1, len(rows) + 1), pa.int64()),
                    "_raw": pa.array([_text(row) for row in rows], pa.large_string()),
                }
            )
        )
        for rows in batches
        if rows
    ]
    broken = [Reject("g", n, "bad_encoding", "", "?") for n in range(rejects)]
    items = list(intake.admit(EVENTS, raw, broken))
    tables = [getattr(item, "data", item) for item in items]
    loaded = sum(t.num_rows for t in tables if "_row_id" in t.column_names)
    held = sum(t.num_rows for t in tables if "quarantine_id" in t.column_names)
    tally = intake.tallies["events"]
    intake.close()
    assert (tally.new, tally.bad) == (loaded, held)
    assert tally.received == sum(map(len, batches)) + rejects
    assert tally.received == tally.new + tally.bad + tally.duplicate


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(ROW, min_size=1, max_size=12), min_size=1, max_size=3))
def test_received_is_loaded_quarantined_and_duplicate(
    tmp_path_factory: pytest.TempPathFactory, make: Any, files: list[list[Any]]
) -> None:
    shop = make.Shop(tmp_path_factory.mktemp("law"), NO_LIMIT)
    total = {"received": 0, "loaded": 0, "quarantined": 0, "duplicate": 0}
    for number, rows in enumerate(files):
        shop.write(f"web/{number}.jsonl", make.lines(*map(_text, rows)))
        count = shop.run("web")["events"]
        assert count.received == count.loaded + count.quarantined + count.duplicate
        for name in total:
            total[name] += getattr(count, name)
    assert shop.query("select count(*) from raw_web.events") == [(total["loaded"],)]
    assert shop.query("select count(*) from raw_web.quarantine") == [(total["quarantined"],)]


@pytest.mark.parametrize("defect", ["a lost row", "a doubled row", "a lost bad row"])
def test_the_law_can_fail(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch, defect: str
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), make.event("m2"), "{bad"))
    shop.write("web/b.jsonl", make.lines(make.event("m3")))
    real = Intake.admit

    def defective(self: Intake, *args: Any) -> Any:
        for item in real(self, *args):
            is_bad = not isinstance(item, pa.Table)
            if not is_bad and item.num_rows and defect == "a lost row":
                yield item.slice(1)
            elif not is_bad and item.num_rows and defect == "a doubled row":
                yield pa.concat_tables([item, item.slice(0, 1)])
            elif is_bad and item.data.num_rows and defect == "a lost bad row":
                continue
            else:
                yield item

    monkeypatch.setattr(Intake, "admit", defective)
    with pytest.raises(SourceError, match="web: rows do not add up"):
        shop.run("web")
    assert not shop.query("select 1 from information_schema.tables where table_name = '_files'")


def test_a_full_disk_says_so_and_the_next_run_goes_on(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))

    def full(*_args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(intake_module.Intake, "_new_rows", full)
        with pytest.raises(SourceError, match="the disk is full"):
            shop.run("web")
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)


def test_a_store_half_made_on_a_full_disk_is_made_again(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB leaves a file that it refuses to open; ours appears only when it is whole."""
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    real = duckdb.connect

    def full(path: str = ":memory:", *args: Any, **more: Any) -> Any:
        if path.endswith(".new"):
            Path(path).write_bytes(b"half a header")
            raise duckdb.IOException("Could not write file: No space left on device")
        return real(path, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(duckdb, "connect", full)
        with pytest.raises(SourceError, match="the disk is full"):
            shop.run("web")
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)


def test_a_damaged_raw_store_is_named(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))
    shop.raw.parent.mkdir(parents=True)
    shop.raw.write_bytes(b"no database" * 1000)
    with pytest.raises(SourceError, match="raw store is damaged"):
        shop.run("web")


def test_an_engines_words_stay_out_of_the_error(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1")))

    def broken(*_args: Any) -> None:
        raise duckdb.ConversionException("Could not convert 'canary@people.example'")

    monkeypatch.setattr(intake_module.Intake, "_new_rows", broken)
    with pytest.raises(SourceError, match=r"loading failed \(ConversionException\)") as caught:
        shop.run("web")
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("moment", ["settle", "write_ledger"])
def test_a_crash_after_the_load_counts_its_rows_as_known(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1"), "{bad"))

    def crash(*_args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        owner = Intake if moment == "settle" else pipelines
        patch.setattr(owner, moment, crash)
        with pytest.raises(KeyboardInterrupt):
            shop.run("web")
    assert make.four(shop.run("web")["events"]) == (2, 0, 0, 2)
    assert shop.query("select count(*) from raw_web.events") == [(1,)]


# Killed ------------------------------------------------------------------------------------------

CHILD = """
import sys
from datetime import datetime
from pathlib import Path
from ingestion.config import Settings
from ingestion.files.folder import InputFolder
from ingestion.pipelines import RunContext, run_source

root = Path(sys.argv[1])
context = RunContext(root / "home" / "raw.duckdb", root / "home" / "dlt", "child",
                     datetime(2026, 7, 1), Settings(), InputFolder.at(root / "input"))
print("ready", flush=True)
for name in ("web", "orders"):
    run_source(name, context)
print("done", flush=True)
"""


KILLS = 34 if os.environ.get("REGULARS_SOAK") else 6  # of each kind: RELIABILITY B1 asks for 100


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("state", ["kept", "wiped", "from a week ago"])
def test_kill_9_loses_and_doubles_nothing(shop: Any, make: Any, state: str) -> None:
    """Killed at random moments, then one clean run: every row once (RELIABILITY B1).

    Before each the folder with dlt's state is as the kill left it, gone, or that of seven rounds
    before, as a restored backup has it.
    """
    seed = int(os.environ.get("REGULARS_SEED", "20260701"))
    rounds = int(os.environ.get("REGULARS_KILLS", KILLS))
    backups: list[Path] = []
    chance = random.Random(seed)
    written = 0
    kills = 0
    for number in range(rounds):
        rows = [make.event(f"m{written + n}") for n in range(2000)]
        shop.write(f"web/{number}.jsonl.gz", make.lines(*rows, f"{{bad {number}"))
        orders = [make.order(written + n) for n in range(500)]
        shop.write(f"orders/{number}.jsonl", make.lines(*orders))
        written += 2000
        _put_state(shop.root, state, backups)
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(shop.root)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout
        assert child.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 2.5))
        child.send_signal(signal.SIGKILL)
        kills += child.wait() == -signal.SIGKILL
    _put_state(shop.root, state, backups)
    web, orders_count = shop.run("web")["events"], shop.run("orders")["orders"]
    assert web.received == web.loaded + web.quarantined + web.duplicate
    assert orders_count.received == orders_count.loaded + orders_count.duplicate
    ids = "count(*), count(distinct message_id)"
    assert shop.query(f"select {ids} from raw_web.events") == [(written, written)]
    held = "count(*), count(distinct quarantine_id)"
    assert shop.query(f"select {held} from raw_web.quarantine") == [(rounds, rounds)]
    ids = "count(*), count(distinct order_id)"
    assert shop.query(f"select {ids} from raw_orders.orders") == [(rounds * 500, rounds * 500)]
    print(f"state {state}: {kills} of {rounds} kills met a live process, {written:,} events")
    assert kills >= rounds // 4, f"few kills met a live process with seed {seed}"


def _put_state(root: Path, state: str, backups: list[Path]) -> None:
    """dlt's folder before a run; a copy of it is kept for later rounds."""
    folder = root / "home" / "dlt"
    if state == "wiped":
        shutil.rmtree(folder, ignore_errors=True)
    elif state == "from a week ago":
        backups.append(root / f"backup-{len(backups)}")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder, backups[-1])
        shutil.rmtree(folder)
        shutil.copytree(backups[max(0, len(backups) - 8)], folder)


# Daily loads -------------------------------------------------------------------------------------


@pytest.mark.faults
def test_thirty_daily_loads_equal_one_load(tmp_path: Path, make: Any) -> None:
    daily, once = make.Shop(tmp_path / "daily"), make.Shop(tmp_path / "once")
    chance = random.Random(7)
    for day in range(30):
        rows: list[Any] = []
        for _ in range(40):
            number = chance.randrange(day * 20 + 20)
            at = f"2026-01-{chance.randrange(day + 1) + 1:02d}T00:00:00Z"
            rows.append(make.event(f"m{number}", timestamp=at))
        rows.append(f"{{bad {day}")
        name = f"web/2026/{day:02d}.jsonl"
        for shop in (daily, once):
            shop.write(name, make.lines(*rows))
        run_source("web", daily.context())
    run_source("web", once.context())
    columns = ", ".join(name for name, _ in EVENTS.stored_columns)
    events = f"select {columns}, _row_id from raw_web.events order by _row_id"
    held = "select file, line, reason, raw_text from raw_web.quarantine order by all"
    places = "select _row_id, _file, _line from raw_web.events order by _row_id"
    assert daily.query(events) == once.query(events)
    assert daily.query(held) == once.query(held)
    assert daily.query(places) == once.query(places)
    with duckdb.connect(str(once.raw)) as connection:
        assert connection.execute("select count(*) from raw_web.events").fetchone() > (500,)
