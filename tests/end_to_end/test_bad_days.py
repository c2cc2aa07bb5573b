"""Bad days from outside: wrong input, two at once, Ctrl-C, kill -9, a past as-of."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.home import lock
from tests.end_to_end.conftest import REGULARS, REPOSITORY, DemoHome, Regulars, environment

pytestmark = pytest.mark.faults  # whole runs of a shop whose days go wrong

SOAK = bool(os.environ.get("REGULARS_SOAK"))
MAPPING = """\
columns: {order_id: order, ordered_at: date, customer_ref: who, email: email, sku: sku,
          quantity: qty, unit_price: price}
returns: {when: "quantity < 0"}
currency: GBP
timezone: Europe/London
"""
HEADER = "order,date,who,email,sku,qty,price\n"


def write_orders(folder: Path, name: str, rows: list[str], header: str = HEADER) -> Path:
    orders = folder / "orders"
    orders.mkdir(parents=True, exist_ok=True)
    (orders / "mapping.yml").write_text(MAPPING, "utf-8")
    (orders / name).write_text(header + "\n".join(rows) + "\n", "utf-8")
    return folder


def good_rows(first: int, count: int) -> list[str]:
    return [
        f"o{n},2026-0{n % 6 + 1}-1{n % 9},c{n % 7},p{n % 7}@example.org,s{n % 5},{n % 3 + 1},9.99"
        for n in range(first, first + count)
    ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, regulars: Regulars) -> DemoHome:
    """A shop of its own with one published build and some bad rows."""
    root = tmp_path_factory.mktemp("shop")
    rows = [
        *good_rows(0, 40),
        "o90,not a date,c1,a@example.org,sku1,1,9.99",
        "o91,2026-01-01,c1,,s,x,1",
    ]
    folder = write_orders(root / "input", "a.csv", rows)
    done = regulars("run", "--input", folder, "--as-of", "2026-07-01", "--home", root / "home")
    assert done.code == 0, done.out + done.err
    return DemoHome(root / "home", done.out)


def again(shop: DemoHome, tmp_path: Path) -> tuple[Path, Path]:
    """A copy of the shop's home, and its input with one more file."""
    home, folder = tmp_path / "home", tmp_path / "input"
    shutil.copytree(shop.root, home, symlinks=True)
    shutil.copytree(shop.root.parent / "input", folder)
    write_orders(folder, "b.csv", good_rows(100, 10))
    return home, folder


def orders_in(home: Path) -> int:
    ((count,),) = DemoHome(home, "").query("select count(*) from marts.fct_orders")
    return int(count)


def test_bad_rows_are_kept_and_the_rest_is_published(shop: DemoHome, regulars: Regulars) -> None:
    assert orders_in(shop.root) == 40
    assert "quarantine list" in shop.said
    listed = regulars("quarantine", "list", "--json", "--home", shop.root)
    rows = json.loads(listed.out)
    assert {(row["file"], row["line"]) for row in rows} == {
        ("orders/a.csv", 42),
        ("orders/a.csv", 43),
    }
    assert "@" not in listed.out, "no address unless asked for"


def test_a_real_shops_first_run_sends_nothing(shop: DemoHome, regulars: Regulars) -> None:
    assert "approve" in shop.said, "the run itself prints the plan"
    assert "Nothing was sent" in shop.said
    assert not (shop.root / "delivered").exists()
    plan = regulars("plan", "--json", "--home", shop.root)
    assert plan.code == 0, plan.err
    marketing = [row for row in json.loads(plan.out) if row["purpose"] == "marketing"]
    assert marketing
    assert not any(row["added"] for row in marketing), "an order permits what concerns it, no more"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("run", "--input", "nowhere"), 2, "nowhere"),
        (("run", "--as-of", "tomorrow"), 2, "tomorrow"),
        (("run", "--input", "."), 2, "nothing to read"),
        (("sql", "drop table marts.dim_customers"), 2, "read-only"),
        (("sql", "select * from read_csv('/etc/passwd')"), 2, "outside"),
        (("sql", "selec 1"), 2, ""),
        (("explain", "nobody@example.org"), 1, ""),
        (("plan", "no_such_segment"), 2, "Segments:"),
        (("consent", "grant", "x", "--channel", "fax"), 2, ""),
        (("new", "segment", "Not-Snake"), 2, ""),
        (("frobnicate",), 2, ""),
    ],
)
def test_misuse_is_one_sentence_and_the_right_code(
    shop: DemoHome,
    regulars: Regulars,
    tmp_path: Path,
    arguments: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    home = () if arguments[0] in ("new", "frobnicate") else ("--home", shop.root)
    if arguments[:2] == ("run", "--input"):
        arguments = ("run", "--input", str(tmp_path / arguments[2]))
    done = regulars(*arguments, *home)
    assert done.code == code, done.out + done.err
    assert "Traceback" not in done.err
    assert said in done.err + done.out


def test_a_value_that_looks_like_markup_is_told_as_it_stands(
    shop: DemoHome, regulars: Regulars
) -> None:
    done = regulars("sql", "select '[/b] [red]x' as \"[i]\"", "--home", shop.root)
    assert done.code == 0, done.err
    assert "[/b] [red]x" in done.out
    assert "[i]" in done.out


@pytest.mark.parametrize(
    ("content", "named", "command"),
    [
        ("[shop]\ncurency = 'EUR'\n", "shop.curency", ("plan",)),
        ("[models]\nrecent_buyr_days = 3\n", "models.recent_buyr_days", ("plan",)),
        ("[segments.vipp]\nenabled = false\n", "segments.vipp", ("run", "--as-of", "2026-07-01")),
    ],
)
def test_a_typo_in_the_settings_is_named(
    shop: DemoHome,
    regulars: Regulars,
    tmp_path: Path,
    content: str,
    named: str,
    command: tuple[str, ...],
) -> None:
    settings = tmp_path / "regulars.toml"
    settings.write_text(content, "utf-8")
    done = regulars(*command, "--home", shop.root, REGULARS_CONFIG=str(settings))
    assert done.code == 2
    assert named in done.err


@pytest.fixture
def notices() -> Iterator[tuple[dict[str, str], list[dict[str, Any]]]]:
    """A receiver of failure notices: the environment that leads to it, and what came."""
    got: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hook = f"http://localhost:{server.server_port}/hook"
    yield {"HOOK": hook, "REGULARS_WEBHOOK_ALLOW_PRIVATE": "1"}, got
    server.shutdown()
    server.server_close()


def test_a_mapping_that_names_a_missing_column(
    regulars: Regulars,
    tmp_path: Path,
    notices: tuple[dict[str, str], list[dict[str, Any]]],
) -> None:
    """The sentence names the mapping and the column; a notice names the step and nobody."""
    folder = write_orders(
        tmp_path / "in", "a.csv", ["1,2026-01-01,c,s,1,1"], "order,date,who,sku,qty,price\n"
    )
    settings = tmp_path / "regulars.toml"
    settings.write_text('[notify]\nwebhook_url_env = "HOOK"\n', "utf-8")
    leading, got = notices
    home = tmp_path / "home"
    arguments = ("run", "--input", folder, "--as-of", "2026-07-01", "--home", home)
    done = regulars(*arguments, REGULARS_CONFIG=str(settings), **leading)
    assert done.code == 2, done.out + done.err
    assert "email" in done.err
    assert "mapping.yml" in done.err
    assert not (home / "published.duckdb").exists()
    assert [(notice["event"], notice["failed_steps"]) for notice in got] == [
        ("run_failed", ["load_orders"])
    ]


@contextmanager
def at_work(home: Path) -> Iterator[None]:
    """What a run holds: the lock, and both stores that it writes."""
    with (
        lock.hold(home / ".lock"),
        duckdb.connect(str(home / "raw.duckdb")),
        duckdb.connect(str(home / "warehouse.duckdb")),
    ):
        yield


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("run", "--as-of", "2026-07-01"), "Another run"),
        (("sync",), "Another run"),
        (("quarantine", "list"), "holds raw.duckdb, which this command reads, until it ends"),
        (("quarantine", "replay"), "Another run"),
        (("score",), "holds warehouse.duckdb, which this command reads, until it ends"),
    ],
)
def test_what_a_run_keeps_from_working_says_so_within_five_seconds(
    shop: DemoHome, regulars: Regulars, command: tuple[str, ...], said: str
) -> None:
    """Seconds of processor time: on a machine that does nothing else they are as many."""
    before = (shop.root / "published.duckdb").stat().st_mtime_ns
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    with at_work(shop.root):
        done = regulars(*command, "--home", shop.root)
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.code == 75, done.out + done.err
    assert said in done.err
    assert now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime < 5
    assert (shop.root / "published.duckdb").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("sql", "select count(*) as orders from marts.fct_orders"), "40"),
        (("tables", "fct_orders"), "ordered_at"),
        (("explain", "p1@example.org"), "p1@example.org"),
        (("report",), "The report is"),
        (("plan",), "approve"),
        (("doctor",), "A run is at work"),
    ],
)
def test_what_reads_the_published_file_works_while_a_run_is_at_work(
    shop: DemoHome, regulars: Regulars, command: tuple[str, ...], said: str
) -> None:
    with at_work(shop.root):
        done = regulars(*command, "--home", shop.root)
    assert done.code == 0, done.out + done.err
    assert said in done.out


def test_doctor_names_rows_in_quarantine_run_after_run(
    shop: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    """A second run reads no bad row anew; those of the first are still waiting."""
    home, folder = again(shop, tmp_path)
    done = regulars("run", "--input", folder, "--as-of", "2026-07-02", "--home", home)
    assert done.code == 0, done.out + done.err
    held = "Rows that could not be used: orders 2. See them with `regulars quarantine list`;"
    assert held in " ".join(done.out.split())
    looked = regulars("doctor", "--home", home)
    assert "Rows that could not be used: orders 2." in looked.out


@pytest.mark.parametrize(
    ("blow", "moment"),
    [(signal.SIGKILL, "Modelling"), *([(signal.SIGINT, "Checking")] if SOAK else [])],
)
def test_a_run_cut_off_is_made_good_by_the_next(
    shop: DemoHome, regulars: Regulars, tmp_path: Path, blow: signal.Signals, moment: str
) -> None:
    home, folder = again(shop, tmp_path)
    arguments = ["run", "--input", str(folder), "--as-of", "2026-07-01", "--home", str(home)]
    process = subprocess.Popen(
        [REGULARS, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environment(PYTHONUNBUFFERED="1"),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if moment in line:
            break
    time.sleep(1)
    process.send_signal(blow)
    process.wait(timeout=120)  # for it alone: the dbt it started may live on
    assert process.returncode != 0
    assert orders_in(home) == 40, "the published file is the old one, whole"
    done = regulars(*arguments)
    assert done.code == 0, done.out + done.err
    assert orders_in(home) == 50
    ((orders, lines),) = DemoHome(home, "").query(
        "select (select count(*) from marts.fct_orders),"
        " (select count(*) from marts.fct_order_lines)"
    )
    assert (orders, lines) == (50, 50), "nothing twice"


def test_a_failing_check_leaves_the_old_file(
    shop: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    """Two thirds of the orders are gone as of the first of March, so a person is asked first."""
    home, _folder = again(shop, tmp_path)
    settings = tmp_path / "regulars.toml"
    settings.write_text("[breaker]\nmin_size = 1\n", "utf-8")
    arguments = ("run", "--as-of", "2026-03-01", "--home", home)
    done = regulars(*arguments, REGULARS_CONFIG=str(settings))
    assert done.code == 1, done.out + done.err
    assert "regulars release" in done.err
    assert orders_in(home) == 40
    words = ("--by", "A. Keeper", "--reason", "a look back")
    released = regulars("release", "all", *words, "--home", home)
    assert released.code == 0, released.out + released.err
    done = regulars(*arguments, REGULARS_CONFIG=str(settings))
    assert done.code == 0, done.out + done.err
    ((latest,),) = DemoHome(home, "").query("select max(ordered_at) from marts.fct_orders")
    assert latest < datetime(2026, 3, 1), "as of the first of March, what was known then"
