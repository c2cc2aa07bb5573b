"""Thresholds follow the shop's own rhythm: a weekly grocer, a yearly shop, an empty and a tiny one.

Belongs here: what each threshold is worked out to, and who is loyal, at risk and an advocate by it.
Expected numbers are worked out in Python from the very dates that are laid down.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil
from typing import Any

import pytest

from orchestration.segments.files import segment_names, segment_text
from orchestration.segments.trial import Trial
from tests.dbt.marts.shop import Shop

AS_OF = dt.datetime(2026, 3, 31, 12)
MODELS = (
    "fct_orders fct_order_lines fct_customer_order_summary shop_rhythm customer_last_purchases "
    "dim_segments "
    "fct_customer_journey_stages fct_web_sessions "
    # What loyal customers' context tells of their tastes rests on
    "customer_preferences customer_traits int_interests_dated fct_interactions dim_products "
    "int_interactions_messages int_interactions_facts int_search_categories "
    "traits occasions flagged_words"
)
Dates = dict[str, list[dt.datetime]]


def backwards(last_days_ago: float, gaps: list[int]) -> list[dt.datetime]:
    """Order days from the last one back."""
    days = [AS_OF - dt.timedelta(days=last_days_ago)]
    for gap in gaps:
        days.append(days[-1] - dt.timedelta(days=gap))
    return days


def weekly_grocer() -> Dates:
    """Eight to 28 orders a week apart, now and then a holiday; a tenth have gone for two months."""
    rhythm = [7, 6, 7, 8, 7, 5, 9, 7, 6, 8, 7, 14]
    return {
        f"weekly{n:03d}": backwards(60 if n % 10 == 0 else n % 7, (rhythm * 3)[: 7 + n % 21])
        for n in range(63)
    }


def yearly_shop() -> Dates:
    """Four or five orders a year apart."""
    return {
        f"yearly{n:03d}": backwards(
            30 + 5 * n % 400, [365 + (n % 11) - 5, 365 + (n % 31) - 15, 365, 365][: 3 + n % 2]
        )
        for n in range(70)
    }


def three_customers() -> Dates:
    return {
        "often": backwards(1, [7] * 150),
        "twice": backwards(200, [10]),
        "once": backwards(5, []),
    }


SHOPS: dict[str, tuple[Callable[[], Dates], dict[str, Any]]] = {
    "weekly": (weekly_grocer, {}),
    "yearly": (yearly_shop, {}),
    "empty": (dict, {}),
    "three": (three_customers, {"loyal_min_orders": 2}),
}


class Built:
    """What dbt made of one shop."""

    def __init__(self, shop: Shop, variables: dict[str, Any]) -> None:
        names = shop.query("from marts.shop_rhythm")
        self.rhythm = {row["threshold"]: row for row in names}
        self.values = {name: row["threshold_value"] for name, row in self.rhythm.items()}
        self.bases = {row["basis"] for row in names}
        self.members = members_of(shop, variables)
        self.descriptions = {
            row["segment"]: row["description"] for row in shop.query("from marts.dim_segments")
        }
        stages = "from marts.fct_customer_journey_stages where stage = 'advocacy'"
        self.advocates = {row["customer_id"]: row["entry_reason"] for row in shop.query(stages)}


def members_of(shop: Shop, variables: dict[str, Any]) -> dict[str, set[str]]:
    """Who is in the segments of the rhythm, without the tables that conditions of others read."""
    members = {}
    with shop.writer() as connection:
        connection.execute(
            "create or replace table marts.dim_customers as"
            " select customer_id from intermediate.int_customers"
        )
        trial = Trial(connection, variables, AS_OF, segment_names())
        for segment in ("loyal_customers", "at_risk", "recent_buyers"):
            trial.run(segment, segment_text(segment))
            members[segment] = {row["customer_id"] for row in trial.rows("from trial")}
    return members


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Built]]:
    home = tmp_path_factory.mktemp("rhythm")
    found = {}
    for name, (made, variables) in SHOPS.items():
        shop = Shop(home, AS_OF)
        for customer, days in made().items():
            shop.person(customer, min(days))
            for day in sorted(days):
                shop.order(customer, day)
        shop.run(MODELS.split(), variables)
        found[name] = Built(shop, variables)
    yield found


def percentile(values: list[int], share: float) -> int:
    """The smallest value that so large a share does not exceed."""
    return sorted(values)[ceil(round(share * len(values), 9)) - 1]


def expected(shop: Dates) -> dict[str, int]:
    gaps = [
        (later.date() - earlier.date()).days
        for days in shop.values()
        for earlier, later in pairwise(sorted(days))
    ]
    counts = [len(days) for days in shop.values() if len(days) > 1]
    typical = percentile(counts, 0.5)
    many = max(4, percentile(counts, 0.75), typical + 1)
    return {
        "loyal_min_orders": many,
        "advocacy_min_orders": many,
        "at_risk_min_orders": max(3, typical),
        "overdue_min_days": percentile(gaps, 0.95) + 14,
        "recent_buyer_days": min(30, max(2, percentile(gaps, 0.5) // 2)),
        "quiet_time_days": min(30, max(2, percentile(gaps, 0.5) // 2)),
        "win_back_60_days": max(12, percentile(gaps, 0.95)) * 2 // 3,
        "win_back_75_days": max(12, percentile(gaps, 0.95)) * 5 // 6,
        "win_back_90_days": max(12, percentile(gaps, 0.95)),
    }


@pytest.mark.parametrize("name", ["weekly", "yearly"])
def test_thresholds_are_worked_out_from_the_shops_own_repeats(
    built: dict[str, Built], name: str
) -> None:
    assert built[name].values == expected(SHOPS[name][0]())
    assert built[name].bases == {"auto"}


def test_a_weekly_shop_has_loyal_customers_who_stand_out(built: dict[str, Built]) -> None:
    grocer, shop = weekly_grocer(), built["weekly"]
    assert shop.values == {
        "loyal_min_orders": 23,
        "advocacy_min_orders": 23,
        "at_risk_min_orders": 18,
        "overdue_min_days": 28,
        "recent_buyer_days": 3,
        "quiet_time_days": 3,
        "win_back_60_days": 9,
        "win_back_75_days": 11,
        "win_back_90_days": 14,
    }
    assert 0.1 < len(shop.members["loyal_customers"]) / len(grocer) < 0.35
    gone = {name for name, days in grocer.items() if len(days) >= 18 and name[-1] == "0"}
    assert shop.members["at_risk"] == gone
    assert 0 < len(shop.members["recent_buyers"]) / len(grocer) < 0.7
    assert set(shop.advocates.values()) == {"23 orders"}
    assert "At least 23 kept orders" in shop.descriptions["loyal_customers"]
    assert "more than 28 days" in shop.descriptions["at_risk"]
    assert "in the last 3 days" in shop.descriptions["recent_buyers"]


def test_nobody_is_overdue_in_a_yearly_shop_after_half_a_year(built: dict[str, Built]) -> None:
    shop = built["yearly"]
    assert shop.values["overdue_min_days"] > 365
    assert shop.values["recent_buyer_days"] == 30
    assert shop.members["loyal_customers"], "who bought last more than 180 days ago still counts"
    assert not shop.members["at_risk"]


FIXED = {
    "loyal_min_orders": 4,
    "advocacy_min_orders": 4,
    "at_risk_min_orders": 3,
    "overdue_min_days": 180,
    "recent_buyer_days": 14,
    "quiet_time_days": 14,
    "win_back_60_days": 60,
    "win_back_75_days": 75,
    "win_back_90_days": 90,
}


def test_without_repeats_the_fixed_numbers_hold(built: dict[str, Built]) -> None:
    shop = built["empty"]
    assert (shop.values, shop.bases) == (FIXED, {"floor"})
    assert shop.rhythm["overdue_min_days"]["repeat_count"] == 0
    assert shop.rhythm["overdue_min_days"]["median_gap_days"] is None


def test_one_busy_customer_says_nothing_of_the_others_and_a_number_overrides(
    built: dict[str, Built],
) -> None:
    shop = built["three"]
    assert shop.rhythm["overdue_min_days"]["repeat_count"] == 151
    assert shop.values == FIXED | {"loyal_min_orders": 2}
    assert shop.rhythm["loyal_min_orders"]["basis"] == "setting"
    assert shop.rhythm["at_risk_min_orders"]["basis"] == "floor"
    assert shop.members["loyal_customers"] == {"often"}
    assert "At least 2 kept orders" in shop.descriptions["loyal_customers"]
