"""What is kept and said of an exception: nothing that an engine quotes of a row (RELIABILITY SEC5).

Belongs here: an exception as our own error, and as one line. Does not belong here: what is left out
of a text (`ingestion.redaction.engine`), and how Dagster gets it (defs/errors.py).
"""

from __future__ import annotations

from collections.abc import Callable

from ingestion.errors import (
    RegularsError,
    as_fields,
    from_fields,
    of_the_machine,
    redact,
)
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


def our_error(error: BaseException, step: Callable[[], str]) -> RegularsError:
    """What an exception means for the person who waits, without what an engine quotes of a row.

    Our own error is told rather than what a library raised below it; a full disk and too little
    memory before both.
    `step` names the step, and is only asked where nothing of ours tells what happened.
    """
    chain = [error]
    while chain[-1].__cause__ is not None:
        chain.append(chain[-1].__cause__)
    root = chain[-1]
    shortage = None if isinstance(root, RegularsError) else of_the_machine(str(root))
    if shortage:
        return shortage
    own = next((each for each in chain if isinstance(each, RegularsError)), None)
    if own is not None:
        words = {"message": reduced(own.message), "hint": reduced(own.hint)}
        return from_fields({**as_fields(own), **words})
    first_line = reduced_message(type(root), f"{type(root).__name__}: {root}").partition("\n")[0]
    return RegularsError(
        f"The step {step()} failed: {redact(first_line)}",
        "Open `regulars dev` for the whole story.",
    )


def reduced_message(kind: type[BaseException] | None, message: str) -> str:
    """What is kept of an exception's message, which begins with the name of its kind."""
    if are_kept():
        return message
    name, _, words = message.partition(": ")
    is_dagster = kind is not None and kind.__module__.partition(".")[0].startswith("dagster")
    if kind is not None and (is_dagster or issubclass(kind, PLAIN)):
        return f"{name}: {reduced(words)}" if words else message
    return f"{name.strip()}{what_stays(words)}\n"
