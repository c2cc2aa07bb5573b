"""`export-subject`: all that is held about a person, and nothing of anybody else (A9)."""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
from collections import defaultdict
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.home.retention import delete_old_exports
from orchestration.ops.store import open_store
from orchestration.who.explain import NotFoundError
from orchestration.who.subject import export_subject, find_subject
from tests.end_to_end.conftest import DemoHome, Regulars

NOW = datetime(2026, 7, 2)
PEOPLE = 50
# Every table whose rows are one person's, by the column that says whose; counted on their own
KEYED = (
    *("marts.dim_customers", "marts.customer_360", "marts.fct_orders", "marts.fct_order_lines"),
    *("marts.fct_interactions", "marts.fct_messages", "marts.fct_web_sessions"),
    *("marts.customer_traits", "marts.contactability", "marts.bridge_customer_identifiers"),
    *("marts.fct_segment_memberships", "marts.fct_customer_rfm", "segments.seg_vip"),
    *("marts.customer_identifier_history", "marts.fct_identity_changes"),
)


@pytest.fixture(scope="module")
def home(demo_home: DemoHome, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """The demo's stores, apart, so that what is written here is nobody else's."""
    root = tmp_path_factory.mktemp("subject") / "home"
    root.mkdir()
    for name in ("published.duckdb", "ops.sqlite", "home.json"):
        shutil.copy(demo_home.root / name, root / name)
    return Home(root)


@pytest.fixture(scope="module")
def people(demo_home: DemoHome) -> list[str]:
    """Fifty, those with the most to tell and shared values among them."""
    rows = demo_home.query(
        """
        select customer_id from marts.dim_customers where is_known
        order by identifier_count desc, order_count desc, customer_id limit 25
        """
    )
    rows += demo_home.query(
        "select customer_id from marts.dim_customers where is_known order by customer_id limit 25"
    )
    found = list(dict.fromkeys(str(one) for (one,) in rows))
    assert len(found) >= PEOPLE - 5
    return found


def test_fifty_people_get_every_row_of_theirs_and_none_of_anothers(
    demo_home: DemoHome, home: Home, people: list[str]
) -> None:
    counts = {
        table: dict(demo_home.query(f"select customer_id, count(*)::int from {table} group by all"))
        for table in KEYED
    }
    owners = defaultdict(set)
    for customer, value in demo_home.query(
        "select customer_id, identifier_value from marts.bridge_customer_identifiers"
        " where identifier_type in ('email', 'phone', 'login', 'payment_card')"
    ):
        owners[value].add(customer)
    rows = 0
    for customer in people:
        done = export_subject(home, find_subject(home, f"customer_id:{customer}"), at=NOW)
        content = json.loads(done.path.read_text("utf-8"))
        for table in KEYED:
            got = content["tables"].get(table, [])
            assert len(got) == counts[table].get(customer, 0), table
            assert {row["customer_id"] for row in got} <= {customer}
        others = [
            value for value in values(content) if value in owners and customer not in owners[value]
        ]
        assert others == []
        rows += sum(done.rows.values())
    assert rows > PEOPLE * 100


def test_what_the_store_knows_of_her_identifiers_is_in_it(home: Home, people: list[str]) -> None:
    done = export_subject(home, find_subject(home, f"customer_id:{people[0]}"), at=NOW)
    tables = json.loads(done.path.read_text("utf-8"))["tables"]
    own = {
        (row["identifier_type"], row["identifier_value"])
        for row in tables["marts.bridge_customer_identifiers"]
        if not row["is_shared"]
    }
    with open_store(home) as store, store.read() as connection:
        rows = connection.execute(
            text("select identifier_type, identifier_value from consent_events")
        ).all()
    expected = sum(tuple(row) in own for row in rows)
    assert len(tables.get("ops.consent_events", [])) == expected > 0
    assert tables["ops.consent_events"][0]["occurred_at"].startswith("202")


def test_the_file_is_private_and_goes_after_its_days(home: Home, people: list[str]) -> None:
    done = export_subject(home, find_subject(home, f"customer_id:{people[0]}"), at=NOW)
    assert stat.S_IMODE(done.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(done.path.parent.stat().st_mode) == 0o700
    old = time.time() - 31 * 86_400
    now = datetime.fromtimestamp(time.time())
    os.utime(done.path, (old, old))
    kept = export_subject(home, find_subject(home, f"customer_id:{people[1]}"), at=NOW)
    assert delete_old_exports(home, days=30, at=now) == 1
    assert not done.path.exists()
    assert kept.path.exists()


def test_nobody_is_written_without_a_yes(
    demo_home: DemoHome, home: Home, people: list[str], regulars: Regulars
) -> None:
    before = sorted(home.subject_exports.glob("*"))
    who = f"customer_id:{people[2]}"
    asked = regulars("export-subject", who, "--home", home.root)
    assert asked.code == 2
    assert "only when somebody says yes" in asked.err
    assert sorted(home.subject_exports.glob("*")) == before
    done = regulars("export-subject", who, "--yes", "--home", home.root)
    assert done.code == 0, done.err
    assert "deleted after 30 days" in done.out
    assert "@" not in done.out


def test_a_value_that_nobody_has_is_told(home: Home) -> None:
    with pytest.raises(NotFoundError):
        export_subject(home, find_subject(home, "nobody@nowhere.example"), at=NOW)
    with pytest.raises(UsageError):
        export_subject(home, find_subject(home, " "), at=NOW)


def values(content: Any) -> set[str]:
    """Every text of a document, and every word of those that are documents themselves."""
    if isinstance(content, dict):
        return set().union(*(values(each) for each in content.values())) if content else set()
    if isinstance(content, list):
        return set().union(*(values(each) for each in content)) if content else set()
    if isinstance(content, str) and content[:1] in "[{":
        try:
            return {content} | values(json.loads(content))
        except ValueError:
            return {content}
    return {content} if isinstance(content, str) else set()


def test_the_test_sees_a_value_within_a_document() -> None:
    assert "a@b.example" in values({"x": [{"y": '{"to": "a@b.example"}'}]})
