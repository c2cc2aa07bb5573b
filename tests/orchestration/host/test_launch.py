"""What a step that failed inside Dagster becomes for the person who waits."""

from __future__ import annotations

import sys

import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._utils.error import (
    SerializableErrorInfo,
    serializable_error_info_from_exc_info,
)

from ingestion.errors import CheckFailedError, RegularsError, SourceError, UsageError
from orchestration.host.failures import as_error, in_words


def as_text(error: BaseException) -> SerializableErrorInfo:
    """An error as Dagster keeps it."""
    try:
        raise error
    except BaseException:
        return serializable_error_info_from_exc_info(sys.exc_info())


def through_dagster(error: Exception) -> RegularsError:
    """The error as it comes out of a step's event: as text, below another one."""
    try:
        try:
            raise error
        except Exception as cause:
            raise RuntimeError("a step failed") from cause
    except RuntimeError:
        return as_error("load_web", serializable_error_info_from_exc_info(sys.exc_info()))


@pytest.mark.parametrize("kind", [RegularsError, UsageError, SourceError, CheckFailedError])
def test_our_own_errors_keep_kind_sentence_and_hint(kind: type[RegularsError]) -> None:
    found = through_dagster(kind("The file: a.csv is broken.", "Mend it."))
    assert type(found) is kind
    assert (found.message, found.hint) == ("The file: a.csv is broken.", "Mend it.")


def test_our_own_error_is_told_rather_than_its_cause() -> None:
    try:
        raise UsageError("The mapping is wrong.", "Mend it.") from ValueError("1 validation error")
    except UsageError as error:
        found = through_dagster(error)
    assert type(found) is UsageError
    assert (found.message, found.hint) == ("The mapping is wrong.", "Mend it.")


def test_a_full_disk_is_told_without_the_librarys_words() -> None:
    found = through_dagster(RuntimeError("(sqlite3.OperationalError) database or disk is full"))
    assert found.message == "The disk is full."


def test_a_person_who_stops_the_run_reads_of_no_failed_step() -> None:
    with pytest.raises(KeyboardInterrupt):
        as_error("models", as_text(DagsterExecutionInterruptedError()))


def test_an_error_without_a_hint_has_none() -> None:
    found = through_dagster(SourceError("It is broken."))
    assert (found.message, found.hint) == ("It is broken.", "")


def test_an_error_of_others_names_the_step_and_no_address() -> None:
    found = through_dagster(ValueError("a@example.com is odd\nand more"))
    assert found.message.startswith("The step load_web failed: ValueError: ")
    assert "example.com" not in found.message
    assert "regulars dev" in found.hint


def test_the_sentence_of_a_failed_step_says_what_to_do() -> None:
    assert in_words("models", as_text(UsageError("It is wrong.", "Mend it."))) == (
        "It is wrong. Mend it."
    )
    assert "was stopped" in in_words("models", as_text(DagsterExecutionInterruptedError()))
