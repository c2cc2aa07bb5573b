"""The figures of a build that Dagster draws over runs: people, reach, net sales, quarantine, drift.

Belongs here: which these are. Does not belong here: working them out (figures.py, health.py), and
drawing them.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from orchestration.published.checks import CheckResult
from orchestration.report.figures import read_build, read_headline
from orchestration.report.health import waiting_in_quarantine

BREAKER = "breaker"  # the kind of the checks that compare a run with those before


def charted_figures(
    connection: duckdb.DuckDBPyConnection, timezone: str, checks: Sequence[CheckResult]
) -> dict[str, int | float]:
    """By name; net sales in the shop's currency are left out where a rate is missing.

    Args:
        connection: the build.
        timezone: whose days count.
        checks: those of the build.
    """
    headline = read_headline(connection, read_build(connection, timezone))
    sales = {"net sales, 30 days": headline.net_30d, "net sales to date": headline.net_ever}
    return {
        "people": headline.people,
        "buyers": headline.buyers,
        "reach by email": headline.emailable,
        "orders to date": headline.orders_ever,
        **{name: float(amount) for name, amount in sales.items() if amount is not None},
        "rows in quarantine": waiting_in_quarantine(connection),
        "sizes and drift out of range": sum(
            check.kind == BREAKER and not check.passed for check in checks
        ),
        "checks that found something": sum(not check.passed for check in checks),
    }
