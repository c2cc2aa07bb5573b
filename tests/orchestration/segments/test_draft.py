"""A draft held against a published file, and why somebody is in a segment or is not.

Belongs here: the two commands on a small file. Does not belong here: what conditions find.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import duckdb
import pytest

from ingestion.errors import RegularsError, UsageError
from orchestration.commands.draft import print_draft
from orchestration.commands.membership import print_membership
from orchestration.home.layout import Home
from orchestration.segments.draft import read_draft, try_draft
from orchestration.segments.overlap import Rival
from orchestration.words.plain_text import PlainConsole
from tests.orchestration.segments.published import HEAD, publish_few_buyers

TEXT = HEAD + "{{ members(all=[ordered()], none=[in_segment('vip')]) }}"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose published file has a few buyers."""
    return publish_few_buyers(Home(tmp_path_factory.mktemp("drafts")))


def test_a_draft_says_who_would_be_in_it_and_what_may_reach_them(home: Home) -> None:
    before = home.published.stat().st_mtime_ns
    draft = try_draft(home, "second_order", TEXT, {})
    assert (draft.people, draft.known, draft.of_all) == (2, 2, 4)
    assert (draft.joined, draft.left) == (None, None)
    assert draft.reach == {"email": 1}
    assert draft.overlap == {"at_risk": 1}
    assert draft.rivals == (Rival("at_risk", 1, 100, ("email",), "at_risk", is_conflict=True),)
    assert [row["kept_in_order_count"] for row in draft.funnel] == [3, 2]
    assert draft.samples == (
        ("b•••@s•••.example", "At least 1 order; not in the segment vip."),
        ("c•••@s•••.example", "At least 1 order; not in the segment vip."),
    )
    assert home.published.stat().st_mtime_ns == before


def test_a_draft_of_a_live_segment_says_who_joins_and_who_leaves(home: Home) -> None:
    draft = try_draft(home, "at_risk", TEXT, {})
    assert (draft.joined, draft.left) == (1, 1)
    assert "at_risk" not in draft.overlap


def test_it_is_laid_out_and_written_as_json(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seg_second_order.sql"
    shown = "'message_kind': 'offer', 'landing_page': 'club', 'slots': {'hero': 'thanks'}"
    file.write_text(TEXT.replace("'message_kind': 'offer'", shown), "utf-8")
    print_draft(home, "second_order", file, PlainConsole(width=200), as_json=False)
    text = capsys.readouterr().out
    assert "On the site its members are shown landing page: club, hero: thanks." in text
    assert "at_risk and second_order have the same priority 100 on email" in text
    assert "2 of 4 people, 2 of them known" in text
    assert "not in the segment vip" in text
    assert "bob@" not in text
    print_draft(home, "second_order", file, PlainConsole(width=200), as_json=True)
    assert json.loads(capsys.readouterr().out)["people"] == 2


def test_what_cannot_be_tried_is_said(home: Home, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read as a draft"):
        read_draft(tmp_path / "nowhere.sql")
    with pytest.raises(UsageError, match="did you mean ordered"):
        try_draft(home, "x", HEAD + "{{ members(all=[orderd()]) }}", {})
    with pytest.raises(UsageError, match="is no published table"):
        try_draft(home, "x", HEAD + "select * from {{ ref('int_orders_resolved') }}", {})
    with pytest.raises(UsageError, match="cannot be run"):
        try_draft(home, "x", HEAD + "select nothing from {{ ref('fct_orders') }}", {})
    with pytest.raises(RegularsError, match="Nothing is published"):
        try_draft(Home(tmp_path), "x", TEXT, {})


def test_a_draft_in_sql_has_people_and_no_funnel(home: Home) -> None:
    sql = "select customer_id, 'why' as reason, '{}' as context from {{ ref('fct_orders') }}"
    draft = try_draft(home, "x", HEAD + sql, {})
    assert (draft.people, draft.funnel) == (3, ())


def test_a_published_file_of_an_earlier_version_says_so(home: Home, tmp_path: Path) -> None:
    old = Home(tmp_path)
    old.published.write_bytes(home.published.read_bytes())
    with duckdb.connect(str(old.published)) as connection:
        connection.execute("drop table marts.fct_orders")
    with pytest.raises(UsageError, match="earlier version: run once"):
        try_draft(old, "x", TEXT, {})


def test_of_somebody_who_is_in_no_segment_the_condition_that_keeps_them_out_is_named(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    console = PlainConsole(width=200)
    print_membership(home, "bob", "buyers_without_email_permission", console, as_json=False)
    answer = capsys.readouterr().out
    assert "bob is not in buyers_without_email_permission." in answer
    assert "  ✓ at least 1 order (found: 1, against: at least 1); since 2026-06-05" in answer
    assert "  ✗ may not be contacted by email for marketing" in answer
    print_membership(home, "bob", "new_subscribers", console, as_json=False)
    assert "  ✗ signed up for email in the last 30 days" in capsys.readouterr().out
    with pytest.raises(UsageError, match="There is no segment 'loyal'"):
        print_membership(home, "bob", "loyal", console, as_json=False)


def test_a_draft_takes_no_more_than_three_seconds_of_cpu(home: Home) -> None:
    started = time.process_time()
    try_draft(home, "second_order", TEXT, {})
    assert time.process_time() - started < 3
