"""What a pulse plans: each pair once, and no longer everybody once everybody was planned.

Belongs here: pulses after another one on a small published file. Does not belong here: what one
pulse sends (test_pulse.py).
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from orchestration.activation import delivery, sync
from orchestration.activation.delivery import DeliveryContext
from orchestration.activation.moments import stopped
from orchestration.activation.people import Target, targets
from orchestration.activation.plan import Plan, build_plan
from orchestration.activation.planned import planned_since
from tests.orchestration.activation.pulse.conftest import READERS
from tests.orchestration.activation.pulse.shop import NOW, PulseShop, ago, event

CART = "abandoned_cart"
LATER = NOW + timedelta(minutes=5)
MIDNIGHT = NOW.replace(hour=15) + timedelta(minutes=5)  # in Tokyo


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, bool]]:
    """Per segment and whether everybody was asked about: how many plans were made."""
    made = Counter[tuple[str, bool]]()

    def counted(store: object, home: object, target: Target, **more: object) -> Plan:
        day = more["day"]
        assert isinstance(day, delivery.ContactDay)
        made[target.segment, day.only is None] += 1
        return build_plan(store, home, target, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(delivery, "build_plan", counted)
    monkeypatch.setattr(sync, "build_plan", counted)
    return made


def test_each_pair_is_planned_once(shop: PulseShop, plans: Counter[tuple[str, bool]]) -> None:
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    shop.pulse()
    assert shop.outbox() == [(CART, "aiko", "added")]
    assert plans[CART, True] == 1
    assert set(plans.values()) == {1}


def test_everybody_is_planned_once_for_a_file_and_a_day(
    shop: PulseShop, plans: Counter[tuple[str, bool]]
) -> None:
    shop.publish(READERS, "run2", carts=("chie",))
    shop.pulse()
    shop.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    plans.clear()
    shop.pulse(at=LATER)
    assert {whole for _, whole in plans} == {False}
    assert shop.outbox() == [(CART, "chie", "added"), (CART, "aiko", "added")]
    plans.clear()
    shop.pulse(at=MIDNIGHT)
    assert {whole for _, whole in plans} == {True}
    shop.publish(READERS, "run3", carts=("chie",))
    plans.clear()
    shop.pulse(at=MIDNIGHT + timedelta(minutes=5))
    assert {whole for _, whole in plans} == {True}


def test_whoever_refuses_is_asked_about_again(shop: PulseShop) -> None:
    shop.publish(READERS, "run2", carts=("ben", "chie"))
    shop.pulse(at=NOW - timedelta(minutes=30))
    first = shop.outbox()
    assert {who for _, who, _ in first} == {"ben", "chie"}
    shop.refuse("chie", at=NOW)
    shop.pulse(at=LATER)
    assert shop.outbox()[len(first) :] == [(CART, "chie", "removed")]


def test_a_plan_for_some_leaves_all_others_as_they_are(shop: PulseShop) -> None:
    shop.publish(READERS, "run2", carts=("ben", "chie"))
    shop.pulse()
    context = DeliveryContext(shop.home, shop.settings, shop.store, stopped(LATER))
    (target,) = targets(shop.home, shop.settings, CART)
    some = delivery.read_contact_day(shop.home, {"aiko"}, settings=shop.settings)
    plan = build_plan(shop.store, shop.home, target, at=LATER, day=some)
    assert (plan.changes, plan.unchanged_count, plan.held_back) == ((), 0, ())
    # Their words are others in the published file, which a plan for everybody would send
    assert {each.customer_id for each in context.plan(target).changes} == {"ben", "chie"}


def test_a_sync_of_everybody_is_one_that_pulses_need_not_repeat(shop: PulseShop) -> None:
    context = DeliveryContext(shop.home, shop.settings, shop.store, stopped(NOW), asked="scheduled")
    (target,) = targets(shop.home, shop.settings, CART)
    context.sync(target)
    with shop.store.read() as connection:
        assert planned_since(connection, [target], "run1", LATER)
        assert not planned_since(connection, [target], "run2", LATER)
        assert not planned_since(connection, [target], "run1", MIDNIGHT)
