"""The small invented shop as a candidate or a published file, with ways to plant faults in it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, inspect, update

from orchestration.home.layout import Home
from orchestration.ops import migrations, schema
from orchestration.ops.tombstones import SALT
from orchestration.published.candidate import Candidate, build_candidate
from orchestration.run.dbt import target_path
from tests.orchestration import small_world


@dataclass(frozen=True)
class RunDouble:
    run_id: str
    as_of: datetime


@pytest.fixture(scope="session", autouse=True)
def _steps_to_a_new_store_once() -> Iterator[None]:
    """All steps of `migrations` lead to the same new store each time: the first one takes them, and
    every other is made by the statements that SQLite says of it, in the same transaction."""
    take_steps, statements = migrations.upgrade, list[str]()

    def upgrade(connection: Connection, to: str = "head") -> None:
        is_new = connection.dialect.name == "sqlite" and not inspect(connection).get_table_names()
        is_new = is_new and to == "head"
        if not is_new or not statements:
            take_steps(connection, to)
            if is_new:
                # Without the transaction's own beginning and end
                statements.extend(list(connection.connection.iterdump())[1:-1])
            return
        for statement in statements:
            connection.exec_driver_sql(statement)
        own = {"value": secrets.token_hex(32)}  # what the steps draw by chance is each store's own
        connection.execute(update(schema.meta).where(schema.meta.c.key == SALT), own)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "upgrade", upgrade)
        yield


@pytest.fixture(scope="session")
def world() -> Any:
    return small_world.SmallWorld(people=1500, days=560)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home in which dbt has parsed the shop's segments."""
    home = Home(tmp_path / "home").create()
    target = target_path(home)
    target.mkdir(parents=True)
    (target / "manifest.json").write_text(json.dumps({"nodes": _segments()}), "utf-8")
    return home


def _segments() -> dict[str, Any]:
    return {
        f"model.regulars.seg_{name}": {
            "resource_type": "model",
            "schema": "segments",
            "name": f"seg_{name}",
            "config": {"meta": {"segment": {"window_days": days}}},
        }
        for name, days in small_world.WINDOWS.items()
    }


@pytest.fixture
def make_candidate(world: Any, home: Home) -> Callable[..., Candidate]:
    """Build a candidate as of a day; `after` are statements that plant faults."""

    def make(day: int = 500, **planted: Any) -> Candidate:
        home.warehouse.unlink(missing_ok=True)
        world.con.execute(f"attach '{home.warehouse}' as warehouse")
        try:
            world.write("warehouse", day, build=False, **planted)
        finally:
            world.con.execute("detach warehouse")
        return build_candidate(home, RunDouble(f"run{day}", world.at(day)))

    return make


@pytest.fixture
def publish_day(make_candidate: Callable[..., Candidate], home: Home) -> Callable[..., Home]:
    """Publish the tables of a day; `after` are statements on them."""

    def make(day: int = 500, **planted: Any) -> Home:
        make_candidate(day, **planted).path.replace(home.published)
        return home

    return make
