"""One shop for every test of pulses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.ops.adoption import record_home
from orchestration.ops.store import open_store
from tests.orchestration.activation.pulse.shop import PulseShop

READERS = ("aiko", "ben", "chie")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[PulseShop]:
    """Three readers who permit email, published with nothing done yet."""
    home = Home(tmp_path / "home").create()
    folder = tmp_path / "input"
    folder.mkdir()
    with open_store(home) as store:
        record_home(store, home)
        made = PulseShop(home, store, folder)
        made.publish(READERS)
        for reader in READERS:
            made.grant(reader)
        yield made
