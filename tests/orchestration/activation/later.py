"""A destination in memory that accepts rows as jobs and applies a job when it is told to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from orchestration.destinations.base import Acknowledgement, Batch, Outcome, Row
from tests.orchestration.activation.shop import Receiver


@dataclass
class Later(Receiver):
    """Its jobs know no versions: what is applied last stands. A repeated key changes nothing."""

    acknowledgement: Acknowledgement = Acknowledgement.ASKABLE
    keeps_newest: bool = False
    patience: timedelta = timedelta(hours=1)
    jobs: dict[str, list[Row]] = field(default_factory=dict)
    said: dict[str, dict[str, Outcome]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    asking_fails: Exception | None = None
    job_count: int = 0

    def deliver(self, batch: Batch) -> list[Outcome]:
        """Accept a batch as one job, or do what `answers` holds instead."""
        if not batch.rows or self.answers:
            return super().deliver(batch)
        self.calls += 1
        self.job_count += 1
        ticket = f"job-{self.job_count}"
        self.jobs[ticket] = list(batch.rows)
        return [Outcome(row.key, "accepted", ticket=ticket) for row in batch.rows]

    def apply(self, ticket: str, *, refused: Collection[str] = ()) -> None:
        """Run a job; rows of these customers are refused."""
        outcomes = {}
        for row in self.jobs.pop(ticket):
            if row.customer_id in refused:
                outcomes[row.key] = Outcome(row.key, "rejected", "bad_address")
            else:
                self.take(row)
                outcomes[row.key] = Outcome(row.key, "delivered")
        self.said[ticket] = outcomes

    def ask(self, segment: str, ticket: str, rows: Sequence[Row]) -> list[Outcome]:
        """What came of a job, if it has run."""
        if self.asking_fails:
            raise self.asking_fails
        self.asked.append(ticket)
        said = self.said.get(ticket, {})
        return [said.get(row.key, Outcome(row.key, "accepted")) for row in rows]
