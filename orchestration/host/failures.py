"""What failed, why and what to do, out of what Dagster keeps of an error.

Belongs here: turning a step's error back into our own, and into a sentence for the last event of a
run. Does not belong here: what is left out of engines' words (defs/errors.py) and raising errors.
Dagster's objects are taken as arguments, so this knows nothing of Dagster.
"""

from __future__ import annotations

from typing import Any

from ingestion.errors import (
    CheckFailedError,
    DiskFullError,
    RegularsError,
    redact,
    tells_of_a_full_disk,
)

INTERRUPTED = ("DagsterExecutionInterruptedError", "KeyboardInterrupt")


def in_words(step: str | None, error: Any) -> str:
    """The sentence and the hint of a failed step."""
    try:
        told = as_error(step, error)
    except KeyboardInterrupt:
        return "The run was stopped. Nothing half-done is visible; the next one goes on from here."
    return f"{told.message} {told.hint}".strip()


def as_error(step: str | None, error: Any) -> RegularsError:
    """What a step's error, as Dagster keeps it, is for the person who waits.

    Raises:
        KeyboardInterrupt: somebody stopped the run; Dagster made a failed step of it.
    """
    known = {kind.__name__: kind for kind in _all_errors(RegularsError)}
    chain = [error]
    while chain[-1].cause is not None:
        chain.append(chain[-1].cause)
    if any(_name(link) in INTERRUPTED for link in chain):
        raise KeyboardInterrupt
    if tells_of_a_full_disk(chain[-1].message):
        return DiskFullError()
    # The sentence for people stands above what a library said, which we give as its cause.
    cause = next((link for link in chain if _name(link) in known), chain[-1])
    name = _name(cause)
    sentence = cause.message.partition(": ")[2].strip() or cause.message.strip()
    kind = known.get(name)
    if kind is not None:
        message, _, hint = sentence.partition("\n")
        return kind(message, hint)
    if "Failure" in name or "CheckFailed" in name or "AssetCheck" in (cause.message or ""):
        return CheckFailedError(sentence or f"The step {step} did not pass its checks.")
    first_line = redact(sentence.splitlines()[0]) if sentence else ""
    return RegularsError(
        f"The step {step or 'start'} failed: {name}: {first_line}",
        "Open `regulars dev` for the whole story.",
    )


def _name(error: Any) -> str:
    return (error.cls_name or "").rpartition(".")[2]


def _all_errors(kind: type[RegularsError]) -> list[type[RegularsError]]:
    return [kind, *(sub for child in kind.__subclasses__() for sub in _all_errors(child))]
