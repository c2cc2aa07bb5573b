"""A published file made from the small invented shop."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.home import Home
from orchestration.publishing.candidate import build_candidate

_spec = importlib.util.spec_from_file_location(
    "small_world", Path(__file__).parent.parent / "small_world.py"
)
small_world = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(small_world)


@dataclass(frozen=True)
class RunDouble:
    run_id: str
    as_of: datetime


@pytest.fixture(scope="session")
def world() -> Any:
    return small_world.SmallWorld(people=1500, days=560)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


@pytest.fixture
def publish_day(world: Any, home: Home) -> Callable[..., Home]:
    """Publish the tables of a day; `after` are statements on them."""

    def make(day: int = 500, **planted: Any) -> Home:
        world.con.execute(f"attach '{home.warehouse}' as warehouse")
        try:
            world.write("warehouse", day, build=False, **planted)
        finally:
            world.con.execute("detach warehouse")
        build_candidate(home, RunDouble(f"run{day}", world.at(day))).path.replace(home.published)
        return home

    return make
