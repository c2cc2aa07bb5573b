"""What a run that nobody started at a terminal tells the terminal of `regulars dev`.

Belongs here: one line when such a run begins and one when it ends. Does not belong here: what a run
at the terminal says (orchestration/run/console.py) or what Dagster keeps of a run (history.py,
which calls this).
Dagster's objects are taken as arguments, so this knows nothing of Dagster.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

SERVING = "REGULARS_SERVING"  # set for every process below `regulars dev`
DAGSTERS_OWN = re.compile(r"(?:^| \()(?:Finished e|E)xecution of .*", re.S)
SHORT = 8  # characters of a run's id, as Dagster's page shows it
WORDS = {
    "PIPELINE_START": "began",
    "PIPELINE_SUCCESS": "is done",
    "PIPELINE_CANCELED": "was stopped",
    "PIPELINE_FAILURE": "failed",
}


def tell(event: Any) -> None:
    """Print the line of an event, where `regulars dev` is at the other end."""
    line = line_of(event) if os.environ.get(SERVING) else ""
    if line:
        print(line, file=sys.stderr, flush=True)


def line_of(event: Any) -> str:
    """The line for an event as it is kept; empty for all but a run's beginning and end."""
    inner = event.dagster_event
    word = WORDS.get(inner.event_type_value) if inner else None
    if word is None:
        return ""
    message = "" if word == "began" else DAGSTERS_OWN.sub("", str(inner.message or ""))
    return f"Run {event.run_id[:SHORT]} {word}{f': {message}' if message else '.'}"
