"""That somebody was asked is kept, and is neither a yes nor a no."""

from __future__ import annotations

import csv
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from orchestration.activation.consent_log import write_consent_log
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.store import Store, from_micros, open_store
from tests.orchestration.ops.conftest import AS_OF
from tests.orchestration.ops.raw_file import write_held, write_raw

ASKED = datetime(2026, 3, 1, 8)
ROW: dict[str, Any] = {
    "identifier_type": "email",
    "identifier_value": " Jane@Example.com ",
    "channel": "Email",
    "purpose": "personalization",
    "status": "requested",
    "occurred_at": ASKED,
    "source": "preference centre",
    "wording_version": "v2",
}


def _record(store: Store, home: Home) -> Any:
    return record_consent_facts(store, home.raw, as_of=AS_OF, default_country="GB")


def _rows(store: Store, table: Table) -> list[tuple[Any, ...]]:
    with store.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*table.columns)))


def test_a_question_is_kept_once_with_its_time_source_and_wording(store: Store, home: Home) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_consents__consents=[
            ROW,
            ROW,
            {**ROW, "status": "Ausstehend", "channel": "text", "purpose": "newsletter"},
            {**ROW, "identifier_value": "nobody"},
            {**ROW, "occurred_at": None},
            {**ROW, "source": None},
        ],
    )
    counts = _record(store, home)
    assert (counts.consents, counts.suppressions, counts.unusable) == (0, 0, 3)
    kept = _rows(store, schema.consent_requests)
    assert {(*row[1:5], from_micros(row[5]), *row[6:8]) for row in kept} == {
        (*said, ASKED, "preference centre", "v2")
        for said in (
            ("email", "jane@example.com", "email", "personalisation"),
            ("email", "jane@example.com", "sms", "marketing"),
        )
    }
    assert _record(store, home).consents == 0
    assert _rows(store, schema.consent_requests) == kept, "read again, it is the same question"
    log = home.root / "log.csv"
    assert write_consent_log(store, log)["requests"] == 2
    with log.open(encoding="utf-8", newline="") as stream:
        assert {row["status"] for row in csv.DictReader(stream)} == {"requested"}


def test_a_question_in_quarantine_is_none(store: Store, home: Home) -> None:
    text = (
        '{"identifier_type": "email", "identifier_value": "a@example.com", "channel": "email",'
        ' "purpose": "marketing", "status": "requested", "occurred_at": "?", "source": "x"}'
    )
    write_held(home.raw, "1.0", "consents.consents", "consents/a.jsonl", text)
    _record(store, home)
    for table in (schema.consent_requests, schema.consent_events, schema.suppressions):
        assert _rows(store, table) == []


STATEMENTS = st.lists(
    st.builds(
        lambda who, channel, purpose, status, level, hours: {
            **ROW,
            "identifier_value": f"{who}@example.com",
            "channel": channel,
            "purpose": purpose,
            "status": status,
            "level": level,
            "occurred_at": ASKED + timedelta(hours=hours),
        },
        st.sampled_from("ab"),
        st.sampled_from(["email", "sms", "everywhere", "*", "pigeon"]),
        st.sampled_from(["marketing", "personalisation", "*", "astrology", "group:7"]),
        st.sampled_from(["requested", "pending", "granted", "denied", "revoked", "flummoxed"]),
        st.sampled_from([None, "segment", "full"]),
        st.integers(0, 48),
    ),
    min_size=1,
    max_size=40,
)


@pytest.mark.faults
@pytest.mark.slow
@settings(max_examples=20)
@given(STATEMENTS)
def test_whatever_is_asked_what_is_permitted_and_refused_is_the_same(
    said: list[dict[str, Any]],
) -> None:
    """Facts with the questions among them are those without; gate and models read nothing else."""
    answers = [row for row in said if row["status"] not in ("requested", "pending")]
    with tempfile.TemporaryDirectory() as folder:
        with_questions, without = Path(folder, "with"), Path(folder, "without")
        found = _facts(with_questions, said)
        assert found[:2] == _facts(without, answers)[:2]
        assert bool(found[2]) == (len(answers) < len(said))


def _facts(root: Path, said: list[dict[str, Any]]) -> list[list[tuple[Any, ...]]]:
    home = Home(root).create()
    write_raw(home.raw, "1.0", raw_consents__consents=said)
    tables = (schema.consent_events, schema.suppressions, schema.consent_requests)
    with open_store(home) as store:
        _record(store, home)
        return [_rows(store, table) for table in tables]
