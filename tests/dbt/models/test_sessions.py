"""Visits and what is done in them: silence, sign-ins, clocks, robots, repeated deliveries."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

Connection = duckdb.DuckDBPyConnection


def visits(built: Connection, device: str, *columns: str) -> list[tuple[Any, ...]]:
    """Some columns of a device's visits, in time order."""
    return built.execute(
        f"select {', '.join(columns)} from intermediate.int_web_sessions_resolved "
        "where device_id = ? order by started_at",
        [device],
    ).fetchall()


def test_half_an_hour_of_silence_is_one_visit_and_more_is_two(built: Connection) -> None:
    assert visits(built, "v1", "event_count", "product_view_count") == [(2, 1), (1, 0)]


def test_a_change_of_login_is_a_new_visit(built: Connection) -> None:
    assert visits(built, "kiosk", "login_id", "event_count") == [("ann", 3), ("bob", 2)]


def test_a_visit_starts_where_its_first_page_says(built: Connection) -> None:
    found = visits(
        built, "v2", "marketing_channel", "utm_campaign", "landing_page_url", "event_count"
    )
    assert found == [("paid_social", "spring", "https://shop.example/x", 4)]


def test_the_first_views_and_the_cart_are_timed(built: Connection) -> None:
    found = visits(
        built, "v2", "product_view_2_at", "product_view_3_at", "last_cart_at", "first_checkout_at"
    )
    assert [str(moment) for moment in found[0]] == [
        "2026-05-11 10:01:00", "None", "2026-05-11 10:02:00", "None",
    ]  # fmt: skip


def test_search_is_told_from_the_shops_own_pages(built: Connection) -> None:
    found = visits(built, "v1", "marketing_channel", "device_type")
    assert found == [("organic_search", "mobile"), ("direct", "mobile")]


def test_robots_are_marked_and_do_nothing(built: Connection) -> None:
    assert visits(built, "crawler", "is_bot") == [(True,)]
    done = built.execute(
        "select count(*) from intermediate.int_web_interactions where device_id = 'crawler'"
    ).fetchone()
    assert done == (0,)


def test_a_clock_that_runs_ahead_is_set_back_and_flagged(built: Connection) -> None:
    found = built.execute(
        "select event_id, occurred_at::varchar, is_clock_skewed from intermediate.int_web_events "
        "where visitor_id in ('v3', 'v4') order by event_id"
    ).fetchall()
    assert found == [
        ("m0130", "2026-05-13 10:00:00", True),
        ("m0131", "2026-05-13 12:04:00", False),
    ]


def test_an_event_delivered_twice_is_its_first_delivery(built: Connection) -> None:
    found = built.execute(
        "select product_id from intermediate.int_web_events where event_id = 'm0140'"
    ).fetchall()
    assert found == [("first",)]


def test_an_event_without_a_device_is_its_logins(built: Connection) -> None:
    found = built.execute(
        "select device_id, login_id, customer_id is not null "
        "from intermediate.int_web_sessions_resolved where login_id = 'server-side'"
    ).fetchall()
    assert found == [(None, "server-side", True)]


def test_visits_after_as_of_are_not_seen(built: Connection) -> None:
    assert visits(built, "v6", "session_id") == []


@pytest.mark.parametrize("table", ["int_web_interactions", "int_web_sessions_resolved"])
def test_every_event_of_people_is_in_exactly_one_visit(built: Connection, table: str) -> None:
    counted = "sum(event_count)" if table.endswith("resolved") else "count(*)"
    found = built.execute(
        f"select {counted} from intermediate.{table} where "
        + ("not is_bot" if table.endswith("resolved") else "true")
    ).fetchone()
    events = built.execute(
        "select count(*) from intermediate.int_web_events "
        "where occurred_at <= '2026-06-01' and visitor_id <> 'crawler'"
    ).fetchone()
    assert found == events
