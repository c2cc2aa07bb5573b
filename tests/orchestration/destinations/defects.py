"""That every check of a destination holds, and that one of them notices each planted defect.

Belongs here: what the tests of several destinations do alike. Does not belong here: any defect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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


def every_check(checks: Mapping[str, Callable[[S], None]]) -> pytest.MarkDecorator:
    """A test for each check, which it gets as `check`."""
    return pytest.mark.parametrize("check", [*checks.values()], ids=[*checks])


def every_defect(
    defects: Mapping[str, tuple[Patch, str]], checks: Mapping[str, Callable[[S], None]]
) -> pytest.MarkDecorator:
    """A test for each defect, which it gets as `defect`, with the check of the name it says."""
    pairs = [(plant, checks[name]) for plant, name in defects.values()]
    return pytest.mark.parametrize("defect", pairs, ids=[*defects])


def must_find(defect: Defect[S], shop: S, patch: pytest.MonkeyPatch) -> None:
    """Plant a defect, and assert that its check notices."""
    plant, check = defect
    plant(patch)
    must_notice(check, shop)
