"""By data and by code add up to the plan, person by person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from orchestration.activation import delivery
from orchestration.activation.code_effect import apart
from orchestration.activation.plan import (
    Delivered,
    content_hash,
    count_operations,
    difference,
)
from orchestration.commands.delivery import print_plans
from orchestration.home.layout import Home
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store
from orchestration.published.segment_code import (
    EFFECT_SHAPE,
    ComparedCode,
    SegmentCode,
    add_segment_code,
)
from tests.orchestration.activation.shop import NOW, Receiver, Shop, deliver_to

AUDIENCE = st.dictionaries(
    st.sampled_from([f"c{i}" for i in range(6)]),
    st.sampled_from([{"reason": word} for word in ("a", "b", "c")]),
)
NOTHING = {"added": 0, "updated": 0, "removed": 0}


def net(counts: Mapping[str, int]) -> int:
    return counts["added"] - counts["removed"]


@given(AUDIENCE, AUDIENCE, AUDIENCE)
def test_the_effects_add_up_to_the_change(
    had: dict[str, dict[str, str]],
    by_earlier_code: dict[str, dict[str, str]],
    wanted: dict[str, dict[str, str]],
) -> None:
    delivered = {who: Delivered(content_hash(row), row) for who, row in had.items()}
    now = difference(wanted, delivered, {}).changes
    then = difference(by_earlier_code, delivered, {}).changes
    effect = apart(now, then)
    for operation, count in count_operations(now).items():
        assert effect.by_data[operation] + effect.by_code[operation] == count
    for operation, count in count_operations(then).items():
        assert effect.by_data[operation] + effect.kept_back[operation] == count
    assert len(wanted) - len(had) == net(effect.by_data) + net(effect.by_code)
    of_code = net(effect.by_code) - net(effect.kept_back)
    assert len(wanted) - len(by_earlier_code) == of_code
    if by_earlier_code == wanted:
        assert effect.is_nothing
    if by_earlier_code == had:
        assert effect.by_data == effect.kept_back == NOTHING


def publish(shop: Shop) -> None:
    """What the shop is now, by a run that the store knows of."""
    shop.publish()
    run = Run(f"run{shop.runs}", NOW, "test")
    start_run(shop.store, run, started_at=NOW)
    finish_run(shop.store, run.run_id, SUCCEEDED, finished_at=NOW)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Four members who may be emailed; two of them were sent, and one who is no member now."""
    home, receiver = Home(tmp_path / "home").create(), Receiver()
    deliver_to(receiver, monkeypatch)
    with open_store(home) as store:
        shop = Shop(home, store)
        for name in ("kept", "reworded", "gone"):
            shop.add_permitted(name, f"{name}@example.com")
        publish(shop)
    delivery.sync_all(home, None, None)
    with open_store(home) as store:
        shop.store = store
        shop.members.pop("gone")
        shop.members["reworded"] = "by new words"
        for name in ("by_data", "by_code", "kept_back"):
            shop.add_permitted(name, f"{name}@example.com")
        shop.members.pop("kept_back")
        publish(shop)
    return home


def compare(home: Home, comparison: str, *effects: tuple[str, bool, str | None]) -> None:
    """Let the published file say how the code of the segment differs from the earlier one."""
    rows = [
        {
            "segment": "vip",
            "customer_id": who,
            "was_member": was_member,
            "reason": reason,
            "context": "{}" if was_member else None,
        }
        for who, was_member, reason in effects
    ]
    code = SegmentCode("vip", "select 1", "select 2", comparison)
    with duckdb.connect(str(home.published)) as connection:
        add_segment_code(
            connection, ComparedCode((code,), pa.Table.from_pylist(rows, EFFECT_SHAPE))
        )


def planned(home: Home, *, as_json: bool = False) -> str:
    out = StringIO()
    print_plans(home, None, None, Console(file=out, width=200), as_json=as_json, who=False)
    return out.getvalue()


def test_a_plan_tells_changed_code_from_changed_data(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = (
        ("reworded", True, "because"),
        ("by_code", False, None),
        ("kept_back", True, "because"),
    )
    compare(home, "changed", *changed)
    text = planned(home)
    (row,) = (line for line in text.splitlines() if "+1 -1" in line)
    assert [cell.strip() for cell in row.split("│")[1:-1]] == [
        *("vip", "receiver", "+1 -1", "+1 ~1", "+1")
    ]
    planned(home, as_json=True)
    (facts,) = json.loads(capsys.readouterr().out)
    assert {name: facts[name] for name in NOTHING} == {"added": 2, "updated": 1, "removed": 1}
    assert facts["by_data"] == {"added": 1, "updated": 0, "removed": 1}
    assert facts["by_code"] == {"added": 1, "updated": 1, "removed": 0}
    assert facts["kept_back_by_code"] == {"added": 1, "updated": 0, "removed": 0}


def test_what_no_code_changed_is_by_data(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    compare(home, "same")
    assert "by code" not in planned(home)
    planned(home, as_json=True)
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["by_data"] == {"added": 2, "updated": 1, "removed": 1}
    assert facts["by_code"] == facts["kept_back_by_code"] == NOTHING


@pytest.mark.parametrize("comparison", ["first", "not_run"])
def test_what_is_not_known_is_not_told(
    home: Home, comparison: str, capsys: pytest.CaptureFixture[str]
) -> None:
    compare(home, comparison)
    assert "by code" not in planned(home)
    planned(home, as_json=True)
    (facts,) = json.loads(capsys.readouterr().out)
    assert facts["by_data"] is facts["by_code"] is None
