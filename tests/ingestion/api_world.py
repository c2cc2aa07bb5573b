"""A small pretend shop behind its two APIs, for tests that break them in every way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from ingestion.apis import http, paging
from ingestion.apis.source import Pull
from ingestion.config import ApiSettings
from ingestion.demo.servers import DemoServers, demo_servers
from ingestion.demo.world import make_world
from ingestion.demo.write import write_api

AS_OF = datetime(2026, 7, 1)
SMALL = 120


@contextmanager
def small_shop(folder: Path) -> Iterator[DemoServers]:
    """Servers of a world small enough for hundreds of pulls."""
    if not (folder / "klaviyo").exists():
        write_api(make_world(SMALL, seed=3), folder)
    with demo_servers(folder) as servers:
        yield servers


def impatient(monkeypatch: pytest.MonkeyPatch, servers: DemoServers) -> None:
    """Credentials in the environment, and waits too short to notice."""
    for name, value in servers.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(http, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(paging, "FIRST_WAIT_SECONDS", 0.001)
    monkeypatch.setattr(http, "TIMEOUT", httpx.Timeout(0.7))


def rows_of(
    source: Any, table: str, settings: ApiSettings, state: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Everything that one pull of a table yields."""
    request = Pull(table, settings, AS_OF, {} if state is None else state)
    return [row for _, rows in source.pull(request) for row in rows]
