"""The tables of what was planned and sent: one layout, whoever prints it."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from ingestion.config import REPOSITORY
from ingestion.vocabulary import Reason
from orchestration.activation import delivery
from orchestration.activation.contact_tables import COMMENTS
from orchestration.activation.delivery import Delivery, Synced, masked_address
from orchestration.activation.ledger import LastSync
from orchestration.activation.people import Target
from orchestration.activation.plan import Plan
from orchestration.commands.delivery import (
    NOBODY,
    NOWHERE,
    print_plans,
    render_deliveries,
    render_plans,
    render_results,
)
from orchestration.home.layout import Home
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store
from orchestration.segments.overlap import Rival
from orchestration.words.codes import REASONS
from orchestration.words.explaining import explained_by
from tests.orchestration.activation.shop import NOW, Receiver, Shop, deliver_to

VIP = Target("vip", "file", "email", "marketing")
PLANNED = Delivery(VIP, {"added": 1200}, {"no_consent": 3, "expired": 1}, plan_hash="abc123")
SENT = Delivery(VIP, {"added": 2, "removed": 1}, {})


def said(*deliveries: Delivery) -> str:
    """What is printed of a run's deliveries."""
    out = Console(file=StringIO(), width=180)
    render_deliveries(deliveries, out)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_a_plan_says_what_approves_it_and_why_people_are_held_back() -> None:
    text = said(PLANNED)
    for word in ("file (email, marketing)", "1,200", "abc123", "Nothing was sent"):
        assert word in text
    assert "3 no permission on record, 1 permission expired" in text


@pytest.mark.parametrize(
    ("held", "sentence"),
    [
        ({"no_consent": 5}, NOBODY),
        ({"no_address": 5}, "The shop has no address of anybody: nothing could be sent."),
        ({}, "No segment has a member yet: nothing could be sent."),
    ],
)
def test_plans_that_reach_nobody_are_one_sentence_and_no_hash(
    held: dict[str, int], sentence: str
) -> None:
    plans = [
        Delivery(Target(name, "file", "email", "marketing"), {"added": 0}, held, plan_hash="abc")
        for name in ("vip", "at_risk")
    ]
    text = said(*plans)
    assert sentence in text
    assert "abc" not in text
    assert "approve" not in text
    text = said(PLANNED, *plans)
    assert "abc123" in text
    people = f" ({sum(held.values())} held back)" if held else ""
    assert f"Nobody to reach: vip to file{people}, at_risk to file{people}." in text


def test_what_a_destination_has_already_needs_no_approval() -> None:
    text = said(Delivery(VIP, {"added": 0}, {"denied": 2}, plan_hash="abc123", kept=7))
    assert "abc123" not in text
    assert "Nothing to send" in text
    assert "2 permission denied" in text


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        ({"email": "maria@example.org"}, "m***@e***.org"),
        ({"email": "", "phone": "+447700900123"}, "+44***23"),
        ({"email": None}, ""),
        ({"phone": "112"}, "***"),
    ],
)
def test_an_address_is_masked(payload: dict[str, str | None], shown: str) -> None:
    assert masked_address(payload, ("email", "phone")) == shown


def test_what_was_sent_needs_no_approval() -> None:
    text = said(SENT)
    assert "approve" not in text
    assert "Nothing was sent" not in text
    assert "left" in text


def test_what_is_left_is_told() -> None:
    assert "Some rows are left" in said(Delivery(VIP, {}, {}, left=2))
    assert "Some rows are left" not in said(SENT)


def test_a_run_that_did_both_prints_both() -> None:
    text = said(PLANNED, SENT)
    assert "approve" in text
    assert "left" in text


def test_a_run_without_destinations_prints_nothing() -> None:
    assert said() == ""


def test_a_plan_or_sync_without_anywhere_to_go_says_so() -> None:
    out = StringIO()
    render_plans([], {}, Console(file=out, width=400), as_json=False)
    render_results(Synced([], []), Console(file=out, width=400))
    assert out.getvalue().splitlines() == [NOWHERE, NOWHERE]


def test_nothing_of_a_segment_is_not_nothing_at_all(tmp_path: Path) -> None:
    plan = Plan(VIP, "r", (), (), 0, 0, (), ())
    out = StringIO()
    render_plans([plan], {}, Console(file=out, width=180), as_json=False)
    assert "Nothing was delivered yet." in out.getvalue()
    elsewhere = {("at_risk", "file"): LastSync(NOW, {"added": 3})}
    render_plans([plan], elsewhere, Console(file=out, width=180), as_json=False)
    assert "Nothing of it was delivered yet." in out.getvalue()


def test_a_plan_in_json_has_who_wants_the_same_people(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(VIP, "r", (), (), 0, 0, (), ())
    rival = Rival("at_risk", 4, 30, ("email",), "vip", is_conflict=False)
    out = Console(file=StringIO(), width=180)
    render_plans([plan], {}, out, as_json=True, rivals={"vip": (rival,)})
    [facts] = json.loads(capsys.readouterr().out)
    assert facts["rivals"] == [
        {
            "segment": "at_risk",
            "people": 4,
            "priority": 30,
            "channels": ["email"],
            "first": "vip",
            "is_conflict": False,
        }
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_has_words_and_one_command_that_explains_it(reason: Reason) -> None:
    command = explained_by(reason, "vip")
    assert REASONS[reason]
    assert explained_by(reason, "vip", " --home x") == f"{command} --home x"
    if not command.startswith("regulars sql"):
        assert command == "regulars plan vip --who"
        return
    schema, table, column = re.findall(r'"from (\w+)\.(\w+) where (\w+)', command)[0]
    if f"{schema}.{table}" in COMMENTS:
        columns = set(COMMENTS[f"{schema}.{table}"][1])
    else:
        (written,) = (REPOSITORY / "dbt_project" / "models" / "marts").rglob(f"{table}.yml")
        (model,) = yaml.safe_load(written.read_text("utf-8"))["models"]
        columns = {each["name"] for each in model["columns"]}
    assert column in columns


def test_a_plan_after_a_sync_says_what_was_delivered_and_to_whom(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home, receiver = Home(tmp_path / "home").create(), Receiver()
    deliver_to(receiver, monkeypatch)
    with open_store(home) as store:
        shop = Shop(home, store)
        for name in ("c1", "c2", "c3"):
            shop.add(name, f"{name}@example.com")
        shop.grant("c1@example.com")
        shop.grant("c2@example.com")
        shop.publish()
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
    delivery.sync_all(home, None, None)

    def planned(*, who: bool = False, as_json: bool = False) -> str:
        out = Console(file=StringIO(), width=180)
        print_plans(home, None, None, out, as_json=as_json, who=who)
        return out.file.getvalue()  # type: ignore[attr-defined]

    text = planned()
    assert "delivered last" in text
    cells = [[cell.strip() for cell in line.split("│")] for line in text.splitlines()]
    explained = f"regulars plan vip --who --home {home.root}"
    assert f"no permission on record: {explained}" in text
    assert ["", "vip", "email", "2", "0", "0", "1 no permission on record", ""] in cells
    assert "Nothing to send" in text
    people = planned(who=True)
    assert people.count("c***@e***.com") == 2
    assert "held back: no permission on record" in people
    assert "@example.com" not in people
    planned(as_json=True)
    [facts] = json.loads(capsys.readouterr().out)
    assert facts["last_delivery"]["added"] == 2
    planned(who=True, as_json=True)
    listed = json.loads(capsys.readouterr().out)
    assert [each["state"] for each in listed] == ["has it", "has it", "held back"]
