"""Who is meant by an export, where no run has published them yet."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import open_store
from orchestration.who.explain import NotFoundError
from orchestration.who.subject import UNPUBLISHED, export_subject, find_subject

SHOP = Path(__file__).with_name("explained_shop.sql").read_text("utf-8")
AT = datetime(2026, 6, 1, 12)
NEW = "new@nowhere.example"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A published shop, and one consent that was recorded by hand since."""
    home = Home(tmp_path / "home").create()
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(SHOP)
    said = {"channel": "email", "purpose": "marketing", "wording_version": "v1"}
    events = [
        ConsentEvent("email", who, status="granted", occurred_at=AT, source="stall", **said)
        for who in (NEW, "other@nowhere.example")
    ]
    with open_store(home) as store:
        record_consents(store, events, recorded_at=AT)
    return home


def test_whoever_is_only_in_the_store_gets_what_is_held_there(home: Home) -> None:
    subject = find_subject(home, NEW)
    assert (subject.customer_id, subject.keys) == (UNPUBLISHED, (("email", NEW),))
    done = export_subject(home, subject, at=AT)
    assert done.rows == {"ops.consent_events": 1}
    tables = json.loads(done.path.read_text("utf-8"))["tables"]
    assert [row["identifier_value"] for row in tables["ops.consent_events"]] == [NEW]


def test_a_value_of_nobody_is_still_nobody(home: Home) -> None:
    with pytest.raises(NotFoundError, match="Nobody is known"):
        find_subject(home, "nobody@nowhere.example")


def test_a_value_that_several_share_is_no_persons_whatever_the_store_has(home: Home) -> None:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        kind, value = connection.execute(
            "select identifier_type, identifier_value from marts.qa_refused_identifiers limit 1"
        ).fetchone() or ("", "")
    said = {"channel": "push", "purpose": "marketing", "wording_version": "v1"}
    event = ConsentEvent(kind, value, status="granted", occurred_at=AT, source="site", **said)
    with open_store(home) as store:
        record_consents(store, [event], recorded_at=AT)
    with pytest.raises(NotFoundError, match="belongs to nobody"):
        find_subject(home, f"{kind}:{value}")
