"""A source whose rows share one moment, as an import leaves them: all arrive, little is remembered.

RELIABILITY B3. 300,000 events of one second in `make soak`, 20,000 in `make faults`.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings
from ingestion.pipelines import RunContext, run_source
from ingestion.sources.klaviyo import KlaviyoSettings
from tests.ingestion.api_world import AS_OF, impatient, small_shop

EVENTS = 300_000 if os.environ.get("REGULARS_SOAK") else 20_000
REMEMBERED = 1_000_000  # bytes

pytestmark = pytest.mark.faults


def test_many_events_of_one_second_all_arrive_and_little_is_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_shop(tmp_path / "api") as servers:
        impatient(monkeypatch, servers)
        shop = servers.klaviyo
        shop.limits = False
        pattern = next(iter(shop.rows["events"].values()))
        shop.rows["events"] = {
            key: dataclasses.replace(
                pattern, id=key, resource=pattern.resource.replace(pattern.id, key)
            )
            for key in (f"{number:026d}" for number in range(EVENTS))
        }
        shop.order["events"] = sorted((row.at, row.id) for row in shop.rows["events"].values())
        section = KlaviyoSettings(enabled=True, base_url=servers.addresses["klaviyo"])
        settings = Settings(sources={"klaviyo": section})
        home = tmp_path / "home"
        for run in ("first", "second"):
            context = RunContext(home / "raw.duckdb", home / "dlt", run, AS_OF, settings, None)
            run_source("klaviyo", context)
    with duckdb.connect(str(home / "raw.duckdb"), read_only=True) as connection:
        counted = "select count(*), count(distinct event_id), count(distinct _run_id)"
        found = connection.execute(f"{counted} from raw_klaviyo.events").fetchone()
    assert found == (EVENTS, EVENTS, 1)
    remembered = sum(path.stat().st_size for path in (home / "dlt").rglob("*") if path.is_file())
    assert remembered <= REMEMBERED
