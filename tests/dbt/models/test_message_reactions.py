"""Who opened and clicked: a person, or a scanner between the sender and the person."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World

MESSAGES = ("--select", "+int_messages_unioned", "--exclude", "path:tests")
BROWSER = "Mozilla/5.0 (Windows NT 10.0) Firefox/125.0"


def mail(message: str, event: str, clock: str, **more: Any) -> dict[str, Any]:
    """An event of a message on the tenth of May."""
    return {
        "email": f"{message}@read.example",
        "sg_message_id": message,
        "sg_event_id": f"{message}-{event}-{clock}-{more.get('url', '')}",
        "event": event,
        "occurred_at": f"2026-05-10 {clock}",
        "useragent": BROWSER,
    } | more


def metric(number: int, name: str, clock: str, **properties: Any) -> dict[str, Any]:
    """An event of Klaviyo's about one flow message."""
    return {
        "event_id": f"k{number}",
        "metric_name": name,
        "profile_id": "P1",
        "email": "k@read.example",
        "occurred_at": f"2026-05-10 {clock}",
        "payload": {"attributes": {"event_properties": {"$message": "F1"} | properties}},
    }


LOST = {"Failure Type": "Device Disconnected"}


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One mailing, each message with a reader or machine of its own."""
    world = World(Path(tmp_path_factory.mktemp("reactions")), "2026-06-01 00:00:00")
    links = [{"url": f"https://shop.example/{n}"} for n in range(4)]
    world.add(
        "raw_email.events",
        [
            *(mail(m, "delivered", "09:00:00") for m in ("person", "gateway", "script", "burst")),
            mail("person", "open", "09:01:00"),
            mail("person", "click", "09:01:05", **links[0]),
            mail("person", "click", "09:01:12", **links[1]),
            # a gateway under a browser's name, then its reader
            mail("gateway", "open", "09:00:02"),
            mail("gateway", "click", "09:00:03", **links[0]),
            mail("gateway", "click", "09:20:00", **links[0]),
            mail("script", "click", "11:00:00", useragent="python-requests/2.31", **links[0]),
            # the whole message at once, hours later; one link again by its reader
            *(mail("burst", "click", f"12:00:0{n}", **link) for n, link in enumerate(links)),
            mail("burst", "click", "13:00:00", **links[2]),
            # nobody says when it arrived
            mail("bare", "click", "09:00:01", **links[0]),
        ],
    )
    world.add(
        "raw_klaviyo.events",
        [
            metric(1, "Received Email", "09:00:00"),
            metric(2, "Clicked Email", "09:00:04"),
            metric(3, "Clicked Email", "09:10:00", **{"Bot Click": True}),
            metric(4, "Clicked Email", "09:30:00"),
        ],
    )
    texts = {"email": "k@read.example", "phone_number": "+447700900111", "profile_id": "P2"}
    pushed = {"$message": "PUSH1", "Title": "Back in stock"}
    world.add(
        "raw_klaviyo.events",
        [
            metric(11, "Received SMS", "09:00:00", **{"Message Name": "Hello"}) | texts,
            metric(12, "Clicked SMS", "09:00:03") | texts,
            metric(13, "Failed to Deliver SMS", "10:00:00", **LOST) | texts,
            metric(14, "Unsubscribed from SMS Marketing", "09:30:00") | texts,
            *(
                metric(number, name, at, **{"$message": "TEXT2"})
                | texts
                | {"profile_id": "P4", "phone_number": "+447700900112"}
                for number, name, at in (
                    (31, "Received Text Message", "09:00:00"),
                    (32, "Clicked Text Message", "09:30:00"),
                    (33, "Unsubscribed from Text Messaging Marketing", "09:40:00"),
                )
            ),
            metric(21, "Received Push", "09:00:00", **pushed) | {"profile_id": "P3"},
            metric(22, "Opened Push", "09:00:01", **pushed) | {"profile_id": "P3"},
            metric(23, "Bounced Push", "11:00:00", **pushed) | {"profile_id": "P3"},
        ],
    )
    world.build(*MESSAGES)
    with world.warehouse() as connection:
        yield connection


@pytest.mark.parametrize(
    ("message", "by_person", "by_machine"),
    [
        ("person", "09:01:05", None),
        ("gateway", "09:20:00", "09:00:03"),
        ("script", None, "11:00:00"),
        ("burst", "13:00:00", "12:00:00"),
        ("bare", "09:00:01", None),
    ],
)
def test_a_scanners_clicks_stand_apart(
    messages: duckdb.DuckDBPyConnection, message: str, by_person: str | None, by_machine: str | None
) -> None:
    found = messages.execute(
        "select strftime(clicked_at, '%H:%M:%S'), strftime(machine_clicked_at, '%H:%M:%S') "
        "from intermediate.int_messages_unioned where source_message_id = ?",
        [message],
    ).fetchall()
    assert found == [(by_person, by_machine)]


def test_an_open_within_seconds_is_a_machines(messages: duckdb.DuckDBPyConnection) -> None:
    found = messages.execute(
        "select opened_at is null, machine_opened_at is not null "
        "from intermediate.int_messages_unioned where source_message_id = 'gateway'"
    ).fetchall()
    assert found == [(True, True)]


def test_klaviyos_own_word_counts_and_so_do_its_seconds(
    messages: duckdb.DuckDBPyConnection,
) -> None:
    found = messages.execute(
        "select strftime(clicked_at, '%H:%M'), strftime(machine_clicked_at, '%H:%M') "
        "from intermediate.int_messages_unioned where message_source = 'klaviyo'"
        " and channel = 'email'"
    ).fetchall()
    assert found == [("09:30", "09:00")]


def test_klaviyos_texts_and_pushes_are_messages_of_their_channel(
    messages: duckdb.DuckDBPyConnection,
) -> None:
    """A text that failed, and a push, are sendings of their own; nothing of them is a mailbox's."""
    clock = "strftime({}, '%H:%M:%S')"
    steps = ("sent_at", "delivered_at", "opened_at", "clicked_at", "unsubscribed_at", "failed_at")
    found = messages.execute(
        f"select channel, email, identifier_type, identifier_value,"
        f" {', '.join(clock.format(step) for step in steps)}, is_hard_bounce,"
        " coalesce(campaign_name, subject)"
        " from intermediate.int_messages_unioned"
        " where message_source = 'klaviyo' and channel <> 'email'"
        " order by channel, sent_at, identifier_value"
    ).fetchall()
    nine, ten, phone = "09:00:00", "10:00:00", ("phone", "+447700900111")
    renamed = ("phone", "+447700900112")
    assert found == [
        ("push", None, None, None, nine, nine, "09:00:01", *[None] * 3, False, "Back in stock"),
        ("push", *[None] * 3, "11:00:00", *[None] * 4, "11:00:00", False, "Back in stock"),
        ("sms", None, *phone, nine, nine, None, "09:00:03", "09:30:00", None, False, "Hello"),
        ("sms", None, *renamed, nine, nine, None, "09:30:00", "09:40:00", None, False, None),
        ("sms", None, *phone, ten, *[None] * 4, ten, True, None),
    ]
