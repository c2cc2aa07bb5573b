"""dbt's log, its standard output and its results without what an engine quotes of a row.

dbt hands every event to loggers that scrub secrets, and writes its results with one function. Both
are told here to send texts through `engine.py` first, in the process in which dbt runs, so
nothing has to be cleaned up after it was written. A logger composes the line of every event, also
of those below its level, which are most, and drops it then; it is told to leave those alone.

Belongs here: these places of dbt. Does not belong here: what is left out (`engine.py`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from dbt.artifacts.schemas.run.v5 import run as results
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import get_event_manager
from dbt_common.events.logger import PRINT_EVENT_NAMES

from ingestion.redaction.engine import reduced, reduced_everywhere

# From the least to the most; a test's own are as low as the least
LEVELS = (
    EventLevel.TEST,
    EventLevel.DEBUG,
    EventLevel.INFO,
    EventLevel.WARN,
    EventLevel.ERROR,
)
_MARK = "_leaves_out_rows"
_results: Any = results  # dbt names its writer nowhere; it is only called there


def leave_out_rows() -> None:
    """From now on, in this process, whatever dbt writes is reduced. May be called again."""
    for logger in getattr(get_event_manager(), "loggers", []):
        if not hasattr(logger.scrubber, _MARK):
            logger.scrubber = _scrubber(logger.scrubber)
            logger.filter = _of_its_level(logger)
    if not hasattr(_results.write_json, _MARK):
        _results.write_json = _writer(_results.write_json)


def _scrubber(before: Callable[[str], str]) -> Callable[[str], str]:
    def scrub(text: str) -> str:
        return reduced_line(before(text))

    setattr(scrub, _MARK, True)
    return scrub


def _of_its_level(logger: Any) -> Callable[[Any], bool]:
    """The logger's own filter, for the events that it would write."""
    before, least = logger.filter, LEVELS.index(logger.level)

    def is_written(message: Any) -> bool:
        info = message.info
        is_high = info.name in PRINT_EVENT_NAMES or LEVELS.index(EventLevel(info.level)) >= least
        return is_high and bool(before(message))

    return is_written


def _writer(before: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def write(path: str, content: Any) -> Any:
        for result in content.get("results", []):
            result["message"] = reduced(result.get("message"))
        return before(path, content)

    setattr(write, _MARK, True)
    return write


def reduced_line(line: str) -> str:
    """A line of a log, in text or as a JSON document, which stays one."""
    if line.startswith("{"):
        try:
            return json.dumps(reduced_everywhere(json.loads(line)), sort_keys=True)
        except ValueError:
            pass
    return reduced(line)
