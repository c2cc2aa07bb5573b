"""An opt-out survives everything that happens to data (RELIABILITY A6), source to gate."""

from __future__ import annotations

import shutil
from datetime import datetime
from typing import Any

import pytest

from orchestration.activation.gate import (
    Decision,
    Identifier,
    Policy,
    Reason,
    decide,
    load_states,
)
from orchestration.home.layout import Home
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.store import Store, open_store, to_micros
from tests.orchestration.activation.shop import NOW, Shop
from tests.orchestration.ops.raw_file import write_raw

JOINED = datetime(2025, 6, 1)
LEFT = datetime(2026, 2, 1)
CONSENT = {
    "identifier_type": "email",
    "identifier_value": "a@example.com",
    "channel": "email",
    "purpose": "marketing",
    "status": "granted",
    "occurred_at": JOINED,
    "source": "newsletter",
    "wording_version": "v1",
}
LEAVES = {"email": "a@example.com", "occurred_at": LEFT, "event": "unsubscribe"}
A = Identifier("email", "a@example.com")
B = Identifier("email", "b@example.com")


def _read(store: Store, home: Home, **options: Any) -> None:
    record_consent_facts(store, home.raw, as_of=NOW, default_country="GB", **options)


def _ask(store: Store, *identifiers: Identifier) -> Decision:
    policy = Policy("email", "marketing")
    with store.read() as connection:
        keys = [one.key for one in identifiers]
        states = load_states(connection, keys, policy, to_micros(NOW))
    return decide(identifiers, states, policy)


@pytest.fixture
def left(shop: Shop) -> Shop:
    """Somebody who joined and left."""
    write_raw(shop.home.raw, "1", raw_consents__consents=[CONSENT], raw_email__events=[LEAVES])
    _read(shop.store, shop.home)
    assert _ask(shop.store, A).reason is Reason.UNSUBSCRIBED
    return shop


def test_an_old_list_imported_again(left: Shop) -> None:
    listed = {"email": "a@example.com", "status": "subscribed", "created_at": JOINED}
    write_raw(left.home.raw, "2", raw_consents__consents=[CONSENT], raw_contacts__contacts=[listed])
    _read(left.store, left.home)
    assert _ask(left.store, A).reason is Reason.UNSUBSCRIBED


def test_an_old_checkbox_that_comes_late(left: Shop) -> None:
    order = '{"email": "a@example.com", "buyer_accepts_marketing": true}'
    write_raw(
        left.home.raw,
        "2",
        raw_orders__orders=[
            {"created_at": JOINED, "payload": order},
            {"created_at": datetime(2026, 5, 1), "payload": order},
        ],
    )
    _read(left.store, left.home)
    assert _ask(left.store, A).reason is Reason.UNSUBSCRIBED


def test_a_full_refresh(left: Shop) -> None:
    left.home.raw.unlink()
    write_raw(left.home.raw, "9", raw_consents__consents=[CONSENT])
    _read(left.store, left.home, rescan=True)
    assert _ask(left.store, A).reason is Reason.UNSUBSCRIBED


def test_a_merge_and_its_undoing(left: Shop) -> None:
    left.grant("b@example.com")
    assert _ask(left.store, B).allowed
    assert _ask(left.store, A, B).reason is Reason.UNSUBSCRIBED
    assert _ask(left.store, A).reason is Reason.UNSUBSCRIBED
    assert _ask(left.store, B).allowed


def test_a_store_restored_from_an_older_backup(shop: Shop) -> None:
    write_raw(shop.home.raw, "1", raw_consents__consents=[CONSENT])
    _read(shop.store, shop.home)
    shop.store.close()
    backup = shop.home.root / "backup.sqlite"
    with open_store(shop.home) as store, store.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(shop.home.ops, backup)
    write_raw(shop.home.raw, "2", raw_email__events=[LEAVES])
    with open_store(shop.home) as store:
        _read(store, shop.home)
        assert _ask(store, A).reason is Reason.UNSUBSCRIBED
    for path in shop.home.root.glob("ops.sqlite*"):
        path.unlink()
    shutil.copy(backup, shop.home.ops)
    with open_store(shop.home) as store:
        assert _ask(store, A).allowed
        _read(store, shop.home)
        assert _ask(store, A).reason is Reason.UNSUBSCRIBED


def test_coming_back_with_evidence(left: Shop) -> None:
    back = {**CONSENT, "occurred_at": datetime(2026, 5, 1), "wording_version": "v2"}
    write_raw(left.home.raw, "2", raw_consents__consents=[back])
    _read(left.store, left.home)
    assert _ask(left.store, A).allowed
