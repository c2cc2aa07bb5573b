"""Errors on their way into Dagster's store and logs: as data, and without what a row holds.

Every step's function is wrapped in `errors_as_data`, and the opening of a run in `opening_a_run`:
what they raise reaches Dagster with our error's fields as metadata, which host/failures.py reads
back. Dagster also turns every exception into one kind of record before it keeps or shows it; that
is where the words of engines are left out (RELIABILITY SEC5). Our own sentences pass as they are.

Belongs here: that one way in. Does not belong here: what is left out
(`ingestion.redaction.engine`), and reading errors back.
"""

import inspect
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, TypeVar

import dagster as dg
from dagster._core.events import EngineEventData
from dagster_shared.error import DagsterError, SerializableErrorInfo

from ingestion.errors import (
    DiskFullError,
    RefusedError,
    RegularsError,
    UsageError,
    as_fields,
    from_fields,
    redact,
    tells_of_a_full_disk,
)
from ingestion.redaction.engine import are_kept, reduced, what_stays

Step = TypeVar("Step", bound=Callable[..., Any])

# What Dagster raises to steer a run; it is Dagster's to understand.
DAGSTERS = (DagsterError, dg.Failure, dg.RetryRequested)
# What would end the same way again is not tried again.
FINAL = (UsageError, RefusedError)

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


def errors_as_data(step: Step) -> Step:
    """The same step, whose errors reach Dagster with our fields; below Dagster's own decorator."""

    @wraps(step)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with _failing_with_fields():
            return step(*args, **kwargs)

    @wraps(step)
    def generator(*args: Any, **kwargs: Any) -> Any:
        with _failing_with_fields():
            yield from step(*args, **kwargs)

    return generator if inspect.isgeneratorfunction(step) else plain  # type: ignore[return-value]


@contextmanager
def opening_a_run(context: dg.InitResourceContext) -> Iterator[None]:
    """Keep why a run did not begin as an event of its own: Dagster keeps only text of it."""
    try:
        yield
    except Exception as error:
        if context.instance is not None and context.run is not None:
            ours = our_error(error, lambda: "start")
            context.instance.report_engine_event(
                _in_words(ours), context.run, EngineEventData(metadata=as_fields(ours))
            )
        raise


def our_error(error: BaseException, step: Callable[[], str]) -> RegularsError:
    """What an exception means for the person who waits, without what an engine quotes of a row.

    Our own error is told rather than what a library raised below it; a full disk before both.
    `step` names the step, and is only asked where nothing of ours tells what happened.
    """
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    root = chain[-1]
    if not isinstance(root, RegularsError) and tells_of_a_full_disk(str(root)):
        return DiskFullError()
    own = next((each for each in chain if isinstance(each, RegularsError)), None)
    if own is not None:
        words = {"message": reduced(own.message), "hint": reduced(own.hint)}
        return from_fields({**as_fields(own), **words})
    first_line = reduced_message(type(root), f"{type(root).__name__}: {root}").partition("\n")[0]
    return RegularsError(
        f"The step {step()} failed: {redact(first_line)}",
        "Open `regulars dev` for the whole story.",
    )


@contextmanager
def _failing_with_fields() -> Iterator[None]:
    try:
        yield
    except DAGSTERS:
        raise
    except Exception as error:
        ours = our_error(error, _current_step)
        raise dg.Failure(
            _in_words(ours), metadata=as_fields(ours), allow_retries=not isinstance(ours, FINAL)
        ) from error


def _current_step() -> str:
    return dg.OpExecutionContext.get().get_step_execution_context().step.key


def _in_words(error: RegularsError) -> str:
    return f"{error.message} {error.hint}".strip()


def leave_out_rows() -> None:
    """From now on, in this process, Dagster keeps no engine's words. May be called again."""
    before = SerializableErrorInfo.from_traceback.__func__  # type: ignore[attr-defined]
    if getattr(before, "leaves_out_rows", False):
        return

    def from_traceback(cls: Any, exception: traceback.TracebackException) -> Any:
        info = before(cls, exception)
        message = reduced_message(getattr(exception, "exc_type", None), info.message)
        return cls(message, info.stack, info.cls_name, info.cause, info.context)

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
