"""Errors on their way into Dagster's store and logs: as data, and without what a row holds.

Every step's function is wrapped in `errors_as_data`, and the opening of a run in `opening_a_run`:
what they raise reaches Dagster with our error's fields as metadata, which host/failures.py reads
back. Dagster also turns every exception into one kind of record before it keeps or shows it; that
is where the words of engines are left out (RELIABILITY SEC5). Our own sentences pass as they are.

Belongs here: that one way in. Does not belong here: what is kept of an exception
(orchestration/words/failures.py), and reading errors back.
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
    RefusedError,
    UsageError,
    as_fields,
)
from orchestration.words.failures import our_error, reduced_message

Step = TypeVar("Step", bound=Callable[..., Any])

# What Dagster raises to steer a run; it is Dagster's to understand.
DAGSTERS = (DagsterError, dg.Failure, dg.RetryRequested)
# What would end the same way again is not tried again.
FINAL = (UsageError, RefusedError)


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
                ours.sentences, context.run, EngineEventData(metadata=as_fields(ours))
            )
        raise


@contextmanager
def _failing_with_fields() -> Iterator[None]:
    try:
        yield
    except DAGSTERS:
        raise
    except Exception as error:
        ours = our_error(error, _current_step)
        raise dg.Failure(
            ours.sentences, metadata=as_fields(ours), allow_retries=not isinstance(ours, FINAL)
        ) from error


def _current_step() -> str:
    return dg.OpExecutionContext.get().get_step_execution_context().step.key


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


leave_out_rows()
