"""Whatever fails in a run, nobody's data reaches a log, a result or a terminal (RELIABILITY SEC5).

Whole runs over a shop of canaries, each made to fail at another step; then everything in the home
that is no store, and all that was said, is searched. `make test` provokes the failures that see
most values, `make faults` a destination that refuses, `make soak` every other step.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.canaries import MARK, leaks, write_additions, write_input
from tests.end_to_end.conftest import Finished, Regulars

pytestmark = pytest.mark.faults  # whole runs that fail at each step

SOAK = pytest.mark.skipif(not os.environ.get("REGULARS_SOAK"), reason="whole runs, in `make soak`")
AS_OF = ("--as-of", "2026-07-01")


class Echo(BaseHTTPRequestHandler):
    """A server that refuses everything and repeats what it was told: 4xx or 5xx by the path."""

    def _refuse(self) -> None:
        told = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(int(self.path.split("/")[1]) if self.path[1:4].isdigit() else 400)
        self.end_headers()
        secrets = f"{self.path} {self.headers} {MARK}@people.example said: "
        self.wfile.write(json.dumps({"errors": [{"detail": secrets + told.decode()}]}).encode())

    def do_POST(self) -> None:
        self._refuse()

    def do_GET(self) -> None:
        self._refuse()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class CanaryShop:
    """A home of canaries and the ways to run on it."""

    def __init__(self, root: Path, regulars: Regulars, echo: str) -> None:
        self.root, self.home, self.input = root, root / "home", root / "input"
        self._regulars, self.server = regulars, echo

    def settings(self, status: int = 400, extra: str = "") -> Path:
        """The shop's settings: a webhook with a token, and a destination that refuses."""
        path = self.root / "regulars.toml"
        path.write_text(
            f"""
[shop]
name = "Canaries"
[quarantine]
max_source_share = 0.9
accept = ["*"]
[notify]
webhook_url_env = "HOOK"
[destinations.file]
kind = "file"
[destinations.echo]
kind = "echo"
options = {{address = "{self.server}/{status}/{MARK}"}}
[segments.buyers_without_email_permission]
destinations = ["file"]
[segments.recent_buyers]
destinations = ["echo"]
{extra}
""",
            "utf-8",
        )
        return path

    def run(
        self,
        *words: str | Path,
        with_suite: bool = False,
        settings: Path | None = None,
        **variables: str,
    ) -> Finished:
        """One command on this home, with the additions."""
        additions = write_additions(self.root / f"added{int(with_suite)}", with_suite=with_suite)
        return self._regulars(
            *words,
            "--home",
            self.home,
            REGULARS_CONFIG=str(settings or self.settings()),
            PYTHONPATH=os.pathsep.join([str(additions), os.environ.get("PYTHONPATH", "")]),
            HOOK=f"{self.server}/500/{MARK}?token={MARK}",
            REGULARS_WEBHOOK_ALLOW_PRIVATE="1",
            **variables,
        )

    def spoil(self, statement: str) -> None:
        """Change the raw store behind the product's back."""
        with duckdb.connect(str(self.home / "raw.duckdb")) as connection:
            connection.execute(statement)

    def copy(self, root: Path) -> CanaryShop:
        """The same shop elsewhere, to be spoiled."""
        shutil.copytree(self.root, root, symlinks=True)
        return CanaryShop(root, self._regulars, self.server)


@pytest.fixture(scope="module")
def first(
    tmp_path_factory: pytest.TempPathFactory, regulars: Regulars, echo: str
) -> tuple[CanaryShop, Finished]:
    """A first run with bad rows in every file that a suite stops, and what it said."""
    root = tmp_path_factory.mktemp("canaries")
    write_input(root / "input")
    shop = CanaryShop(root, regulars, echo)
    return shop, shop.run("run", "--input", shop.input, *AS_OF, with_suite=True)


@pytest.fixture(scope="module")
def shop(first: tuple[CanaryShop, Finished]) -> CanaryShop:
    return first[0]


def nothing_leaked(shop: CanaryShop, *said: Finished) -> None:
    assert leaks(shop.home, *(each.out + each.err for each in said)) == []


def test_the_search_finds_what_has_leaked(tmp_path: Path) -> None:
    """What all others rest on: plain, packed and in a database; the stores are left out."""
    for name in ("dbt/logs/dbt.log", "published/report.html", "published.duckdb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"at {MARK}.7@people.example", "utf-8")
    found = leaks(tmp_path, "", "call +447700900123")
    assert found == [
        "said: call +447700900123",
        f"dbt/logs/dbt.log: at {MARK}.7@people.example",
        f"published/report.html: at {MARK}.7@people.example",
    ]


def test_bad_rows_and_a_suite_that_fails_on_examples(first: tuple[CanaryShop, Finished]) -> None:
    shop, done = first
    assert done.code == 1, done.out + done.err
    assert "looks.email" in done.err
    assert "breaks.query" in done.err
    assert "webhook: status_500" in done.out
    held = {line.split(":")[0].strip() for line in done.out.splitlines() if "quarantined" in line}
    assert {"consents", "email", "orders", "payments", "web"} <= held
    nothing_leaked(shop, done)


def test_a_model_that_fails_on_a_value(shop: CanaryShop, tmp_path: Path) -> None:
    twin = shop.copy(tmp_path / "shop")
    twin.spoil("alter table raw_orders.order_lines alter quantity type varchar")
    twin.spoil("update raw_orders.order_lines set quantity = email where order_id < 'o2'")
    done = twin.run("run", "--full-refresh", *AS_OF)
    assert done.code == 1, done.out + done.err
    assert "dbt node(s) failed: model" in done.err
    nothing_leaked(twin, done)


def test_a_destination_that_refuses_and_repeats_what_it_was_told(shop: CanaryShop) -> None:
    refused = shop.run("run", "--send", *AS_OF)
    assert refused.code == 1, refused.out + refused.err
    assert "Published." in refused.out
    assert "ValueError" in refused.err
    busy = shop.run("sync", settings=shop.settings(status=500))
    dropped = shop.run("sync", settings=shop.settings(status=422))
    looks = (("doctor",), ("plan",), ("plan", "--who"), ("quarantine", "list"), ("report",))
    looked = [shop.run(*words) for words in looks]
    assert busy.code == 1, busy.out + busy.err
    assert "dead" in looked[0].out or "refused" in looked[0].out
    nothing_leaked(shop, refused, busy, dropped, *looked)


def name_a_product_by_an_address(shop: CanaryShop) -> None:
    """A reason then carries it, which a dbt test forbids."""
    products = f"product_id,sku,name,category\np1,s1,{MARK}.p@people.example,tea\n"
    write(shop.input / "products" / "a.csv", products)


def make_a_whole_file_bad(shop: CanaryShop) -> None:
    rows = [f"{MARK},{n},{MARK} name" for n in range(20)]
    write(shop.input / "contacts" / "b.csv", "\n".join(["email,phone,first_name", *rows]) + "\n")


def leave_out_the_header(shop: CanaryShop) -> None:
    """Its first row is taken for one."""
    rows = [f"{MARK}.{n}@people.example,+447700900{n + 500},{MARK}" for n in range(20)]
    write(shop.input / "contacts" / "c.csv", "\n".join(rows) + "\n")


def map_a_column_that_is_not_there(shop: CanaryShop) -> None:
    path = shop.input / "orders" / "mapping.yml"
    path.write_text(path.read_text("utf-8").replace("sku: sku", "sku: article"), "utf-8")
    shutil.rmtree(shop.home)


def take_the_place_of_the_published_files(shop: CanaryShop) -> None:
    shutil.rmtree(shop.home / "published", ignore_errors=True)
    write(shop.home / "published", "a file where the folder should be")


def damage_ops(shop: CanaryShop) -> None:
    path = shop.home / "ops.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes()
    path.write_bytes(content[:8192] + bytes(byte ^ 0x55 for byte in content[8192:]))


def damage_raw(shop: CanaryShop) -> None:
    path = shop.home / "raw.duckdb"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@SOAK
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (name_a_product_by_an_address, "assert_reasons_carry_no_address"),
        (make_a_whole_file_bad, "contacts/b.csv"),
        (leave_out_the_header, "contacts/c.csv"),
        (map_a_column_that_is_not_there, "mapping.yml"),
        (take_the_place_of_the_published_files, ""),
        (damage_ops, "is damaged"),
        (damage_raw, "raw.duckdb is damaged"),
    ],
)
def test_every_other_step_that_fails(
    shop: CanaryShop, tmp_path: Path, spoil: Callable[[CanaryShop], None], said: str
) -> None:
    twin = shop.copy(tmp_path / "shop")
    spoil(twin)
    done = twin.run("run", "--input", twin.input, *AS_OF)
    looked = twin.run("doctor")
    assert done.code in (1, 2), done.out + done.err
    assert said in done.err
    assert "Traceback" not in done.err
    nothing_leaked(twin, done, looked)


@SOAK
def test_the_size_breaker(shop: CanaryShop, tmp_path: Path) -> None:
    twin = shop.copy(tmp_path / "shop")
    settings = twin.settings(extra="[breaker]\nmin_size = 1\n")
    published = twin.run("run", *AS_OF)
    stopped = twin.run("run", "--as-of", "2026-03-01", settings=settings)
    assert published.code == 0, published.out + published.err
    assert stopped.code == 1, stopped.out + stopped.err
    assert "regulars release" in stopped.err
    nothing_leaked(twin, published, stopped)


@SOAK
def test_an_api_that_refuses_and_repeats_the_key(shop: CanaryShop, tmp_path: Path) -> None:
    twin = shop.copy(tmp_path / "shop")
    told = f'[sources.klaviyo]\nenabled = true\nbase_url = "{twin.server}/400"\napi_key_env = "KEY"'
    done = twin.run("run", *AS_OF, settings=twin.settings(extra=told), KEY=f"{MARK}-key")
    assert done.code == 1, done.out + done.err
    assert "klaviyo" in done.err
    nothing_leaked(twin, done)


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
