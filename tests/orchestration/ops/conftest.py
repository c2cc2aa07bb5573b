"""A small home with an open store, and raw files made by DDL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.ops.runs import Run
from orchestration.ops.store import Store, open_store

AS_OF = datetime(2026, 6, 1, 12)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home").create()


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


@pytest.fixture
def run() -> Run:
    return Run("run1", AS_OF, "test")
