"""Where browsers take push notices: the latest word of each device, and nobody else's business."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.export import export_ops
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.push_subscriptions import (
    end_subscriptions,
    erase_subscriptions,
    living_subscriptions,
)
from orchestration.ops.runs import Run
from orchestration.ops.shapes import leaving
from orchestration.ops.store import Store
from tests.orchestration.ops.conftest import AS_OF
from tests.orchestration.ops.raw_file import write_raw

LONG = timedelta(days=180)
KEYS = {"p256dh": "P", "auth": "A"}


def _event(name: str, device: str, at: datetime, endpoint: str = "", **more: Any) -> dict[str, Any]:
    said = {"endpoint": endpoint or f"https://push.example/{device}", "keys": KEYS, **more}
    properties = json.dumps(said)
    return {"event": name, "anonymous_id": device, "occurred_at": at, "properties": properties}


def _record(store: Store, home: Home, load: str, *events: dict[str, Any]) -> None:
    write_raw(home.raw, load, raw_web__events=list(events))
    record_consent_facts(store, home.raw, as_of=AS_OF, default_country="GB")


def _living(store: Store, at: datetime = AS_OF) -> dict[str, str]:
    with store.read() as connection:
        found = living_subscriptions(connection, at, LONG)
    return {device: endpoint for device, (endpoint, _, _) in found.items()}


def test_the_latest_word_of_a_device_counts(store: Store, home: Home) -> None:
    day = timedelta(days=1)
    _record(
        store,
        home,
        "1.0",
        _event("Push Subscribed", "d1", AS_OF - 5 * day, "https://push.example/old"),
        _event("Push Subscribed", "d1", AS_OF - 3 * day, "https://push.example/new"),
        _event("Push Subscribed", "d2", AS_OF - 4 * day),
        _event("push unsubscribed ", "d2", AS_OF - 4 * day),
        _event("Push Subscribed", "d3", AS_OF - 2 * day, keys={}),
        _event("Push Subscribed", "d4", AS_OF - 2 * day, "https://push.example/" + "x" * 2_000),
        _event("Push Subscribed", " ", AS_OF - 2 * day),
        {**_event("Push Subscribed", "d5", AS_OF), "properties": '{"endpoint": '},
    )
    assert _living(store) == {"d1": "https://push.example/new"}
    _record(store, home, "2.0", _event("Push Subscribed", "d1", AS_OF - 4 * day, "https://late"))
    assert _living(store) == {"d1": "https://push.example/new"}
    _record(store, home, "3.0", _event("Push Unsubscribed", "d1", AS_OF - day))
    assert _living(store) == {}


def test_what_is_gone_is_back_with_a_new_subscription(store: Store, home: Home) -> None:
    at = AS_OF - timedelta(days=3)
    _record(store, home, "1.0", _event("Push Subscribed", "d1", at))
    with store.write() as connection:
        end_subscriptions(connection, ["https://push.example/d1"], AS_OF)
    assert _living(store) == {}
    _record(store, home, "2.0", _event("Push Subscribed", "d1", AS_OF, "https://push.example/2"))
    assert _living(store) == {"d1": "https://push.example/2"}


def test_a_browser_that_was_not_seen_for_long_is_not_believed(store: Store, home: Home) -> None:
    old = AS_OF - timedelta(days=200)
    _record(
        store,
        home,
        "1.0",
        *(_event("Push Subscribed", device, old) for device in ("d1", "d2")),
        {"event": "Page", "anonymous_id": "d2", "occurred_at": AS_OF - timedelta(days=9)},
    )
    assert list(_living(store)) == ["d2"]
    assert _living(store, AS_OF + timedelta(days=180)) == {}


def test_whoever_is_forgotten_has_none(store: Store, home: Home) -> None:
    _record(store, home, "1.0", *(_event("Push Subscribed", d, AS_OF) for d in ("d1", "d2", "d3")))
    with store.write() as connection:
        keys = [("device", "d1"), ("push_token", "https://push.example/d2"), ("email", "d3")]
        assert erase_subscriptions(connection, keys) == 2
        left = connection.execute(select(schema.push_subscriptions.c.device)).scalars().all()
    assert left == ["d3"]


def test_keys_leave_for_nobody(store: Store, home: Home, tmp_path: Path) -> None:
    _record(store, home, "1.0", _event("Push Subscribed", "d1", AS_OF, p256dh="canary-key"))
    assert schema.push_subscriptions not in leaving()
    export_ops(store, tmp_path / "export", Run("r1", AS_OF, "v"))
    files = {path.stem for path in (tmp_path / "export").iterdir()}
    assert files
    assert not {"push_subscriptions", "outbox", "audience_states"} & files
