"""The error a run ended with, out of the events that Dagster keeps of it.

A step or a run's opening that fails leaves our error's fields in its event (defs/errors.py), and
they are read back here. Three failures come without fields, each by a way of its own: somebody
stopped the run, Dagster judged a check by itself, or Dagster itself failed.

Belongs here: which event tells why a run failed, and its sentence for people. Does not belong here:
how fields get into events, and what is left out of engines' words (both defs/errors.py). Dagster's
objects are taken as arguments, so this knows nothing of Dagster.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ingestion.errors import (
    FIELDS,
    CheckFailedError,
    RegularsError,
    from_fields,
    of_the_machine,
    redact,
)

INTERRUPTED = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")
CHECK_FAILED = "DagsterAssetCheckFailedError"


def in_words(events: Iterable[Any]) -> str:
    """Sentence and hint of the error that these events tell of; empty where they tell of none."""
    try:
        error = error_of(events)
    except KeyboardInterrupt:
        return "The run was stopped. Nothing half-done is visible; the next one goes on from here."
    return "" if error is None else error.sentences


def error_of(events: Iterable[Any]) -> RegularsError | None:
    """The first error that a run's events, in their order, tell of; None where they tell of none.

    Raises:
        KeyboardInterrupt: somebody stopped the run; Dagster made a failed step of it.
    """
    for event in events:
        fields = _fields(event.event_specific_data)
        if fields:
            return from_fields(fields)
        error = getattr(event.event_specific_data, "error", None)
        if event.is_failure and error is not None:
            return _without_fields(event.step_key or "start", error)
    return None


def _fields(data: Any) -> Mapping[str, str | int]:
    """Our error's fields of a failed step's data, or of an engine event's; empty without them."""
    holder = getattr(data, "user_failure_data", None) or data
    metadata = getattr(holder, "metadata", None) or {}
    if not metadata.keys() >= set(FIELDS):
        return {}
    return {name: metadata[name].value for name in FIELDS}


def _without_fields(step: str, error: Any) -> RegularsError:
    """What a failure comes to that is not of our code: an interrupt, a check, Dagster's own."""
    chain = [error]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    kinds = {(link.cls_name or "").rpartition(".")[2] for link in chain}
    if kinds.intersection(INTERRUPTED):
        raise KeyboardInterrupt
    if shortage := of_the_machine(chain[-1].message):
        return shortage
    sentence = redact(chain[-1].message.strip().partition("\n")[0])
    if CHECK_FAILED in kinds:
        return CheckFailedError(f"The step {step} did not pass its checks: {sentence}")
    return RegularsError(
        f"The step {step} failed: {sentence}", "Open `regulars dev` for the whole story."
    )
