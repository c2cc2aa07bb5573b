"""A pretend shop as it is written, for the modules that say which world it is of."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.demo.world import World
from ingestion.demo.write import write_demo


@pytest.fixture(scope="module")
def shop(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the module's `world`."""
    folder = tmp_path_factory.mktemp("shop")
    write_demo(world, folder)
    return folder
