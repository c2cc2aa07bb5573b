"""The world: the same by seed, any size, every trouble at about its rate, every segment filled."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from ingestion.demo import (
    browsing,
    catalogue,
    clickstream,
    mailing,
    people,
    permissions,
    purchases,
)
from ingestion.demo.calendar import DAY, HOUR
from ingestion.demo.identifiers import BOT, INTERNAL, KIOSK, NEWSLETTER, OFFICE, TYPO, WORK
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import Block, World, make_world

SEEDS = range(6)


def only_block(**arguments: Any) -> Block:
    return next(iter(make_world(**arguments).blocks()))


@pytest.fixture(scope="module")
def block() -> Block:
    """Large enough for rates."""
    return only_block(people=10_000, seed=1)


def arrays(part: Any) -> dict[str, Any]:
    return {f.name: getattr(part, f.name) for f in dataclasses.fields(part)}


def test_the_same_seed_gives_the_same_world() -> None:
    first, second = only_block(people=300, seed=4), only_block(people=300, seed=4)
    for part in ("people", "ids", "orders", "lines", "messages", "visits", "events", "consents"):
        mine, other = arrays(getattr(first, part)), arrays(getattr(second, part))
        for name, column in mine.items():
            if isinstance(column, np.ndarray):
                assert np.array_equal(column, other[name]), f"{part}.{name}"


def test_another_seed_gives_another_world() -> None:
    first, second = only_block(people=300, seed=4), only_block(people=300, seed=5)
    assert not np.array_equal(first.orders.placed[:50], second.orders.placed[:50])
    assert set(first.ids.device_value).isdisjoint(second.ids.device_value)


@pytest.mark.parametrize("size", [1, 2, 7, 50])
def test_worlds_may_be_tiny(size: int) -> None:
    assert len(only_block(people=size, seed=0).people) == size


def test_nobody_is_no_world() -> None:
    with pytest.raises(ValueError, match="at least one"):
        make_world(0)


def test_large_worlds_come_in_blocks_that_share_no_identifier() -> None:
    blocks = list(dataclasses.replace(make_world(1_000, seed=2), block_size=400).blocks())
    assert [len(block.people) for block in blocks] == [400, 400, 200]
    for name in ("email_value", "login_value", "card_value", "device_value", "phone_value"):
        values = [set(getattr(block.ids, name)) for block in blocks]
        assert len(set.union(*values)) == sum(map(len, values)), name
    numbers = np.concatenate([block.orders.number for block in blocks])
    assert len(np.unique(numbers)) == len(numbers)


def test_everything_happens_within_the_eighteen_months(block: Block) -> None:
    calendar = make_world(1).calendar
    assert calendar.end == int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    assert (calendar.end - calendar.start) // DAY == 548
    for moments in (block.orders.placed, block.events.delivered, block.messages.sent):
        assert moments.max() < calendar.end
    assert block.orders.placed.min() >= calendar.start
    for moments in (block.messages.opened, block.orders.refunded, block.orders.cancelled):
        assert moments.max() < calendar.end


@pytest.mark.parametrize("months", [1, 3, 36])
def test_a_shop_is_as_old_as_is_asked_for(months: int) -> None:
    shop = make_world(400, 0, months=months)
    block = next(iter(shop.blocks()))
    assert shop.calendar.end == make_world(1).calendar.end
    assert (shop.calendar.end - shop.calendar.start) // DAY == round(months * 30.4375)
    for moments in (block.orders.placed, block.messages.sent):
        assert moments.min() < shop.calendar.start + 25 * DAY
        assert shop.calendar.end - 12 * DAY < moments.max() < shop.calendar.end


def test_a_shop_without_a_month_is_no_world() -> None:
    with pytest.raises(ValueError, match="one month"):
        make_world(1, months=0)


def test_another_as_of_moves_the_whole_world() -> None:
    early = make_world(200, 0, datetime(2020, 1, 1))
    block = next(iter(early.blocks()))
    assert block.orders.placed.max() < early.calendar.end
    assert early.calendar.end == int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


def share(mask: Any) -> float:
    return float(np.mean(mask))


def rates(block: Block) -> dict[str, tuple[float, float]]:
    """Trouble → (what is found, what is documented), measured on the world itself."""
    ids, orders, events = block.ids, block.orders, block.events
    buyer, known, n = block.people.buyer, block.people.known, len(block.people)
    online, till = orders.is_online, ~orders.is_online
    campaign = block.messages.kind == mailing.PROMO
    sizes = np.bincount(block.people.household, minlength=n)
    families = sizes[sizes > 0] > 1
    in_family = sizes[block.people.household] > 1
    abroad = online & (catalogue.COUNTRY_CURRENCY[block.people.country[orders.person]] != 0)
    said_no = block.consents.source == permissions.CHECKOUT_BOX
    said_no &= block.consents.status == permissions.DENIED
    listed = orders.payment == purchases.CASH
    t = Troubles()
    first_copies = len(np.unique(events.visit * 10_000 + events.place))
    return {
        "dormant": (share(ids.email[NEWSLETTER][buyer] >= 0), t.dormant_newsletter_address),
        "work": (share(ids.email[WORK][buyer] >= 0), t.work_address),
        "typo": (share(ids.email[TYPO][buyer] >= 0), t.typo_address),
        "office": (share(ids.email[OFFICE][buyer] >= 0), t.role_address),
        "family": (share(families), t.family),
        "tablet": (share(ids.family_device[in_family] >= 0), t.family_device),
        "family card": (share(ids.family_card[in_family] >= 0), t.family_card),
        "second phone": (share(ids.second_phone[ids.phone >= 0] >= 0), t.second_phone),
        "cookie": (share(ids.cookie_lost[known] >= 0), t.cookie_reset),
        "login": (share(ids.second_login[ids.login >= 0] >= 0), t.double_login),
        "initial": (share(orders.name_is_initial), t.name_variant),
        "recycled": (share(ids.phone_from > 0), t.recycled_phone),
        "kiosk": (
            share(ids.device_role[block.visits.device] == KIOSK) * len(block.visits) / known.sum(),
            t.kiosk_sign_in,
        ),
        "till phone": (share(orders.phone[till & ~listed] == -2), t.placeholder_phone),
        "till email": (share(orders.email[till & ~listed] == -2), t.placeholder_email),
        "bots": (share(ids.device_role == BOT) * len(ids.device_role) / n, t.bot),
        "staff": (share(ids.device_role == INTERNAL) * len(ids.device_role) / n, t.internal),
        "test": (share(orders.is_test[online]), t.test_order),
        "cancelled": (share(orders.cancelled[online] > 0), t.cancelled),
        "returned": (share(orders.refunded[online] > 0), t.returned),
        "brought back": (share(orders.refunded[till] > 0), t.returned / 2),
        "abroad": (share(orders.currency[abroad] != 0), t.foreign_currency),
        "no rate": (
            share(orders.currency[online] == catalogue.CURRENCIES.index("SEK")),
            t.missing_rate,
        ),
        "denied": (share(said_no) * len(said_no) / buyer.sum(), t.consent_denied),
        "spam": (share(block.messages.reported[campaign] > 0), t.spam_report),
        "gpc": (share(ids.device_gpc), t.gpc),
        "late": (share(events.received - events.occurred >= HOUR), t.late_event),
        "skew": (share(events.clocked != events.occurred), t.clock_skew),
        "twice": (len(events.visit) / first_copies - 1, t.duplicate_event),
        "hard": (share(block.messages.bounced[campaign] == mailing.HARD_BOUNCE), t.hard_bounce),
        "soft": (share(block.messages.bounced[campaign] == mailing.SOFT_BOUNCE), t.soft_bounce),
        "leave": (share(block.messages.unsubscribed[campaign] > 0), t.unsubscribe),
        "machine": (share(block.messages.machine_opened[campaign] > 0), t.machine_open),
        "unproven": (share(block.subscriptions.is_unproven), t.consent_unproven),
        "expires": (share(block.subscriptions.expires), t.consent_expires),
    }


@pytest.mark.parametrize("trouble", list(rates(only_block(people=50, seed=0))))
def test_a_trouble_happens_at_about_its_documented_rate(block: Block, trouble: str) -> None:
    found, documented = rates(block)[trouble]
    assert documented / 1.8 <= found <= documented * 1.8, (found, documented)


def test_without_troubles_nothing_goes_wrong() -> None:
    block = next(iter(make_world(500, 0, troubles=Troubles.none()).blocks()))
    assert (block.ids.email[TYPO] < 0).all()
    assert (block.orders.phone != purchases.PLACEHOLDER).all()
    assert not block.orders.is_test.any()
    assert (block.events.clocked == block.events.occurred).all()
    assert (block.ids.device_role[block.visits.device] != BOT).all()
    assert (block.messages.unsubscribed == 0).all()


def test_a_recycled_phone_is_seen_with_both_owners_and_never_at_once(block: Block) -> None:
    ids, orders = block.ids, block.orders
    new = np.flatnonzero(ids.phone_from > 0)
    both = 0
    for person in new.tolist():
        rows = np.flatnonzero(orders.phone == ids.phone[person])
        owners = orders.person[rows]
        old = rows[owners != person]
        if len(old) and (owners == person).any():
            both += 1
            assert (
                orders.placed[old].max() + 120 * DAY < orders.placed[rows[owners == person]].min()
            )
    assert both > len(new) / 3


def test_late_and_doubled_deliveries_are_the_same_lines(block: Block) -> None:
    events = block.events
    key = events.visit * 10_000 + events.place
    order = np.argsort(key, kind="stable")
    twins = np.flatnonzero(np.diff(key[order]) == 0)
    assert len(twins) > 0
    for name in ("kind", "product", "clocked", "received"):
        column = getattr(events, name)[order]
        assert np.array_equal(column[twins], column[twins + 1])
    assert (events.delivered >= events.received).all()


def test_an_order_is_completed_when_it_was_placed(block: Block) -> None:
    events, visits = block.events, block.visits
    completed = events.kind == clickstream.COMPLETED
    rows = visits.order[events.visit[completed]]
    assert np.array_equal(events.occurred[completed], block.orders.placed[rows])


def test_a_campaign_causes_visits_that_the_left_out_do_not_make() -> None:
    exposures = only_block(people=20_000, seed=1).exposures
    letters = mailing.campaigns(make_world(1).calendar)
    tried = np.array([letter.experiment is not None for letter in letters])[exposures["campaign"]]
    treated = exposures["is_treated"] == 1
    caused = exposures["caused_visit_at"] > 0
    assert 0.89 < share(treated[tried]) < 0.91
    assert treated[~tried].all()
    assert not caused[~treated].any()
    assert 0.005 < share(caused[treated]) < 0.03


def test_the_shop_has_seasons(block: Block) -> None:
    months = (block.orders.placed.astype("datetime64[s]").astype("datetime64[M]")).astype(str)
    by_month = dict(zip(*np.unique(months, return_counts=True), strict=True))
    assert by_month["2025-12"] > 1.25 * by_month["2025-08"]


def test_nobody_is_the_same_in_two_segments_rules() -> None:
    shares = people._KIND_SHARE
    assert shares.sum() == pytest.approx(1)
    assert browsing._SOURCE_SHARE.sum() == pytest.approx(1)


# Each segment's rule on the truth, simplified; the models' own counts differ but cannot be empty.


def last_orders(world: World, block: Block) -> tuple[Any, Any]:
    orders = block.orders
    kept = (orders.cancelled == 0) & ~orders.is_test
    n = len(block.people)
    count = np.bincount(orders.person[kept], minlength=n)
    last = np.zeros(n, dtype=np.int64)
    np.maximum.at(last, orders.person[kept], orders.placed[kept])
    return count, (world.calendar.end - last) / DAY


@pytest.mark.parametrize("seed", SEEDS)
def test_every_segment_has_members_at_two_thousand_people(seed: int) -> None:
    shop = make_world(2_000, seed)
    block = next(iter(shop.blocks()))
    end = shop.calendar.end
    count, silent_days = last_orders(shop, block)
    visits, messages = block.visits, block.messages
    age = end - visits.start
    known_visit = (visits.person >= 0) & block.people.known[visits.person]
    ordered_since = silent_days[visits.person] * DAY < age
    recent = (age > HOUR) & (age < 7 * DAY) & known_visit & ~ordered_since
    carted = recent & (visits.depth >= browsing.CART) & (visits.depth < browsing.ORDER)
    viewed = recent & (visits.views > 0) & (visits.depth == browsing.BROWSE)
    clicked = (visits.source == browsing.EMAIL_SOURCE) & (visits.views >= 2)
    granted = block.consents.status == permissions.GRANTED
    by_email = block.consents.channel == permissions.EMAIL_CHANNEL
    permitted = np.isin(np.arange(len(count)), block.consents.person[granted & by_email])
    said = block.feedback
    waits = permissions.is_case(said.kind, said.score) & (said.closed < 0)
    wished = (age > DAY) & (age < 30 * DAY) & known_visit & (visits.depth == browsing.WISHLIST)
    new_device = block.people.joined > end - 30 * DAY
    sizes = {
        "high_intent": len(np.unique(visits.person[clicked & ~ordered_since & (age < 30 * DAY)])),
        "abandoned_cart": len(np.unique(visits.person[carted])),
        "abandoned_wishlist": len(np.unique(visits.person[wished])),
        "abandoned_browse": len(np.unique(visits.person[viewed])),
        "retargeting": len(np.unique(visits.person[carted | viewed])),
        "service_recovery": len(np.unique(said.person[waits & (said.occurred > end - 30 * DAY)])),
        "first_time_visitors": int(new_device.sum()),
        "new_subscribers": int((block.subscriptions.since > end - 30 * DAY).sum()),
        "one_time_buyers": int((count == 1).sum()),
        "loyal_customers": int(((count >= 4) & (silent_days < 180)).sum()),
        "vip": int((count >= 3).sum() * 0.05),
        "at_risk": int(((count >= 3) & (silent_days > 200)).sum()),
        "buyers_without_email_permission": int(((count > 0) & ~permitted).sum()),
        "recent_buyers": int((silent_days < 14).sum()),
    }
    assert min(sizes.values()) >= 5, sizes
    assert messages.sent.max() > end - 6 * DAY
