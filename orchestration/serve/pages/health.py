"""Health: whether the figures can be trusted, and what is wrong where they cannot.

Belongs here: the page. Does not belong here: judging a run (orchestration/quality).
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.report.health import read_caveats, read_degraded, read_freshness, read_identity
from orchestration.report.ledger import read_deliveries, read_untold
from orchestration.serve.pages.page import Asked, Page, View


def read(asked: Asked) -> Mapping[str, object]:
    """Sources, quarantine, identity, destinations, and what to know before trusting a figure."""
    connection = asked.connection
    return {
        "degraded": read_degraded(asked.home, asked.build.as_of),
        "caveats": read_caveats(connection, read_freshness(connection)),
        "sources": asked.rows("health_sources"),
        "freshness": asked.rows("health_freshness"),
        "quarantine": asked.rows("health_quarantine"),
        "identity": read_identity(connection),
        "refused": asked.rows("health_refused_edges"),
        "deliveries": read_deliveries(asked.home, connection),
        "untold": read_untold(asked.home, connection),
    }


PAGE = Page("Health", "/health", (View("/health", "health_page.html.j2", read),))
