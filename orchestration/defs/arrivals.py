"""The sensor for what came by webhooks: a run reads it soon, without waiting for a schedule.

Belongs here: when such a run begins. Does not belong here: taking webhooks in (`serve`), or the
refusals in them, which are in force before they are acknowledged.
"""

from datetime import timedelta

import dagster as dg

from orchestration.defs.schedules import refresh
from orchestration.home import lock
from orchestration.home.inbox import newest_arrival
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.ops.runs import last_started
from orchestration.ops.store import has_store, open_store
from orchestration.run.run import clock

PACE = timedelta(minutes=10)  # between the beginnings of two runs


@dg.sensor(
    job=refresh,
    minimum_interval_seconds=60,
    description="Starts a run when something came by a webhook since the last one began.",
)
def arrivals() -> dg.RunRequest | dg.SkipReason:
    """One run for all that came since, ten minutes after the last run at the earliest."""
    home = Home.locate()
    if is_demo(home):
        return dg.SkipReason("The pretend shop moves by days: run `refresh` to move one.")
    newest = newest_arrival(home.inbox)
    if newest is None:
        return dg.SkipReason("Nothing came by a webhook.")
    if lock.is_busy(home.lock):
        return dg.SkipReason("A run is going on.")
    if has_store(home):
        with open_store(home) as store:
            started = last_started(store)
        if started is not None and newest < started:
            return dg.SkipReason("A run has read what came.")
        if started is not None and clock() - started < PACE:
            return dg.SkipReason("A run began a short while ago.")
    return dg.RunRequest(run_key=newest.isoformat())
