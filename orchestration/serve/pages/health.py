"""Health: whether the figures can be trusted, and what is wrong where they cannot.

Belongs here: the page. Does not belong here: judging a run (orchestration/quality).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.ops.commands import latest
from orchestration.published.checks import CheckResult
from orchestration.report.health import (
    read_audit,
    read_caveats,
    read_degraded,
    read_freshness,
    read_identity,
)
from orchestration.report.ledger import Delivery, read_deliveries, read_untold
from orchestration.serve.pages.page import Asked, Page, View

COMMANDS = 20
KINDS = {
    "dbt": "Tests of the tables as they are made",
    "contract": "What is published is what is promised",
    "suite": "Ranges, shares and segments",
    "breaker": "Sizes beside those of the last runs",
}


@dataclass(frozen=True)
class Checked:
    """The checks of one kind, in words."""

    words: str
    checks: Sequence[CheckResult]

    @property
    def passed(self) -> int:
        """How many found nothing."""
        return sum(check.passed for check in self.checks)

    @property
    def stopping(self) -> int:
        """How many keep the run from being published."""
        return sum(check.stops for check in self.checks)


@dataclass
class Destination:
    """What one destination received and did not, over all segments, in rows."""

    name: str
    operations: Counter[str] = field(default_factory=Counter)
    held: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    last_at: datetime | None = None


def read(asked: Asked) -> Mapping[str, object]:
    """Sources, quarantine, identity, destinations, and what to know before trusting a figure."""
    connection = asked.connection
    deliveries = read_deliveries(asked.home, connection)
    audit = read_audit(asked.home)
    return {
        "audit": audit,
        "checked": by_kind(audit.checks) if audit else [],
        "failed": [check for check in audit.checks if not check.passed] if audit else [],
        "degraded": read_degraded(asked.home, asked.build.as_of),
        "caveats": read_caveats(connection, read_freshness(connection)),
        "sources": asked.rows("health_sources"),
        "freshness": asked.rows("health_freshness"),
        "quarantine": asked.rows("health_quarantine"),
        "identity": read_identity(connection),
        "refused": asked.rows("health_refused_edges"),
        "destinations": by_destination(deliveries),
        "deliveries": deliveries,
        "commands": latest(asked.home, COMMANDS),
        "untold": read_untold(asked.home, connection),
    }


def by_kind(checks: Sequence[CheckResult]) -> list[Checked]:
    """The checks of a run in counts, by their kind, in the order of `KINDS`."""
    kinds = [Checked(words, [c for c in checks if c.kind == kind]) for kind, words in KINDS.items()]
    return [each for each in kinds if each.checks]


def by_destination(deliveries: Sequence[Delivery]) -> list[Destination]:
    """The deliveries of all segments together, by destination."""
    destinations: dict[str, Destination] = {}
    for each in deliveries:
        whole = destinations.setdefault(each.destination, Destination(each.destination))
        whole.operations.update(dict(each.operations))
        whole.held.update(dict(each.held))
        whole.waiting.update(dict(each.waiting))
        if each.last_at and (whole.last_at is None or each.last_at > whole.last_at):
            whole.last_at = each.last_at
    return [destinations[name] for name in sorted(destinations)]


PAGE = Page("Health", "/health", (View("/health", "health_page.html.j2", read),))
