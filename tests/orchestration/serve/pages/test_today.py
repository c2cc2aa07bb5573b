"""Today counts what waits for a person, and each number leads to where it is decided."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from ingestion.config import Destination, Settings
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import append, open_store, to_micros
from orchestration.serve.guard import VIEWER
from tests.orchestration.serve.pages.one_page import words_of
from tests.orchestration.serve.pages.test_site import open_pages, publish

AT = to_micros(datetime(2026, 6, 1))
STATES = ("unknown", "unknown", "dead", "pending")
QUARANTINE = "insert into ops.quarantine values ('shop', 'orders', 'no_id', 1200)"
NO_MEMBERS = "delete from marts.fct_segment_memberships"
NOTHING_SENT = "delete from activity.fct_deliveries"
FILE = Settings(destinations={"file": Destination()})
BY_ITSELF = Settings(destinations={"file": Destination(send=True)})
GOES = """update marts.dim_segments set destinations = '["file"]'"""


def today(root: Path, settings: Settings, *statements: str, is_busy: bool = False) -> str:
    """The block of what waits, as HTML, of the small shop changed by these statements."""
    home = Home(root)
    home.create()
    publish(home, *statements)
    if is_busy:
        leave_rows(home)
    with open_pages(home, settings) as clients:
        answer = clients[VIEWER].get("/")
    assert answer.status_code == 200, answer.text
    return 'id="content">' + answer.text.partition('<h2 id="waits"')[2]


def leave_rows(home: Home) -> None:
    """A sync that came to no end, and refusals that the destination did not answer."""
    pair = {"segment": "vip", "destination": "file", "channel": "email", "purpose": "marketing"}
    pair["sync_run_id"] = "s"
    begun = {"run_id": "r", "plan_hash": "h", "status": "incomplete", "queued": 4}
    rows = [
        {**pair, "idempotency_key": f"k{n}", "customer_id": f"c{n}", "version": 1, "batch": 0,
         "operation": "added", "content_hash": "y", "created_at": AT, "updated_at": AT,
         "state": state} for n, state in enumerate(STATES)
    ]  # fmt: skip
    untold = {"destination": "file", "channel": "email", "reason": "unsubscribed",
              "refused_at": AT, "answer": "http_503", "attempts": 2,
              "first_tried_at": AT, "last_tried_at": AT}  # fmt: skip
    states = ("waiting", "left", "accepted", "done")
    refusals = [{**untold, "refusal_id": f"r{n}", "state": s} for n, s in enumerate(states)]
    with open_store(home) as store, store.write() as connection:
        append(connection, schema.sync_runs, [{**pair, **begun, "started_at": AT}])
        append(connection, schema.outbox, rows)
        append(connection, schema.withdrawals_written, refusals)


def test_each_number_leads_to_where_it_is_decided(tmp_path: Path) -> None:
    html = today(tmp_path, FILE, GOES, QUARANTINE, is_busy=True)
    assert re.findall(r'<li><a href="([^"]+)">([^<]+)</a> (\S+ \w+)', html) == [
        ("/plans/waiting", "1 plan", "to destinations"),
        ("/health#destinations", "2 rows", "of unknown"),
        ("/health#destinations", "1 row", "refused by"),
        ("/health#quarantine", "1,200 rows", "in quarantine"),
        ("/health#caveats", "3 refusals", "without a"),
    ]
    assert "1 row waiting for the next sync" in html


def test_nothing_waits_where_nothing_was_sent_and_nobody_is_in_a_segment(tmp_path: Path) -> None:
    empty = (GOES, NO_MEMBERS, NOTHING_SENT)
    assert "Nothing waits." in words_of(today(tmp_path / "empty", FILE, *empty))
    sent_before = today(tmp_path / "sent", FILE, GOES, NO_MEMBERS)
    assert "1 plan" in words_of(sent_before), "whoever left is to be taken off there"


def test_a_destination_that_sends_by_itself_waits_for_nobody(tmp_path: Path) -> None:
    assert "Nothing waits." in words_of(today(tmp_path / "itself", BY_ITSELF, GOES))
    assert "1 plan" in words_of(today(tmp_path / "asked", FILE, GOES))
    assert "Nothing waits." in words_of(today(tmp_path / "none", Settings(destinations={}), GOES))
