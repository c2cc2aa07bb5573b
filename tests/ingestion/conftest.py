"""A shop in a temporary folder: write input files, run a source, look at the raw store."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard

from ingestion.config import REPOSITORY, Quarantine, Settings
from ingestion.files.folder import InputFolder
from ingestion.input_folder import shop_patterns
from ingestion.landing.counts import TableCounts
from ingestion.pipelines import RunContext, run_source

AS_OF = datetime(2026, 7, 1)


def event(message_id: str = "m1", **changes: Any) -> dict[str, Any]:
    """A good web event; None removes a field."""
    good = {
        "type": "track",
        "messageId": message_id,
        "anonymousId": "device-1",
        "event": "Product Viewed",
        "timestamp": "2026-01-02T03:04:05Z",
        "properties": {"product_id": "p1", "price": 12.5},
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def order(order_id: int = 1, **changes: Any) -> dict[str, Any]:
    """A good Shopify order."""
    good = {
        "id": order_id,
        "created_at": "2026-01-02T03:04:05-05:00",
        "currency": "GBP",
        "total_price": "12.00",
        "line_items": [{"id": 1, "price": "12.00", "quantity": 1}],
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


def lines(*rows: Any) -> str:
    """JSON Lines; text stands as it is."""
    return "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)


def accepting() -> Settings:
    """Settings under which bad rows can be looked at one by one: no file and no half stops."""
    return Settings(quarantine=Quarantine(max_source_share=1.0, accept=("*",)))


@dataclass
class Shop:
    """An input folder and a home. What stops a source is tried under `Settings()`, as they come."""

    root: Path
    settings: Settings = field(default_factory=accepting)
    run_count: int = 0

    @property
    def input(self) -> Path:
        return self.root / "input"

    @property
    def raw(self) -> Path:
        return self.root / "home" / "raw.duckdb"

    @property
    def dlt(self) -> Path:
        return self.root / "home" / "dlt"

    def write(self, path: str, content: str | bytes) -> Path:
        """Write an input file, packed as its ending says."""
        data = content.encode() if isinstance(content, str) else content
        if path.endswith(".gz"):
            data = gzip.compress(data, mtime=0)
        elif path.endswith(".zst"):
            data = zstandard.compress(data)
        return self.write_bytes(path, data)

    def write_bytes(self, path: str, data: bytes) -> Path:
        """Write an input file as it is."""
        target = self.input / path
        target.parent.mkdir(parents=True, exist_ok=True)
        before = target.stat().st_mtime_ns if target.exists() else 0
        target.write_bytes(data)
        if before and target.stat().st_mtime_ns <= before:
            os.utime(target, ns=(before + 1_000_000, before + 1_000_000))
        return target

    def context(self) -> RunContext:
        self.run_count += 1
        self.input.mkdir(parents=True, exist_ok=True)
        folder = replace(InputFolder.at(self.input), shops=shop_patterns(self.settings))
        run_id = f"run-{self.run_count}"
        return RunContext(self.raw, self.dlt, run_id, AS_OF, self.settings, folder)

    def run(self, source: str) -> dict[str, TableCounts]:
        """Run one source; its counts by table."""
        return {count.table: count for count in run_source(source, self.context())}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.raw)) as connection:
            return connection.execute(sql).fetchall()

    def quarantine(self, source: str) -> list[tuple[Any, ...]]:
        """What is held: file, line, reason, field."""
        return self.query(
            f"select file, line, reason, field from raw_{source}.quarantine order by all"
        )


def four(count: TableCounts) -> tuple[int, int, int, int]:
    """received, loaded, quarantined, duplicate."""
    return count.received, count.loaded, count.quarantined, count.duplicate


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(scope="session")
def make() -> Any:
    """The builders above, for test modules (they cannot import a conftest)."""

    class Make:
        pass

    make = Make()
    make.event, make.order, make.lines, make.four, make.Shop = (  # type: ignore[attr-defined]
        event,
        order,
        lines,
        four,
        Shop,
    )
    return make


@pytest.fixture(scope="session")
def online_retail() -> Path:
    """The folder of the UCI Online Retail files; skips where they are absent."""
    shared = Path(os.environ.get("REGULARS_SHARED", REPOSITORY.parent / "shared"))
    folder = shared / "data" / "online_retail"
    if not folder.is_dir():
        pytest.skip("the UCI Online Retail files are not here (data/online_retail)")
    return folder
