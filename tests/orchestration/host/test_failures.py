"""What an error of a step or of a run's opening becomes for the person who waits."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress

import dagster as dg
import pytest
from dagster._core.errors import DagsterExecutionInterruptedError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ingestion.errors import (
    BusyError,
    CheckFailedError,
    DiskFullError,
    NoInputError,
    RefusedError,
    RegularsError,
    SourceError,
    UnfitSettingsError,
    UsageError,
    as_fields,
    from_fields,
)
from ingestion.redaction.engine import reduced
from orchestration.activation.authority import ApprovalError
from orchestration.defs.errors import errors_as_data
from orchestration.destinations.base import DestinationFailedError, RetryLaterError
from orchestration.host.failures import in_words
from orchestration.host.launch import failure_of
from orchestration.ops.store import StoreError

KINDS = (
    RegularsError,
    UsageError,
    UnfitSettingsError,
    NoInputError,
    BusyError,
    CheckFailedError,
    SourceError,
    RefusedError,
    DiskFullError,
    StoreError,
    ApprovalError,
    DestinationFailedError,
)
STOPPED = "The run was stopped."


def step_that(fail: Callable[[], object], *, as_data: bool = True) -> dg.AssetsDefinition:
    """An asset `publish/candidate` that calls `fail`."""

    def compute() -> None:
        fail()

    return dg.asset(key=["publish", "candidate"])(errors_as_data(compute) if as_data else compute)


def raising(error: BaseException, below: BaseException | None = None) -> Callable[[], None]:
    """A function that raises the error, with another one as its cause."""

    def fail() -> None:
        if below is None:
            raise error
        raise error from below

    return fail


def run(asset: dg.AssetsDefinition) -> tuple[RegularsError, str]:
    """The error that a run of this asset ends with, and its sentence."""
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([asset], instance=instance, raise_on_error=False)
        events = [entry.dagster_event for entry in instance.all_logs(done.run_id)]
        words = in_words(event for event in events if event is not None)
        return failure_of(instance, done.run_id), words


def of_step(error: BaseException, below: BaseException | None = None) -> RegularsError:
    return run(step_that(raising(error, below)))[0]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kind=st.sampled_from(KINDS), message=st.text(), hint=st.text())
@example(UsageError, "The file: a.csv\nis: broken", "Mend: it.\n\nThen run\u2028again")
@example(SourceError, "UsageError: not its kind", "")
@example(RegularsError, "", "")
@example(CheckFailedError, "orders: the word `disk is full` is no status.", "Map it.")
@example(SourceError, "Conversion Error: Could not convert string 'zoe' to INT32", "Mend it.")
def test_any_error_arrives_as_it_was_raised(
    kind: type[RegularsError], message: str, hint: str
) -> None:
    told, words = run(step_that(raising(kind(message, hint))))
    assert type(told) is kind
    assert (told.message, told.hint) == (reduced(message), reduced(hint))
    assert told.exit_code == kind.exit_code
    assert words == f"{reduced(message)} {reduced(hint)}".strip()


@given(kind=st.sampled_from(KINDS), message=st.text(), hint=st.text())
def test_fields_are_the_whole_error(kind: type[RegularsError], message: str, hint: str) -> None:
    again = from_fields(as_fields(kind(message, hint)))
    assert type(again) is kind
    assert as_fields(again) == as_fields(kind(message, hint))
    assert str(again) == str(kind(message, hint))


def test_an_error_made_of_other_facts_keeps_its_sentences() -> None:
    told = of_step(RetryLaterError("http_503", 3.0))
    assert type(told) is RetryLaterError
    assert told.message == "The destination did not take the rows (http_503)."


def test_a_kind_that_is_not_loaded_here_keeps_its_exit_code() -> None:
    fields = {**as_fields(BusyError("It is busy.", "Wait.")), "kind": "ElsewhereError"}
    again = from_fields(fields)
    assert type(again) is RegularsError
    assert (again.message, again.hint, again.exit_code) == ("It is busy.", "Wait.", 75)


def test_our_own_error_is_told_rather_than_its_cause() -> None:
    told = of_step(UsageError("The mapping is wrong.", "Mend it."), ValueError("1 error"))
    assert type(told) is UsageError
    assert (told.message, told.hint) == ("The mapping is wrong.", "Mend it.")


def test_our_own_error_is_told_rather_than_what_stands_above_it() -> None:
    told = of_step(RuntimeError("a batch"), SourceError("web: it is broken.", "Mend it."))
    assert (type(told), told.message) == (SourceError, "web: it is broken.")


def test_a_full_disk_is_told_without_the_librarys_words() -> None:
    full = sqlite3.OperationalError("database or disk is full")
    for told in (of_step(full), of_step(SourceError("web: it broke off."), full)):
        assert type(told) is DiskFullError
        assert told.message == "The disk is full."


@pytest.mark.parametrize("error", [DagsterExecutionInterruptedError(), KeyboardInterrupt()])
def test_a_person_who_stops_the_run_reads_of_no_failed_step(error: BaseException) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        with suppress(DagsterExecutionInterruptedError, KeyboardInterrupt):
            dg.materialize([step_that(raising(error))], instance=instance, raise_on_error=False)
        (record,) = instance.get_run_records()
        logs = instance.all_logs(record.dagster_run.run_id)
        events = [entry.dagster_event for entry in logs if entry.dagster_event]
        assert in_words(events).startswith(STOPPED)
        with pytest.raises(KeyboardInterrupt):
            failure_of(instance, record.dagster_run.run_id)


def test_an_error_of_others_names_the_step_and_no_address() -> None:
    told = of_step(OSError("a@example.com is odd\nand more"))
    assert told.message == "The step publish__candidate failed: OSError: [address] is odd"
    assert told.hint == "Open `regulars dev` for the whole story."


def test_an_error_that_may_quote_a_row_names_its_kind_only() -> None:
    told = of_step(ValueError("zoe is odd"))
    assert told.message.startswith("The step publish__candidate failed: ValueError (its words")
    assert "zoe" not in told.message


def test_dagsters_own_error_names_the_step() -> None:
    def fail() -> None:
        raise dg.DagsterInvariantViolationError("a@example.com does not fit")

    told, words = run(step_that(fail))
    assert told.message.startswith("The step publish__candidate failed: ")
    assert told.message.endswith("DagsterInvariantViolationError: [address] does not fit")
    assert words == f"{told.message} Open `regulars dev` for the whole story."


def test_a_check_that_dagster_stops_at_is_a_failed_check() -> None:
    spec = dg.AssetCheckSpec("whole", asset=dg.AssetKey("sold"), blocking=True)

    @dg.asset(check_specs=[spec])
    @errors_as_data
    def sold() -> Iterator[dg.MaterializeResult[None]]:
        check = dg.AssetCheckResult(passed=False, check_name="whole")
        yield dg.MaterializeResult(check_results=[check])

    told, _ = run(sold)
    assert type(told) is CheckFailedError
    assert told.message.startswith("The step sold did not pass its checks: ")


def test_a_run_without_a_failure_has_no_words() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize([step_that(lambda: None)], instance=instance)
        assert in_words(done.all_events) == ""
        assert failure_of(instance, done.run_id).message == "The run failed."


def test_every_step_of_the_product_tells_its_errors_as_data() -> None:
    from orchestration.definitions import definitions

    ops = {
        definition.op.name: definition.op.compute_fn.decorated_fn
        for definition in [*definitions.assets, *definitions.asset_checks]
    }
    assert {"models", "audit", "ops_export", "load_web", "publish__published"} <= ops.keys()
    bare = [
        name
        for name, step in ops.items()
        if not step.__code__.co_filename.endswith("orchestration/defs/errors.py")
    ]
    assert bare == []
