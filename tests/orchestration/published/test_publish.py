"""Only an audited build becomes the published file, whole or not at all.

1,000 reads during swaps and 15 kills by default; 10,000 and 50 with REGULARS_SOAK=1 (`make soak`).
"""

import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from contextlib import suppress
from dataclasses import replace

import duckdb
import pytest

from ingestion.errors import CheckFailedError
from orchestration.published.audit import failure, record_audit
from orchestration.published.candidate import build_candidate, describe_candidate, is_whole
from orchestration.published.checks import CheckResult
from orchestration.published.files import sha256_of
from orchestration.published.reader import open_published, read_build
from orchestration.published.swap import (
    STEPS,
    clear_half_built,
    publish,
    versions_dir,
)

SOAK = bool(os.environ.get("REGULARS_SOAK"))
READS, READERS, KILLS = (10_000, 4, 50) if SOAK else (1_000, 2, 15)


def numbers(home):
    """The numbers found in the tables of the published file; one if nothing is mixed."""
    with open_published(home) as con:
        return {
            con.execute(f"select min(number), max(number) from {table}").fetchone()
            for table in ("marts.dim_customers", "segments.seg_vip", "ops.runs")
        }


def test_an_audited_build_is_published_with_its_parquet_copies(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, checks)
    publish(home, log, candidate)
    assert not home.candidate.exists()
    assert home.published.stat().st_mode & 0o777 == 0o600
    assert read_build(home.published)[0] == candidate.build_id
    copies = sorted(path.name for path in home.published_dir.glob("*.parquet"))
    tables = ("marts.dim_customers", "marts.v", "ops.runs", "segments.seg_vip")
    assert copies == [f"{table}.parquet" for table in tables]
    path = home.published_dir.resolve() / "marts.dim_customers.parquet"
    assert path.stat().st_mode & 0o777 == 0o600
    with duckdb.connect() as con:
        assert con.execute(f"select count(*) from '{path}'").fetchone() == (200,)
        key, value = con.execute(
            f"select decode(key), decode(value) from parquet_kv_metadata('{path}')"
        ).fetchone()
    assert (key, value) == ("build_id", candidate.build_id)


def test_an_unaudited_build_is_refused(home, log, run):
    with pytest.raises(CheckFailedError, match="never audited"):
        publish(home, log, build_candidate(home, run))
    assert not home.published.exists()


def test_a_build_changed_after_its_audit_is_refused(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, checks)
    with duckdb.connect(str(home.candidate)) as con:
        con.execute("update marts.dim_customers set number = 5")
    with pytest.raises(CheckFailedError, match="changed after its audit"):
        publish(home, log, candidate)


def test_a_build_changed_during_publishing_is_refused(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, checks)

    def tamper(step):
        if step == "parquet_written":
            with duckdb.connect(str(home.candidate)) as con:
                con.execute("update marts.dim_customers set number = 5")

    with pytest.raises(CheckFailedError, match="changed while"):
        publish(home, log, candidate, tamper)
    assert not home.published.exists()


@pytest.mark.parametrize("raised", [False, True])
def test_a_failed_check_keeps_the_old_file(shop, run, warehouse_writer, raised):
    home, log, checks = shop.home, shop.log, shop.checks
    shop.publish("run0", 0)
    before = sha256_of(home.published)
    warehouse_writer(home.warehouse, 1)
    candidate = build_candidate(home, run)
    failed = replace(
        checks[0], passed=False, raised=raised, sentence="People lack ids.", hint="Look."
    )
    record_audit(log, candidate, [*checks, failed])
    with pytest.raises(CheckFailedError, match=r"People lack ids \[dbt_check\]"):
        publish(home, log, candidate)
    assert sha256_of(home.published) == before


def test_a_warning_does_not_stop(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, [*checks, replace(checks[0], passed=False, severity="warning")])
    publish(home, log, candidate)


@pytest.mark.parametrize("missing", range(4))
def test_an_audit_that_leaves_out_a_kind_of_check_is_refused(home, log, run, checks, missing):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, [c for n, c in enumerate(checks) if n != missing])
    with pytest.raises(CheckFailedError, match="incomplete"):
        publish(home, log, candidate)


def test_a_forged_passed_flag_does_not_help(home, log, run, checks):
    candidate = build_candidate(home, run)
    record = record_audit(log, candidate, [*checks, replace(checks[0], passed=False)])
    log.records[record.digest]["passed"] = True
    with pytest.raises(CheckFailedError):
        publish(home, log, candidate)


def test_no_page_of_an_older_build_stands_beside_a_new_one(shop):
    home = shop.home
    shop.publish("a", 0)
    home.report.write_text("old")
    shop.publish("b", 1)
    assert not home.report.exists()
    for number in (2, 3, 4):
        shop.publish(f"c{number}", number)
    assert len(list(versions_dir(home).iterdir())) == 2


def test_a_folder_already_there_is_replaced(shop):
    home = shop.home
    home.published_dir.mkdir()
    home.report.write_text("early")
    shop.publish("run0", 0)
    assert home.published_dir.is_symlink()
    assert not home.report.exists()


@pytest.mark.faults
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_readers_never_see_a_mixture(shop):
    """Reads by other processes while the file is swapped (RELIABILITY B10)."""
    shop.publish("r0", 0)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(shop.home.root), str(READS // READERS)],
            stdout=subprocess.PIPE,
        )
        for _ in range(READERS)
    ]
    stop, swaps = threading.Event(), []

    def swap():
        while not stop.is_set():
            number = len(swaps) + 1
            shop.publish(f"r{number}", number)
            swaps.append(number)
            time.sleep(0.05)  # reads are what is measured; a writer that never rests starves them

    writer = threading.Thread(target=swap)
    writer.start()
    outputs = [reader.communicate()[0].decode().split() for reader in readers]
    stop.set()
    writer.join()
    assert [output[0] for output in outputs] == [str(READS // READERS)] * READERS
    assert [output[1] for output in outputs] == ["0"] * READERS, "mixed or failed reads"
    assert len(swaps) >= 3


READER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    import pyarrow.parquet as pq
    from orchestration.home.layout import Home
    from orchestration.published.reader import open_published
    home, reads, bad = Home(Path(sys.argv[1])), int(sys.argv[2]), 0
    for n in range(reads):
        try:
            if n % 25:
                with open_published(home) as con:
                    rows = con.execute(
                        "select number from marts.dim_customers union"
                        " select number from segments.seg_vip union select number from ops.runs"
                    ).fetchall()
                bad += len(rows) != 1
            else:
                folder = home.published_dir.resolve()
                found = {
                    pq.ParquetFile(folder / name).schema_arrow.metadata[b"build_id"]
                    for name in ("marts.dim_customers.parquet", "segments.seg_vip.parquet")
                }
                bad += len(found) != 1
        except FileNotFoundError:
            pass  # two swaps within one read: the version before the previous one is gone
        except Exception as error:
            print(repr(error), file=sys.stderr)
            bad += 1
    print(reads, bad)
    """
)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_old_or_new(shop, run, warehouse_writer, step):
    home, log, checks = shop.home, shop.log, shop.checks
    shop.publish("run0", 0)
    warehouse_writer(home.warehouse, 1)
    child = os.fork()
    if child == 0:  # the process that is killed
        try:
            candidate = build_candidate(home, type(run)("run1"))
            record_audit(log, candidate, checks)
            publish(
                home,
                log,
                candidate,
                lambda name: os.kill(os.getpid(), signal.SIGKILL) if name == step else None,
            )
        finally:
            os._exit(1)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    expected = {(1, 1)} if STEPS.index(step) >= STEPS.index("swapped") else {(0, 0)}
    assert numbers(home) == expected
    clear_half_built(home)
    assert home.candidate.exists() == (step not in STEPS[STEPS.index("swapped") :])
    assert not [*home.root.rglob("*.partial")]
    assert numbers(home) == expected
    with duckdb.connect() as con:
        path = home.published_dir.resolve() / "marts.dim_customers.parquet"
        assert {
            con.execute(f"select min(number), max(number) from '{path}'").fetchone()
        } == expected
    shop.publish("run2", 2)
    assert numbers(home) == {(2, 2)}


def test_a_candidate_that_was_judged_can_be_published_by_a_later_run(home, log, run, checks):
    candidate = build_candidate(home, run)
    record_audit(log, candidate, checks)
    clear_half_built(home)
    publish(home, log, describe_candidate(home.candidate))
    assert read_build(home.published)[0] == candidate.build_id


@pytest.mark.parametrize("kept", [0, 5000, 300_000])
def test_half_a_candidate_is_taken_away(home, run, kept):
    build_candidate(home, run)
    os.truncate(home.candidate, kept)
    clear_half_built(home)
    assert not home.candidate.exists()


def test_each_check_that_stopped_a_run_is_said_in_words_and_those_beyond_five_by_name():
    failed = [
        CheckResult("contract", f"c.{n}", "t", False, sentence=f"Wrong {n}.", hint=f"Mend {n}.")
        for n in range(7)
    ]
    error = failure([*failed, failed[0]])
    for number in range(5):
        assert f"Wrong {number} [c.{number}]." in error.message
        assert f"Mend {number}." in error.hint
    assert error.message.endswith("Also: c.5, c.6.")
    assert "Also" not in failure(failed[:2]).message


def test_clearing_up_an_empty_home_is_fine(home):
    clear_half_built(home)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_kills_at_random_moments_never_mix(shop):
    """RELIABILITY B10: readers see the old or the new, whenever the writer is killed."""
    home, chance = shop.home, random.Random(5)
    shop.publish("warm", 0)
    began = time.monotonic()
    shop.publish("run0", 0)
    usual, seen = time.monotonic() - began, {0}
    for round_ in range(1, KILLS + 1):
        child = os.fork()
        if child == 0:  # publishes until it is killed
            with suppress(BaseException):
                for step in range(100):
                    shop.publish(f"run{round_}-{step}", round_ * 100 + step)
            os._exit(1)
        time.sleep(usual * chance.uniform(0.2, 4))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        before = numbers(home)
        clear_half_built(home)
        assert numbers(home) == before
        assert len(before) == 1
        ((number, same),) = before
        assert number == same
        folder = home.published_dir.resolve()
        with duckdb.connect() as con:
            path = folder / "marts.dim_customers.parquet"
            assert con.execute(f"select max(number) from '{path}'").fetchone() == (number,)
        assert not [*home.root.rglob("*.partial")]
        assert not home.candidate.exists() or is_whole(home.candidate)
        seen.add(number)
    assert len(seen) > KILLS // 5
