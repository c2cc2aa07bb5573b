"""A shop with an open store, for every activation test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Shop(home, store)
