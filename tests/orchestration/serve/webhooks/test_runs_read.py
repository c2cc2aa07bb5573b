"""A run reads what came by webhooks beside its input, whatever that is, and finds nothing new in
what is in force already."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.config import Webhook
from ingestion.errors import NoInputError
from ingestion.pipelines import run_source
from orchestration.health.home_health import inbox
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.run.run import RunRequest, open_run
from orchestration.run.something_to_read import require_input
from tests.orchestration.serve.webhooks import calls
from tests.orchestration.serve.webhooks.calls import NOW, SETTINGS, Door
from tests.orchestration.serve.webhooks.test_senders import EVENT, TRACK, state

SOURCES = ("email", "orders", "web", "messages", "consents")
ORDER: dict[str, Any] = {
    "id": 1,
    "created_at": "2026-11-29T10:00:00Z",
    "currency": "GBP",
    "email": "jane@shop.example",
    "line_items": [{"id": 1, "price": "9.90", "quantity": 1}],
}
Counts = dict[str, tuple[int, int, int, int]]


def run(door: Door, at: datetime, location: str = "") -> Counts:
    """Received, loaded, quarantined and duplicate rows by source, where there were any."""
    counts: Counts = {}
    with open_run(door.home, door.settings, RunRequest(at, location)) as current:
        context = current.ingest_context()
        for source in SOURCES:
            for count in run_source(source, context):
                four = (count.received, count.loaded, count.quarantined, count.duplicate)
                if any(four):
                    counts[source] = four
        current.record_permission()
    return counts


def query(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home.raw), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def consents(door: Door) -> list[Any]:
    with open_store(door.home) as store, store.read() as connection:
        return connection.exec_driver_sql(
            "select identifier_value, purpose, source from consent_events where status = 'granted'"
        ).fetchall()


def ask_all(door: Door) -> None:
    opt_in = calls.consent("new@shop.example", "granted", purpose="marketing", wording_version="1")
    for sent in (
        calls.sendgrid(EVENT),
        calls.shopify("orders/create", ORDER),
        calls.shopify("customers_email_marketing_consent/update", state("unsubscribed")),
        calls.reply("STOP"),
        calls.klaviyo(calls.klaviyo_event("marked_email_as_spam", "spam@shop.example")),
        calls.standard([opt_in, calls.consent("old@shop.example")]),
        calls.segment(TRACK, "/v1/track"),
    ):
        assert door.ask(sent).status < 300


def test_a_run_without_any_input_reads_what_came_and_the_next_one_nothing(door: Door) -> None:
    with pytest.raises(NoInputError):
        require_input(door.home, SETTINGS, "")
    ask_all(door)
    require_input(door.home, SETTINGS, "")
    before = door.refusals()
    assert not consents(door)
    assert run(door, NOW + timedelta(hours=1)) == {
        "email": (1, 1, 0, 0),
        "orders": (1, 1, 0, 0),
        "web": (1, 1, 0, 0),
        "messages": (1, 1, 0, 0),
        "consents": (4, 4, 0, 0),
    }
    assert door.refusals() == before, "the run finds the facts that were in force already"
    assert ("new@shop.example", "marketing", "loyalty") in consents(door)
    [(file,)] = query(door.home, "select _file from raw_email.events")
    assert file.startswith("inbox:email/sendgrid/2026-11-29/")
    assert run(door, NOW + timedelta(hours=2)) == {}


def test_it_is_read_beside_the_input_and_the_same_rows_are_duplicates(
    door: Door, tmp_path: Path
) -> None:
    folder = tmp_path / "input"
    for name, sent in (("email", calls.sendgrid(EVENT)), ("orders", None)):
        (folder / name).mkdir(parents=True)
        if sent:
            (folder / name / "a.json").write_bytes(sent.body)
    ask_all(door)
    counts = run(door, NOW + timedelta(hours=1), str(folder))
    assert counts["email"] == (2, 1, 0, 1)
    assert counts["orders"] == (1, 1, 0, 0)


def test_one_odd_event_of_a_sender_is_put_aside_and_stops_no_run(door: Door) -> None:
    odd = {"email": "odd@shop.example", "event": "newly invented"}
    assert door.ask(calls.sendgrid(odd)).status == 202
    assert door.is_silenced("email", "odd@shop.example"), "a word we do not know is a no"
    assert run(door, NOW + timedelta(hours=1)) == {"email": (1, 0, 1, 0)}
    assert door.ask(calls.sendgrid(EVENT)).status == 202
    assert run(door, NOW + timedelta(hours=2)) == {"email": (1, 1, 0, 0)}


def test_requests_and_what_no_source_reads_are_left_to_people(door: Door) -> None:
    door.ask(calls.shopify("shop/redact", {"shop_id": 1, "shop_domain": "x.myshopify.com"}))
    door.ask(calls.shopify("checkouts/create", {"id": 1, "email": "jane@shop.example"}))
    assert run(door, NOW + timedelta(hours=1)) == {}
    told = {check.status: f"{check.sentence} {check.hint}" for check in inbox(door.home)}
    assert "requests/shopify: 1" in told["warning"]
    assert "unread/shopify" in told["ok"]
    assert "jane" not in str(told)


@pytest.fixture
def two_shops(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A home to which two shops of Shopify send, each to its own address with its own secret."""
    monkeypatch.setenv("OUTLET_SECRET", calls.SECRETS["SHOPIFY_CLIENT_SECRET"])
    outlet = Webhook(kind="shopify", secret_env="OUTLET_SECRET", shop="outlet")
    # Patterns of files say nothing of what came by webhook
    changes = {"webhooks": {**SETTINGS.webhooks, "b": outlet}, "shop_files": {"*": "other"}}
    return Door(door.home, SETTINGS.model_copy(update=changes))


def of_outlet(sent: calls.Sent) -> calls.Sent:
    return replace(sent, path="/webhooks/b")


def test_what_a_further_shop_sends_is_of_that_shop(two_shops: Door) -> None:
    door = two_shops
    for other in ({"email": "jane@shop.example"}, {"email": "joe@shop.example"}):
        sent = calls.shopify("orders/create", ORDER | other)
        assert door.ask(of_outlet(sent) if "joe" in str(other) else sent).status == 202
    unsaid = {"customer_id": 7, "email_marketing_consent": {"state": "unsubscribed"}}
    sent = calls.shopify("customers_email_marketing_consent/update", unsaid)
    assert door.ask(of_outlet(sent)).status == 202
    at_once = door.refusals()
    assert {row[:2] for row in at_once} == {("shopify_customer_id", "outlet:7")}
    assert run(door, NOW + timedelta(hours=1)) == {"orders": (2, 2, 0, 0), "consents": (1, 1, 0, 0)}
    assert door.refusals() == at_once, "the run finds the fact that was in force already"
    assert query(door.home, "select order_id, id_scope from raw_orders.orders order by 1") == [
        ("1", None),
        ("outlet:1", "outlet"),
    ]
