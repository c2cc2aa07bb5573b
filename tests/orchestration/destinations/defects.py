"""Planting a defect in a destination, and that a check of it notices.

Belongs here: what the tests of several destinations do alike. Does not belong here: any defect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from ingestion.errors import RegularsError
from orchestration.destinations.base import Batch

Patch = Callable[[pytest.MonkeyPatch], None]
S = TypeVar("S")
Defect = tuple[Patch, Callable[[S], None]]  # how it is planted, and the check that must notice


def replaced(owner: Any, name: str, value: Any) -> Patch:
    """The defect that a part of the code is another."""
    return lambda patch: patch.setattr(owner, name, value)


def all_as_added(deliver: Callable[[Any, Batch], Any]) -> Callable[[Any, Batch], Any]:
    """The part that is handed over removals and updates as if all were additions."""

    def everything(destination: Any, batch: Batch) -> Any:
        rows = tuple(replace(each, operation="added") for each in batch.rows)
        return deliver(destination, replace(batch, rows=rows))

    return everything


def must_notice(check: Callable[[S], None], shop: S) -> None:
    """Assert that a check fails on the destination as it is now."""
    with pytest.raises((AssertionError, RegularsError, pytest.fail.Exception)):
        check(shop)


def must_find(defect: Defect[S], shop: S, patch: pytest.MonkeyPatch) -> None:
    """Plant a defect, and assert that its check notices."""
    plant, check = defect
    plant(patch)
    must_notice(check, shop)
