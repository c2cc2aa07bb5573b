"""Sending rows one at a time where each is a message that must not leave twice.

Belongs here: what becomes of a batch where one call breaks off. Does not belong here: the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ingestion.errors import RegularsError
from orchestration.destinations.base import Outcome, Row
from orchestration.destinations.http import AnswerLostError


def send_one_by_one(rows: Sequence[Row], send: Callable[[Row], Outcome]) -> list[Outcome]:
    """An outcome for each row: what is no addition is nothing to say and done.

    What follows a call that broke off is not tried. Where nothing of the batch was taken, the
    failure is the batch's.

    Raises:
        RegularsError: nothing was taken, and this is why.
    """
    outcomes: list[Outcome] = []
    for row in rows:
        if row.operation != "added":
            outcomes.append(Outcome(row.key, "delivered"))
            continue
        try:
            outcomes.append(send(row))
        except AnswerLostError as error:
            outcomes.append(Outcome(row.key, "unknown", error.reason))
            break
        except RegularsError:
            if not any(each.status in ("accepted", "rejected") for each in outcomes):
                raise
            break
    rest = rows[len(outcomes) :]
    return outcomes + [Outcome(row.key, "retry", "not_tried") for row in rest]
