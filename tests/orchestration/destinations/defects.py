"""Planting a defect in a destination, and that a check of it notices.

Belongs here: what the tests of several destinations do alike. Does not belong here: any defect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from ingestion.errors import RegularsError

Patch = Callable[[pytest.MonkeyPatch], None]
S = TypeVar("S")


def replaced(owner: Any, name: str, value: Any) -> Patch:
    """The defect that a part of the code is another."""
    return lambda patch: patch.setattr(owner, name, value)


def must_notice(check: Callable[[S], None], shop: S) -> None:
    """Assert that a check fails on the destination as it is now."""
    with pytest.raises((AssertionError, RegularsError, pytest.fail.Exception)):
        check(shop)
