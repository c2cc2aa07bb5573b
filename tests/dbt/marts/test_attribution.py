"""What led to an order and how it is shared out, on a handmade shop.

Belongs here: touches, paths, credits, costs, claims. Does not belong here: the Markov chain
(tests/orchestration/science/attribution), or rpt_attribution, which rests on every mart
(test_golden.py).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from orchestration.home.layout import Home
from orchestration.science.parquet import write_tables
from tests.dbt.marts.shop import Row, Shop
from tests.orchestration.science.attribution.oracle import CHANNELS, paths

AS_OF = dt.datetime(2026, 3, 31, 12)
MODELS = [
    *("fct_web_sessions", "fct_messages", "fct_spend", "fct_orders"),
    *("stg_science__channel_effects", "rpt_channel_effects", "fct_touchpoints"),
    *("fct_attribution", "rpt_sender_claims", "rpt_paths"),
]
EFFECTS = {"paid_search": 0.3, "email": 0.1, "organic_search": 0.0}


def ago(days: float) -> dt.datetime:
    return AS_OF - dt.timedelta(days=days)


def click(shop: Shop, customer: str, at: dt.datetime, **more: object) -> None:
    shop.message(customer, at - dt.timedelta(hours=1), clicked_at=at, **more)


def spend(shop: Shop, day: dt.datetime, channel: str, cost: str, campaign: str | None) -> None:
    shop.add(
        "int_spend_resolved",
        spend_key=shop.serial("spend-"),
        spend_date=day.date(),
        marketing_channel=channel,
        campaign=campaign,
        cost=cost,
        currency="GBP",
        cost_shop=cost,
    )


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("attribution"), AS_OF)
    for name in (
        "three",
        "again",
        "direct",
        "nobody",
        "odd",
        "too-late",
        "clicks",
        "shared",
        "yen",
    ):
        shop.person(name, ago(300))
    for days, channel in ((20, "paid_search"), (12, "direct"), (6, "email"), (1, "organic_search")):
        shop.visit("three", ago(days), marketing_channel=channel, utm_campaign=" Spring ")
    shop.order("three", ago(1), "100.01", order_id="three-1")
    shop.visit("again", ago(90), marketing_channel="paid_search")
    shop.order("again", ago(80), "10", order_id="again-1")
    shop.visit("again", ago(70), marketing_channel="email")
    shop.order("again", ago(60), "20", order_id="again-2")
    shop.visit("again", ago(50), marketing_channel="organic_search")
    shop.visit("direct", ago(5), marketing_channel="direct")
    shop.order("direct", ago(4), "7", order_id="direct-1")
    shop.order("nobody", ago(4), "8", order_id="nobody-1")
    shop.order(None, ago(4), "9", order_id="no-identifier")
    shop.visit("odd", ago(3), marketing_channel="paid_search", is_bot=True)
    shop.order("odd", ago(2), "30", order_id="odd-1", is_kept=False, status="cancelled")
    shop.visit("too-late", ago(40.001), marketing_channel="paid_search")
    shop.visit("too-late", ago(9), marketing_channel="paid_search")
    shop.order("too-late", ago(10), "3", order_id="too-late-1")
    click(shop, "clicks", ago(8), campaign_name="Letter")
    shop.visit("clicks", ago(8) + dt.timedelta(minutes=2), marketing_channel="email")
    click(shop, "clicks", ago(7), channel="sms", campaign_name="Text")
    shop.order("clicks", ago(6.5), "50", order_id="clicks-1")
    for number in range(7):
        shop.visit("shared", ago(6 - number / 2), marketing_channel="referral")
    shop.order("shared", ago(2), "0.0003", order_id="shared-1")
    for days in (3, 2):
        shop.visit("yen", ago(days), marketing_channel="paid_social")
    shop.order("yen", ago(1), "123456789.0001", order_id="yen-1")
    spend(shop, ago(20), "paid_search", "10.0000", "spring")
    spend(shop, ago(20), "paid_search", "4", "another")
    spend(shop, ago(8), "email", "1.0000", None)
    for number, (steps, led) in enumerate(paths(400)):
        person, began = f"path-{number}", ago(25)
        shop.person(person, began)
        for step, channel in enumerate(steps):
            shop.visit(person, began + dt.timedelta(hours=step), marketing_channel=channel)
        if led:
            shop.order(person, began + dt.timedelta(days=1), "1")
    table = [
        {"marketing_channel": name, "removal_effect": effect, "as_of_date": AS_OF.date()}
        | {"credited_share": effect, "credited_orders": 1.0, "path_count": 1}
        | {"converting_path_count": 1}
        for name, effect in EFFECTS.items()
    ]
    write_tables(Home(shop.home), {"channel_effects": pa.Table.from_pylist(table)})
    shop.run(MODELS)
    return shop


def credits_of(shop: Shop, order_id: str, model: str) -> list[tuple[str, Decimal, Decimal]]:
    rows = shop.query(
        "select a.*, occurred_at from marts.fct_attribution as a"
        " left join marts.fct_touchpoints as t using (touchpoint_id)"
        f" where a.order_id = '{order_id}' and model = '{model}' order by occurred_at, credit"
    )
    return [(r["marketing_channel"], r["credit"], r["attributed_net_sales"]) for r in rows]


SEARCH, LETTER, ORGANIC = "paid_search", "email", "organic_search"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("first_touch", [(SEARCH, "1", "100.01")]),
        ("last_touch", [(ORGANIC, "1", "100.01")]),
        (
            "linear",
            [
                (SEARCH, "0.333333333", "33.3367"),
                (LETTER, "0.333333333", "33.3367"),
                (ORGANIC, "0.333333334", "33.3366"),
            ],
        ),
        (
            "position_based",
            [(SEARCH, "0.4", "40.0040"), (LETTER, "0.2", "20.0020"), (ORGANIC, "0.4", "40.0040")],
        ),
        ("markov", [(SEARCH, "0.75", "75.0075"), (LETTER, "0.25", "25.0025")]),
    ],
)
def test_an_order_is_shared_out_by_each_model(
    shop: Shop, model: str, expected: list[tuple[str, str, str]]
) -> None:
    wanted = [(name, Decimal(credit), Decimal(amount)) for name, credit, amount in expected]
    assert credits_of(shop, "three-1", model) == wanted


def test_an_order_of_millions_is_shared_out_too(shop: Shop) -> None:
    amounts = [amount for _, _, amount in credits_of(shop, "yen-1", "linear")]
    assert sorted(amounts) == [Decimal("61728394.5000"), Decimal("61728394.5001")]


def test_a_touch_loses_half_of_its_weight_in_seven_days(shop: Shop) -> None:
    weights = [0.5 ** (days / 7) for days in (19, 5, 0)]
    found = credits_of(shop, "three-1", "time_decay")
    assert [name for name, _, _ in found] == [SEARCH, LETTER, ORGANIC]
    for (_, credit, _), weight in zip(found, weights, strict=True):
        assert float(credit) == pytest.approx(weight / sum(weights), abs=2e-9)
    assert sum(amount for _, _, amount in found) == Decimal("100.01")


def test_touches_stop_at_the_order_and_go_on_after_it_for_the_next(shop: Shop) -> None:
    assert credits_of(shop, "again-1", "linear") == [(SEARCH, Decimal(1), Decimal(10))]
    assert credits_of(shop, "again-2", "linear") == [(LETTER, Decimal(1), Decimal(20))]
    (open_touch,) = shop.query(
        "from marts.fct_touchpoints where customer_id = 'again' and orders_before = 2"
    )
    assert (open_touch["is_counted"], open_touch["order_id"]) == (False, None)


@pytest.mark.parametrize(
    ("order_id", "channel", "amount"),
    [
        ("direct-1", "direct", "7"),
        ("nobody-1", "unattributed", "8"),
        ("no-identifier", "unattributed", "9"),
        ("too-late-1", "unattributed", "3"),
    ],
)
def test_an_order_that_nothing_led_to_is_unattributed(
    shop: Shop, order_id: str, channel: str, amount: str
) -> None:
    for model in ("first_touch", "last_touch", "linear", "time_decay", "markov"):
        expected = [(channel, Decimal(1), Decimal(amount))]
        assert credits_of(shop, order_id, model) == expected


def test_machines_and_cancelled_orders_have_no_part(shop: Shop) -> None:
    assert shop.query("from marts.fct_attribution where order_id = 'odd-1'") == []
    assert shop.query("from marts.fct_touchpoints where customer_id = 'odd'") == []


def test_a_click_that_a_visit_followed_is_that_visit(shop: Shop) -> None:
    rows = shop.query("from marts.fct_touchpoints where customer_id = 'clicks' order by all")
    touches = {(row["kind"], row["marketing_channel"], row["campaign"]) for row in rows}
    assert touches == {("visit", "email", None), ("click", "sms", "Text")}


def test_credits_and_amounts_add_up_to_the_last_digit(shop: Shop) -> None:
    wrong = shop.query(
        """
        select order_id, model
        from marts.fct_attribution join marts.fct_orders using (order_source, order_id)
        group by order_source, order_id, model
        having sum(credit) <> 1 or min(credit) <= 0
            or sum(attributed_net_sales) <> any_value(net_sales_shop)
        """
    )
    assert wrong == []
    assert len(credits_of(shop, "shared-1", "linear")) == 7


def test_a_campaign_s_cost_is_shared_by_the_touches_of_its_day(shop: Shop) -> None:
    rows = shop.query("from marts.fct_touchpoints where cost is not null")
    costs = {(row["customer_id"], row["marketing_channel"]): row["cost"] for row in rows}
    assert costs == {("three", SEARCH): Decimal(10), ("clicks", LETTER): Decimal(1)}


def test_the_sender_claims_the_whole_order_for_its_last_message(shop: Shop) -> None:
    rows = shop.query("from marts.rpt_sender_claims order by marketing_channel")
    claims = [(r["marketing_channel"], r["campaign"], r["claimed_value"]) for r in rows]
    assert claims == [("email", "Letter", Decimal(50)), ("sms", "Text", Decimal(50))]


def path_rows(shop: Shop) -> dict[tuple[str, str], Row]:
    return {(row["path"], row["phase"]): row for row in shop.query("from marts.rpt_paths")}


def test_paths_say_where_they_led(shop: Shop) -> None:
    rows = path_rows(shop)
    whole = rows["paid_search > direct > email > organic_search", "before_first_order"]
    assert (whole["order_count"], whole["net_sales"]) == (1, Decimal("100.01"))
    later = rows["email", "after_first_order"]
    assert (later["order_count"], later["net_sales"]) == (1, Decimal(20))
    nowhere = rows["organic_search", "after_first_order"]
    assert (nowhere["customer_count"], nowhere["order_count"]) == (1, 0)
    assert rows["referral", "before_first_order"]["path_count"] == 1


# ChannelAttribution 2.2.5 of the same paths (`make oracles`), in the order of CHANNELS
ORACLE = {
    "first_touch": [14, 35, 12, 18, 23],
    "last_touch": [19, 22, 19, 27, 15],
    "linear": [17.833333, 28.65, 16.533333, 20.183333, 18.8],
}


@pytest.mark.parametrize("model", ORACLE)
def test_the_rules_answer_as_channelattribution_does(shop: Shop, model: str) -> None:
    rows = shop.query(
        "select marketing_channel, sum(credit) as orders, sum(attributed_net_sales) as sales"
        f" from marts.fct_attribution where model = '{model}' group by marketing_channel"
    )
    found = {row["marketing_channel"]: row for row in rows}
    orders = [float(found[channel]["orders"]) for channel in CHANNELS]
    assert orders == pytest.approx(ORACLE[model], abs=1e-6)
    whole = [channel for channel in CHANNELS if found[channel]["orders"] % 1 == 0]
    assert model == "linear" or len(whole) == len(CHANNELS)
    assert sum(found[channel]["sales"] for channel in CHANNELS) == 102
