"""How many of the shop's emails were reported as spam, per sending domain, as sentences.

Belongs here: reading the published file, for the report, the doctor and a run's summary. Does not
belong here: holding anything back (orchestration/activation/decision.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from zoneinfo import ZoneInfo

import duckdb

from ingestion.duckdb import has_table
from orchestration.report.figures import rows

DAYS = 7  # how long a day's rate is news


@dataclass(frozen=True)
class SendingDomain:
    """The worst of a sending domain's last days. `held_until`: the first date without a hold."""

    name: str
    complaints: int
    delivered: int
    held_until: date | None

    @property
    def sentence(self) -> str:
        """What is the matter."""
        share = f"{self.complaints / self.delivered:.2%}".replace("%", " %")
        noun = "email" if self.delivered == 1 else "emails"
        sentence = f"{self.name}: {self.complaints:,} of {self.delivered:,} {noun} ({share}) over"
        sentence += f" {DAYS} days were reported as spam"
        if self.held_until is None:
            return f"{sentence}; mailbox providers ask for less than 0.1 %."
        return f"{sentence}: promotions by email wait until {self.held_until}."

    @property
    def hint(self) -> str:
        """What to do about it."""
        return (
            '`regulars sql "from marts.rpt_complaint_rates order by sent_date desc"` shows the'
            " days: write to fewer people who do not open, and less often."
        )


def read_complaints(connection: duckdb.DuckDBPyConnection) -> list[SendingDomain]:
    """Sending domains with a warning in the last days or a hold; none in an older file."""
    if not has_table(connection, "marts", "rpt_complaint_rates"):
        return []
    ((as_of, zone),) = rows(
        connection, "select as_of, shop_timezone from ops.build, marts.dim_contact_rules"
    )
    today = as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
    return [
        SendingDomain(name, complaints, delivered, until if until and until > today else None)
        for name, complaints, delivered, until in rows(
            connection,
            f"""
            select sending_domain, arg_max(week_complaint_count, week_complaint_rate),
                arg_max(week_delivered_count, week_complaint_rate), max(held_until)
            from marts.rpt_complaint_rates
            where state <> 'ok' and (sent_date > ?::date - {DAYS} or held_until > ?::date)
            group by sending_domain order by sending_domain
            """,
            today,
            today,
        )
    ]
