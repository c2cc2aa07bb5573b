"""The outcome of one check, in the one shape that suites, breaker, dbt tests and audits share.

Belongs here: `CheckResult` and its JSON form. Does not belong here: running anything. An outcome
holds a name, a count and sentences of our own; never a value found in a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["dbt", "contract", "suite", "breaker"]
Severity = Literal["blocking", "warning"]

BREAKER_PREFIX = "breaker."

# A candidate may be published only if something of each kind has looked at it.
REQUIRED_KINDS: tuple[Kind, ...] = ("dbt", "contract", "suite", "breaker")


@dataclass(frozen=True)
class CheckResult:
    """One check on one table: what was expected, how it went, what to do about it.

    `raised` means that the check could not be carried out, which is not the same as data that fail
    it; both keep a candidate from being published when the check is blocking.
    """

    kind: Kind
    name: str
    table: str
    passed: bool
    severity: Severity = "blocking"
    observed: float | None = None
    sentence: str = ""
    hint: str = ""
    raised: bool = False

    @property
    def stops(self) -> bool:
        """Whether this outcome keeps the candidate from being published."""
        return not self.passed and self.severity == "blocking"

    @property
    def subject(self) -> str:
        """What `regulars release` calls it; empty where no person can let it through."""
        return self.name.removeprefix(BREAKER_PREFIX) if self.kind == "breaker" else ""

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary, for the audit record."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> CheckResult:
        """The reverse of `to_json`."""
        return cls(**content)


def stopping(results: Iterable[CheckResult]) -> list[CheckResult]:
    """The outcomes that stop the run, breaker and contract first, then by table and name."""
    order = {"contract": 0, "breaker": 1, "suite": 2, "dbt": 3}
    return sorted(
        (result for result in results if result.stops),
        key=lambda result: (order[result.kind], result.table, result.name),
    )
