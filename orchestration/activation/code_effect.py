"""What of a plan is the effect of changed code of segments, and what of changed data.

Belongs here: the two apart. Does not belong here: which code is compared, and running it
(orchestration/quality/earlier_code.py); making a plan (plan.py).

The plan that the segments' earlier code comes to, of the same data and in the same moment, is what
the data alone would change. A change that stands in both plans is by data; one that stands in the
plan alone is by code; one that only the earlier code would make is kept back by the code. So by
data and by code add up to the plan, and by data and kept back to the plan of the earlier code.
Permission, the day's decision and every model above the segments count as data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestration.activation.plan import Change, Plan, count_operations


@dataclass(frozen=True)
class CodeEffect:
    """Numbers of people by operation: added, updated, removed."""

    by_data: Mapping[str, int]
    by_code: Mapping[str, int]
    kept_back: Mapping[str, int]

    @property
    def is_nothing(self) -> bool:
        """Whether the earlier code comes to the same plan."""
        return not (any(self.by_code.values()) or any(self.kept_back.values()))


# By segment and destination; None where the earlier code is not known, or does not run any more
CodeEffects = Mapping[tuple[str, str], CodeEffect | None]


def code_effect(plan: Plan, by_earlier_code: Plan) -> CodeEffect:
    """The effects of one plan, told by the plan that the earlier code comes to."""
    return apart(plan.changes, by_earlier_code.changes)


def apart(changes: Iterable[Change], by_earlier_code: Iterable[Change]) -> CodeEffect:
    """The same of changes. The same operation on the same person is the same change: whoever is
    updated anyway is updated by data, whatever the words.
    """
    now = {(each.customer_id, each.operation): each for each in changes}
    then = {(each.customer_id, each.operation): each for each in by_earlier_code}
    return CodeEffect(
        count_operations(now[key] for key in now.keys() & then.keys()),
        count_operations(now[key] for key in now.keys() - then.keys()),
        count_operations(then[key] for key in then.keys() - now.keys()),
    )


def in_signs(counts: Mapping[str, int]) -> str:
    """Numbers of people as `+3 ~1 -2`; nothing where all are zero."""
    signs = (("added", "+"), ("updated", "~"), ("removed", "-"))
    return " ".join(f"{sign}{counts[each]:,}" for each, sign in signs if counts[each])
