"""Who is on which list of the mail system, and what a profile says beside its address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World

Connection = duckdb.DuckDBPyConnection
MODELS = (
    *("--select", "+customer_lists", "+dim_customers", "+customer_traits"),
    *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
)


def profile(
    key: str, address: str | None, own: dict[str, Any] | None = None, **channels: str
) -> dict[str, Any]:
    """A profile, the shop's own properties of it, and what it says of each channel."""
    said = {channel: {"marketing": {"consent": consent}} for channel, consent in channels.items()}
    return {
        "profile_id": key,
        "email": address,
        "created_at": "2026-05-01 08:00:00",
        "updated_at": "2026-05-01 08:00:00",
        "payload": {"attributes": {"subscriptions": said, "properties": own or {}}},
    }


def left(number: int, key: str, day: int, **properties: str) -> dict[str, Any]:
    """A profile that was taken off a list."""
    return {
        "event_id": f"left-{number}",
        "metric_name": "Unsubscribed from List",
        "profile_id": key,
        "occurred_at": f"2026-05-{day:02d} 10:00:00",
        "payload": {"attributes": {"event_properties": properties}},
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """Two lists; Ann has two profiles, Bo left and came back, Cy left for good."""
    world = World(Path(tmp_path_factory.mktemp("lists")), "2026-05-20 00:00:00")
    ann, bo, cy = "ann@lists.example", "bo@lists.example", "cy@lists.example"
    world.add(
        "raw_klaviyo.profiles",
        [
            profile(
                "A1", ann, email="SUBSCRIBED", sms="NEVER_SUBSCRIBED", mobile_push="SUBSCRIBED"
            ),
            profile("A2", ann, email="UNSUBSCRIBED"),
            profile(
                "B", bo, {"Shoe Size": 39, "$source": "form", "Tags": ["a", "b"], "Note": None}
            ),
            profile("C", cy, sms="UNSUBSCRIBED"),
        ],
    )
    world.add(
        "raw_klaviyo.lists",
        [
            {"list_id": "NEWS", "name": "Newsletter", "updated_at": "2026-05-01 00:00:00"},
            {"list_id": "VIPS", "name": "Best friends", "updated_at": "2026-05-01 00:00:00"},
        ],
    )
    joined = [
        ("NEWS", "A1", "2026-05-02 09:00:00"),
        ("NEWS", "A2", "2026-05-04 09:00:00"),
        ("VIPS", "A1", None),
        ("NEWS", "B", "2026-05-03 09:00:00"),
        ("NEWS", "B", "2026-05-09 09:00:00"),
        ("NEWS", "C", "2026-05-03 09:00:00"),
        # after the run
        ("VIPS", "C", "2026-05-25 09:00:00"),
    ]
    world.add(
        "raw_klaviyo.list_members",
        [{"list_id": name, "profile_id": key, "joined_at": at} for name, key, at in joined],
    )
    world.add(
        "raw_klaviyo.events",
        [
            left(1, "A2", 6, List="Newsletter"),
            left(2, "B", 6, list_id="NEWS"),
            left(3, "C", 7, List="newsletter"),
            left(4, "C", 7, List="A list that is gone"),
        ],
    )
    world.build(*MODELS)
    with world.warehouse() as connection:
        yield connection


def test_a_person_is_on_a_list_while_one_of_their_profiles_is(built: Connection) -> None:
    found = built.execute(
        "select split_part(email, '@', 1), list_id, list_name, is_member, day(joined_at),"
        " day(left_at) from marts.customer_lists join marts.dim_customers using (customer_id)"
        " order by all"
    ).fetchall()
    assert found == [
        ("ann", "NEWS", "Newsletter", True, 2, None),
        ("ann", "VIPS", "Best friends", True, None, None),
        ("bo", "NEWS", "Newsletter", True, 9, None),
        ("cy", "NEWS", "Newsletter", False, 3, 7),
    ]


def test_a_profile_says_of_each_channel_what_klaviyo_holds(built: Connection) -> None:
    found = built.execute(
        "select klaviyo_profile_id, email_consent, sms_consent, push_consent"
        " from staging.stg_klaviyo__profiles order by 1"
    ).fetchall()
    assert found == [
        ("A1", "subscribed", "never_subscribed", "subscribed"),
        ("A2", "unsubscribed", None, None),
        ("B", None, None, None),
        ("C", None, "unsubscribed", None),
    ]


def test_the_shops_own_properties_of_a_profile_are_traits_without_a_time(built: Connection) -> None:
    """Klaviyo's own are none of the shop's, and a list is no plain statement."""
    found = built.execute(
        "select trait, value, evidence_kind, source, stated_at from marts.customer_traits"
        " where source like 'klaviyo%' order by all"
    ).fetchall()
    assert found == [("shoe_size", "39", "stated", "klaviyo", None)]
