"""What the terminal of `regulars dev` reads of a run: a beginning and an end, no event between."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingestion.errors import RegularsError
from orchestration.defs.errors import errors_as_data
from orchestration.home.layout import Home
from orchestration.host.launch import prepare
from orchestration.host.terminal import SERVING


@dg.asset
def sound(context: dg.AssetExecutionContext) -> None:
    context.log.info("three of ten")
    context.log.warning("nearly full")


@dg.asset
@errors_as_data
def broken() -> None:
    raise RegularsError("The file (one of two) is broken.", "Mend it.")


@pytest.fixture
def instance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """A home as `regulars dev` makes it ready, in a process below it."""
    for name in ("REGULARS_HOME", "DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(SERVING, "1")
    prepare(Home(tmp_path))
    with dg.DagsterInstance.get() as instance:
        yield instance


def said_of(
    asset: dg.AssetsDefinition, instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str]
) -> tuple[str, str]:
    """The short id of a run of this asset, and all that it printed."""
    capfd.readouterr()
    done = dg.materialize([asset], instance=instance, raise_on_error=False)
    printed = capfd.readouterr()
    return done.run_id[:8], printed.out + printed.err


def test_a_run_is_two_lines(
    instance: dg.DagsterInstance,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, said = said_of(sound, instance, capfd)
    first, last = said.splitlines()
    assert first == f"Run {run} began."
    assert last.startswith(f"Run {run} is done: Nothing was published")

    run, said = said_of(broken, instance, capfd)
    assert said.splitlines() == [
        f"Run {run} began.",
        f"Run {run} failed: The file (one of two) is broken. Mend it.",
    ]

    monkeypatch.delenv(SERVING)  # a run of the command line tells its own terminal otherwise
    assert said_of(sound, instance, capfd)[1] == ""
