"""One world, built once, for all golden tests of staging, identity, sessions and orders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.dbt.scenes import build_all
from tests.dbt.scenes_accounts import accounts
from tests.dbt.scenes_experiments import experiments
from tests.dbt.scenes_households import households
from tests.dbt.scenes_lent import lent
from tests.dbt.scenes_money import money
from tests.dbt.scenes_people import people
from tests.dbt.scenes_review import review
from tests.dbt.scenes_shops import files_of_two_shops, two_shops
from tests.dbt.scenes_timeline import timeline_shop
from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
# Marts have golden tests of their own; the trace of identity is told by its mart.
UP_TO_INTERMEDIATE = (
    *("--select", "resource_type:seed", "path:models/staging", "path:models/intermediate"),
    *("fct_identity_edges", "--exclude", "path:tests"),
    # They are worked out from marts, and are tested with them
    *(
        f"path:models/intermediate/{name}"
        for name in ("conditions", "intent", "interests", "profiles", "segments")
    ),
)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every scene, modelled as of the first of June 2026."""
    made = World(Path(tmp_path_factory.mktemp("world")), AS_OF)
    build_all(made)
    people(made)
    accounts(made)
    experiments(made)
    households(made)
    lent(made)
    money(made)
    review(made)
    two_shops(made)
    files_of_two_shops(made)
    made.build(*UP_TO_INTERMEDIATE)
    return made


@pytest.fixture(scope="session")
def built(world: World) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the world's warehouse."""
    with world.warehouse() as connection:
        yield connection


@pytest.fixture(scope="session")
def timeline_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The small shop of the timeline and of traits, built up to their marts."""
    made = World(Path(tmp_path_factory.mktemp("timeline")), AS_OF)
    timeline_shop(made)
    made.build(
        *(
            "--select",
            "+fct_interactions",
            "+customer_360",
            "+dim_occasions",
            "+dim_personas",
            "--exclude",
            "path:tests",
        ),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    )
    return made
