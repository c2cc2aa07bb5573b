"""Errors on their way into Dagster's store and logs, without what an engine quotes of a row.

Dagster turns every exception into one kind of record before it keeps or shows it; that is where
the words of engines are left out (RELIABILITY SEC5). Our own sentences pass as they are.

Belongs here: that one place. Does not belong here: what is left out (`ingestion.redaction.engine`).
"""

import traceback
from typing import Any

from dagster_shared.error import SerializableErrorInfo

from ingestion.errors import RegularsError
from ingestion.redaction.engine import are_kept, reduced, what_stays

# They speak of the program or the machine, not of a row.
PLAIN = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    MemoryError,
    OSError,
    RegularsError,
)


def leave_out_rows() -> None:
    """From now on, in this process, Dagster keeps no engine's words. May be called again."""
    before = SerializableErrorInfo.from_traceback.__func__  # type: ignore[attr-defined]
    if getattr(before, "leaves_out_rows", False):
        return

    def from_traceback(cls: Any, found: traceback.TracebackException) -> Any:
        told = before(cls, found)
        message = reduced_message(getattr(found, "exc_type", None), told.message)
        return cls(message, told.stack, told.cls_name, told.cause, told.context)

    from_traceback.leaves_out_rows = True  # type: ignore[attr-defined]
    SerializableErrorInfo.from_traceback = classmethod(from_traceback)  # type: ignore[assignment]


def reduced_message(kind: type[BaseException] | None, message: str) -> str:
    """What is kept of an exception's message, which begins with the name of its kind."""
    if are_kept():
        return message
    name, _, words = message.partition(": ")
    is_dagster = kind is not None and kind.__module__.partition(".")[0].startswith("dagster")
    if kind is not None and (is_dagster or issubclass(kind, PLAIN)):
        return f"{name}: {reduced(words)}" if words else message
    return f"{name.strip()}{what_stays(words)}\n"


leave_out_rows()
