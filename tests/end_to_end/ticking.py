"""`regulars dev` on a demo home with its own schedule and sensor on, a tick every three minutes.

Belongs here: the product's definitions with a quicker beat, and serving them. Does not belong here:
what must come of it (test_daemon.py). A tick is the product's `hourly`, the look at new files its
`new_files`; only how often they come, and that they are on, is said here.

Usage: python -m tests.end_to_end.ticking --port PORT --home DEMO_HOME
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

import dagster as dg
from dagster_shared.record import copy

from ingestion.settings_file import load_settings
from orchestration.definitions import definitions as product
from orchestration.defs import schedules
from orchestration.home.interrupts import like_ctrl_c
from orchestration.home.layout import Home
from orchestration.serve.listening import bind
from orchestration.serve.pages.server import Setup
from orchestration.serve.server import serve

MINUTES = 3


@dg.schedule(
    name="hourly",
    job=schedules.refresh,
    cron_schedule=f"*/{MINUTES} * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def _ticks(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    return schedules.hourly(context)


@dg.sensor(
    name="new_files",
    job=schedules.refresh,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def _looks(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    return schedules.new_files(context)


definitions = copy(product, schedules=[_ticks], sensors=[_looks])

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, like_ctrl_c)
    options = argparse.ArgumentParser()
    options.add_argument("--port", type=int, required=True)
    options.add_argument("--home", type=Path, required=True)
    asked = options.parse_args()
    serve(
        Home(asked.home),
        load_settings(),
        Setup(bind("127.0.0.1", asked.port)),
        lambda text: print(text, file=sys.stderr, flush=True),
        Path(__file__).with_name("ticking.yaml"),
    )
