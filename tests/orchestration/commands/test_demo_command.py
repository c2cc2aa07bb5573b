"""A home holds one pretend shop, and says which when another one is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from ingestion.errors import UsageError
from orchestration.commands import demo
from orchestration.home.kind import claim
from orchestration.home.layout import Home

AS_OF = "2026-07-01T00:00:00"
# As a version before `--months` wrote it
MARK = {"people": 50, "seed": 4, "as_of": AS_OF, "cards": True}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path)
    claim(made, "demo", MARK)
    return made


def test_a_shop_of_other_months_needs_another_home(home: Home) -> None:
    with pytest.raises(UsageError, match="50 people, 18 months, seed 4, as of 2026-07-01"):
        demo.run_demo(home, 50, 4, AS_OF, Console(quiet=True), months=36)
    assert not home.demo.exists()


def test_the_months_of_an_older_mark_are_eighteen_and_its_shops_one(home: Home) -> None:
    known = {**MARK, "months": 18, "shops": 1}
    demo._refuse_another_world(home, known)
    for other in ({"months": 19}, {"shops": 2}):
        with pytest.raises(UsageError):
            demo._refuse_another_world(home, known | other)
