"""Seeds of random worlds: a few for `make test`, all the others for `make faults`.

Belongs here: the split. Does not belong here: what a seed is used for.
"""

from __future__ import annotations

from typing import Any

import pytest


def seeds(count: int, *, at_once: int) -> list[Any]:
    """The numbers below `count`, as parameters; those from `at_once` on are tests of faults."""
    later = (pytest.param(seed, marks=pytest.mark.faults) for seed in range(at_once, count))
    return [*range(at_once), *later]
