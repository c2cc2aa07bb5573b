"""`plan` says how many profiles a sync would make that the destination's vendor bills."""

from __future__ import annotations

import json
import socket
from io import StringIO

import pytest
from rich.console import Console

from ingestion.config import Destination, Settings
from orchestration.activation.new_profiles import new_profiles
from orchestration.activation.people import Target
from orchestration.activation.plan import Change, Plan
from orchestration.commands.delivery import render_plans
from tests.orchestration.activation.shop import Shop

KLAVIYO = Target("vip", "klaviyo", "email", "marketing")
HERE = {"base_url": "http://127.0.0.1:1", "allow_private": True}


def settings(*, create: bool) -> Settings:
    kinds = {"klaviyo": Destination(kind="klaviyo", options={**HERE, "create": create})}
    return Settings(destinations={**kinds, "files": Destination(kind="file")})


def plan(*added: str, target: Target = KLAVIYO, updated: tuple[str, ...] = ()) -> Plan:
    changes = [Change("added", one, one, {"customer_id": one}) for one in added]
    changes += [Change("updated", one, one, {"customer_id": one}) for one in updated]
    return Plan(target, "r", tuple(changes), (), 0, 0, (), ())


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a plan opens no connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_test")


def test_people_without_a_profile_by_the_last_pull_are_new_ones(shop: Shop) -> None:
    shop.add("has_one", "a@x.example", "klaviyo_profile_id:01H")
    shop.add("new", "b@x.example")
    shop.add("new_in_two_segments", "c@x.example")
    shop.publish()
    other = Target("at_risk", "klaviyo", "email", "marketing")
    plans = [
        plan("has_one", "new", "new_in_two_segments"),
        plan("new_in_two_segments", target=other, updated=("there_already",)),
        plan("new", target=Target("vip", "files", "email", "marketing")),
    ]
    made = new_profiles(shop.home, settings(create=True), plans)
    assert made == {"klaviyo": {"new", "new_in_two_segments"}}
    text, facts = said(plans, made)
    assert "2 new profiles at klaviyo, by the last pull" in text
    assert [each["new_profiles"] for each in facts] == [2, 1, 0]


def test_a_destination_that_makes_none_bills_none(shop: Shop) -> None:
    shop.add("new", "b@x.example", "klaviyo_profile_id:01H")
    shop.publish()
    assert new_profiles(shop.home, settings(create=False), [plan("new")]) == {}


def test_without_a_pull_it_is_not_known(shop: Shop) -> None:
    shop.add("new", "b@x.example")
    shop.publish()
    made = new_profiles(shop.home, settings(create=True), [plan("new")])
    assert made == {"klaviyo": None}
    text, facts = said([plan("new")], made)
    assert "how many is not known, since nothing is pulled from it" in text
    assert facts[0]["new_profiles"] is None


def said(
    plans: list[Plan], made: dict[str, frozenset[str] | None]
) -> tuple[str, list[dict[str, object]]]:
    out = StringIO()
    render_plans(plans, {}, Console(file=out, width=200), as_json=False, made=made)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", facts := StringIO())
        render_plans(plans, {}, Console(file=out), as_json=True, made=made)
    return out.getvalue(), json.loads(facts.getvalue())
