"""Sources that pull from an API: the same law, and a cursor that moves only with its rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ingestion.apis.source import ApiSource, Page, Pull
from ingestion.errors import SourceError
from ingestion.landing.fields import Column, TableSpec
from ingestion.registry import SOURCES
from ingestion.sources.klaviyo import KlaviyoSettings

THINGS = TableSpec(
    "things",
    "One row per version of a thing.",
    (
        Column("thing_id", sources=("id",), required=True),
        Column("updated_at", "timestamp", required=True),
        Column("payload", "json", sources=("$",)),
    ),
)


class Server:
    """Pretends to be an API with a list of things and a switch to fail."""

    def __init__(self) -> None:
        self.things: list[dict[str, Any]] = []
        self.fails_after: int | None = None
        self.asked_since: list[str] = []

    def pull(self, pull: Pull[KlaviyoSettings]) -> Iterator[Page]:
        since = pull.state.get("since", "")
        self.asked_since.append(since)
        found = [thing for thing in self.things if thing.get("updated_at", "9") >= since]
        for number, thing in enumerate(found):
            if number == self.fails_after:
                raise SourceError("things: the API answered 500.", "Run again later.")
            yield "/api/things", [thing]
        pull.state["since"] = max((t.get("updated_at", "") for t in found), default=since)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    server = Server()
    source = ApiSource(
        "klaviyo", "Things.", (THINGS,), KlaviyoSettings, server.pull, lambda _own: []
    )
    monkeypatch.setitem(SOURCES, "klaviyo", source)
    return server


def thing(number: int, **changes: Any) -> dict[str, Any]:
    return {"id": str(number), "updated_at": f"2026-01-{number:02d}T00:00:00Z", **changes}


def test_pages_become_rows(shop: Any, make: Any, server: Server) -> None:
    server.things = [thing(1), thing(2), thing(2), {"updated_at": "soon"}]
    assert make.four(shop.run("klaviyo")["things"]) == (4, 2, 1, 1)
    assert shop.quarantine("klaviyo") == [("/api/things", 4, "missing_value", "thing_id")]
    query = "select _file, _line, payload from raw_klaviyo.things order by _line"
    assert [row[:2] for row in shop.query(query)] == [("/api/things", 1), ("/api/things", 2)]


def test_the_cursor_survives_and_overlaps_are_duplicates(
    shop: Any, make: Any, server: Server
) -> None:
    server.things = [thing(1), thing(2)]
    shop.run("klaviyo")
    server.things = [thing(1), thing(2), thing(3)]
    assert make.four(shop.run("klaviyo")["things"]) == (2, 1, 0, 1)
    assert server.asked_since == ["", "2026-01-02T00:00:00Z"]


def test_a_failing_page_loads_nothing_and_moves_no_cursor(
    shop: Any, make: Any, server: Server
) -> None:
    server.things = [thing(1), thing(2)]
    server.fails_after = 1
    with pytest.raises(SourceError, match="answered 500"):
        shop.run("klaviyo")
    server.fails_after = None
    assert make.four(shop.run("klaviyo")["things"]) == (2, 2, 0, 0)
    assert server.asked_since == ["", ""]
