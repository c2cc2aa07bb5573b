"""What staging makes of the input folders: latest versions, words in one form, nothing of tomorrow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
STAGED = ("--select", "+int_evidence_from_sightings", "--exclude", "path:tests")


def step(message: str, event: str, **more: Any) -> dict[str, Any]:
    """A step of an SMS to one number."""
    return {
        "message_id": message,
        "channel": "sms",
        "identifier_type": "phone",
        "identifier_value": "+447700900123",
        "event": event,
        "occurred_at": "2026-05-10 09:00:00",
        "is_opt_out_reply": False,
    } | more


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A shop with a few rows in every folder."""
    world = World(Path(tmp_path_factory.mktemp("staged")), AS_OF)
    world.add(
        "raw_messages.messages",
        [
            step("m1", "sent", campaign_id="c1"),
            step("m1", "clicked", url="https://shop.example/a"),
            step("m1", "clicked", url="https://shop.example/b"),
            step("m1", "replied", is_opt_out_reply=True),
            step("m2", "sent", occurred_at="2026-06-02 09:00:00"),
        ],
    )
    world.new_load()
    world.add("raw_messages.messages", [step("m1", "sent", campaign_id="c2")])
    world.build(*STAGED)
    with world.warehouse() as connection:
        yield connection


def test_a_message_has_its_steps_up_to_now_in_their_latest_version(
    staged: duckdb.DuckDBPyConnection,
) -> None:
    query = """select event, campaign_id, url, is_opt_out_reply
        from staging.stg_messages__messages order by event, url"""
    assert staged.execute(query).fetchall() == [
        ("clicked", None, "https://shop.example/a", False),
        ("clicked", None, "https://shop.example/b", False),
        ("replied", None, None, True),
        ("sent", "c2", None, False),
    ]


def test_who_was_written_to_is_evidence_once_for_all_steps(
    staged: duckdb.DuckDBPyConnection,
) -> None:
    query = """select phone, rule, observation_count, source_record_id
        from intermediate.int_evidence_from_sightings where source_system = 'messages'"""
    assert staged.execute(query).fetchall() == [("+447700900123", "recipient", 1, "m1")]
