"""What a person may ask for, on the pages: a statement, everything held, and being forgotten."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from ingestion.duckdb import connect
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import open_store
from orchestration.serve.guard import EDITOR, VIEWER
from orchestration.serve.pages.customer import EXPORT, FORGET
from orchestration.serve.pages.segments import DOWNLOAD
from tests.locks import held_elsewhere
from tests.orchestration.erasure.planted import customer, keys_of, plant
from tests.orchestration.serve.pages.test_site import open_pages, publish
from tests.traces import traces

ANN = customer(1)
EMAIL = keys_of(1)[0][1]
Clients = dict[str, httpx.Client]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plant(tmp_path / "home", 3)


@pytest.fixture
def small(tmp_path: Path) -> Home:
    """A home with an operational store and the small shop of the other pages' tests."""
    home = Home(tmp_path / "small")
    home.create()
    publish(home)
    with open_store(home):
        return home


@pytest.fixture
def clients(home: Home) -> Iterator[Clients]:
    with open_pages(home, load_settings()) as clients:
        yield clients


def post(client: httpx.Client, page: str, path: str, **fields: str) -> httpx.Response:
    """The form of a page, sent as a browser sends it."""
    (secret, *_) = re.findall(r'name="secret" value="([^"]+)"', client.get(page).text)
    here = {"Origin": str(client.base_url).rstrip("/")}
    return client.post(path, data={**fields, "secret": secret}, headers=here)


def recorded(home: Home) -> list[tuple[str, str | None, str, str, str, str]]:
    """The record of commands, the oldest first, without moments."""
    table = schema.commands
    columns = (table.c.command, table.c.about, table.c.run_by)
    rest = (table.c.role, table.c.interface, table.c.outcome)
    with open_store(home) as store, store.read() as connection:
        query = select(*columns, *rest).order_by(table.c.run_at)
        return [tuple(row) for row in connection.execute(query)]  # type: ignore[misc]


def test_a_statement_is_a_page_whose_style_alone_is_let_in(small: Home) -> None:
    publish(
        small,
        "alter table marts.bridge_customer_identifiers add is_shared boolean",
        "drop table if exists marts.customer_personalisation",
    )
    with open_pages(small) as clients:
        answer = clients[VIEWER].get("/customer/c1/statement")
        assert clients[VIEWER].get("/customer/nobody/statement").status_code == 404
    assert answer.status_code == 200
    assert "knows about you" in answer.text
    assert "ann@shop.example" in answer.text
    assert "bo@shop.example" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "style-src 'sha256-" in policy
    assert "unsafe" not in policy


@pytest.mark.slow
def test_an_editor_forgets_somebody_who_is_then_nowhere(home: Home, clients: Clients) -> None:
    page = f"/customer/{ANN}/forget"
    shown = clients[EDITOR].get(page).text
    assert re.search(r"11 identifiers and \d+ rows of \d+ tables", shown)
    unsure = post(clients[EDITOR], page, FORGET, customer_id=ANN, reason="", sure="yes")
    assert (unsure.status_code, "not confirmed" in unsure.text) == (400, True)
    assert clients[EDITOR].get(page).status_code == 200

    fields = {"customer_id": ANN, "reason": "a letter", "sure": "Forget"}
    done = post(clients[EDITOR], page, FORGET, **fields)
    assert (done.status_code, "11 identifiers erased" in done.text) == (200, True)
    values = [ANN, *(value for _, value in keys_of(1))]
    assert traces(home.root, values) == [], "not in the record of commands either"
    (receipt,) = home.erasures.glob("*.json")
    assert json.loads(receipt.read_text())["reason"] == "a letter"
    assert clients[EDITOR].get(page).status_code == 404
    ran = ("forget", None, "Ada", EDITOR, "pages")
    assert recorded(home) == [(*ran, "failed"), (*ran, "done")]


@pytest.mark.slow
def test_beside_a_run_somebody_is_refused_at_once_and_erased_later(
    home: Home, clients: Clients
) -> None:
    page = f"/customer/{ANN}/forget"
    fields = {"customer_id": ANN, "reason": "", "sure": "forget"}
    with held_elsewhere(home.lock):
        answer = post(clients[EDITOR], page, FORGET, **fields)
    assert (answer.status_code, "refused on every channel" in answer.text) == (200, True)
    assert "A run is at work" in answer.text
    with open_store(home) as store, store.read() as connection:
        assert connection.execute(select(schema.tombstones)).first() is not None


def test_an_export_is_everything_held_and_stays_private(home: Home, clients: Clients) -> None:
    answer = post(clients[EDITOR], f"/customer/{ANN}/forget", EXPORT, customer_id=ANN)
    assert answer.headers["content-disposition"].startswith(f'attachment; filename="{ANN}-')
    assert answer.json()["customer_id"] == ANN
    assert EMAIL in answer.text
    assert keys_of(2)[0][1] not in answer.text
    path = home.subject_exports / answer.headers["content-disposition"].split('"')[1]
    assert path.stat().st_mode & 0o077 == 0
    assert recorded(home) == [("export-subject", None, "Ada", EDITOR, "pages", "done")]


def test_a_viewer_gets_none_of_it_and_each_try_is_recorded(home: Home, clients: Clients) -> None:
    assert "<form method" not in clients[VIEWER].get(f"/customer/{ANN}/forget").text
    here = {"Origin": str(clients[VIEWER].base_url).rstrip("/")}
    fields = {"customer_id": ANN, "reason": "", "sure": "forget", "secret": "x"}
    for path in (EXPORT, FORGET, DOWNLOAD):
        assert clients[VIEWER].post(path, data=fields, headers=here).status_code == 403
    names = ["export-subject", "forget", "segment download"]
    expected = [(name, None, "Ada", VIEWER, "pages", "refused") for name in names]
    assert recorded(home) == expected
    assert clients["stranger"].post(FORGET, data=fields, headers=here).status_code == 401
    assert recorded(home) == expected, "a stranger is nobody to record"


def test_a_segment_is_taken_along_as_a_file_that_no_spreadsheet_runs(small: Home) -> None:
    home = small
    publish(home, "update marts.dim_customers set first_name = '=HYPERLINK(1)'")
    with open_pages(home) as clients:
        answer = post(clients[EDITOR], "/segments/vip", DOWNLOAD, segment="vip")
        missing = post(clients[EDITOR], "/segments/vip", DOWNLOAD, segment="nobody")
        assert "Download" not in clients[VIEWER].get("/segments/vip").text
        assert "<form method" not in clients[VIEWER].get("/customer/c1").text
        assert clients[EDITOR].get("/customer/c1").text.count("<form method") == 1
        health = clients[VIEWER].get("/health").text.partition("Who did what")[2]
        assert re.search(r"segment download<small>vip</small>.*Ada<small>editor", health)
    assert answer.headers["content-disposition"] == 'attachment; filename="vip.csv"'
    with connect(home.published, read_only=True) as connection:
        (members,) = connection.execute("select count(*) from segments.seg_vip").fetchone() or (0,)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == members > 0
    assert not rows[0]["first_name"].startswith("=")
    assert missing.status_code == 404
    ran = ("segment download", "vip", "Ada", EDITOR, "pages", "done")
    assert recorded(home)[0] == ran


def test_masked_pages_hand_out_nothing_of_a_person(small: Home) -> None:
    with open_pages(small, is_masked=True) as clients:
        (ann, *_) = re.findall(r"/customer/(\w{32})", clients[EDITOR].get("/customer").text)
        shown = clients[EDITOR].get(f"/customer/{ann}").text
        assert "<form method" not in shown + clients[EDITOR].get("/segments/vip").text
        for path in ("statement", "forget"):
            answer = clients[EDITOR].get(f"/customer/{ann}/{path}")
            assert (answer.status_code, "pages are masked" in answer.text) == (400, True)
