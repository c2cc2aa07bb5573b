"""The errors a person is meant to read: one clear sentence, what to do next, the exit code.

Belongs here: error types shared by all packages, and an error as plain fields, for stores that keep
no Python objects. Does not belong here: formatting for a terminal (the command line does that) or
anything that carries an address, a name or a token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


class RegularsError(Exception):
    """A failure with a sentence for people.

    Args:
        message: what went wrong, in one sentence, naming file, line or field where it helps.
        hint: what to do next, in one sentence.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        """Keep both sentences apart so that callers can lay them out."""
        self.message = message
        self.hint = hint
        super().__init__(f"{message}\n{hint}".strip())

    @property
    def sentences(self) -> str:
        """Both on one line."""
        return f"{self.message} {self.hint}".strip()


class UsageError(RegularsError):
    """The command, a setting or a mapping asks for something that cannot be."""

    exit_code = 2


class UnfitSettingsError(RegularsError):
    """The settings say of the shop what its own data denies."""

    exit_code = 2


class NoInputError(UsageError):
    """There is nothing readable to work on."""


class BusyError(RegularsError):
    """Another run holds the home; nothing was changed."""

    exit_code = 75


class CheckFailedError(RegularsError):
    """A quality check or the size breaker stopped the run before anything was published."""


class SourceError(RegularsError):
    """A source could not be read to its end, so its data is not trusted for this run."""


class RefusedError(SourceError):
    """A source's server understood and said no; asked again it would say the same."""


class AccessDeniedError(RefusedError):
    """The credentials are good, and may not read this."""


class DiskFullError(RegularsError):
    """There is no room left to work in."""

    def __init__(
        self,
        message: str = "The disk is full.",
        hint: str = "Make room and run again; nothing is lost, the last published file stands.",
    ) -> None:
        """The same two sentences wherever it is noticed."""
        super().__init__(message, hint)


class MemoryLimitError(RegularsError):
    """It takes more memory than there is for it, and what was put on the disk did not help."""

    def __init__(self) -> None:
        """The same two sentences wherever it is noticed."""
        super().__init__(
            "There is not enough memory.",
            "Raise memory_limit under [engine] in regulars.toml, or leave it out on a machine with"
            " more; the home's disk needs room too. Nothing is lost, the last published file"
            " stands.",
        )


FIELDS = ("kind", "message", "hint", "exit_code")


def as_fields(error: RegularsError) -> dict[str, str | int]:
    """The error as values by the names in `FIELDS`; `from_fields` makes it again."""
    values = (type(error).__name__, error.message, error.hint, error.exit_code)
    return dict(zip(FIELDS, values, strict=True))


def from_fields(fields: Mapping[str, str | int]) -> RegularsError:
    """The error of these fields, of its own class where this process has loaded that."""
    kinds = {kind.__name__: kind for kind in _kinds(RegularsError)}
    kind = kinds.get(str(fields["kind"]), RegularsError)
    error = kind.__new__(kind)  # a class may be made of other facts than its two sentences
    RegularsError.__init__(error, str(fields["message"]), str(fields["hint"]))
    error.exit_code = int(fields["exit_code"])
    return error


def _kinds(kind: type[RegularsError]) -> list[type[RegularsError]]:
    return [kind, *(known for child in kind.__subclasses__() for known in _kinds(child))]


_FULL = ("no space left", "not enough space", "disk is full")


def tells_of_a_lock(text: str) -> bool:
    """Whether an engine says that another process works with the file; `block` is no lock."""
    return "could not set lock" in text.lower()


def tells_of_a_full_disk(text: str) -> bool:
    """Whether a library's words (the system's, DuckDB's, SQLite's) say that the disk is full."""
    return any(words in text.lower() for words in _FULL)


def tells_of_too_little_memory(text: str) -> bool:
    """Whether an engine says that it needs more memory than it may have."""
    return "out of memory" in text.lower()


def of_the_machine(text: str) -> RegularsError | None:
    """What a library's words come to where they speak of the machine: no room, no memory."""
    if tells_of_a_full_disk(text):
        return DiskFullError()
    return MemoryLimitError() if tells_of_too_little_memory(text) else None


def first_problem(error: ValidationError) -> tuple[str, str]:
    """Where the first of pydantic's problems lies, and what it is without pydantic's own label."""
    problem = error.errors()[0]
    setting = ".".join(str(part) for part in problem["loc"] if part != "[key]")
    return setting, problem["msg"].removeprefix("Value error, ")


_ADDRESS = re.compile(r"[^\s'\"<>(),;:]+@[^\s'\"<>(),;:]+")
_NUMBER = re.compile(r"\+?\d[\d\s().-]{7,}\d")


def redact(text: str) -> str:
    """The text without anything that looks like an address or a phone number."""
    return _NUMBER.sub("[number]", _ADDRESS.sub("[address]", text))
