"""A sync of several targets says what each came to, also where several fail."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from ingestion.config import Destination, Segment, Settings
from ingestion.errors import BusyError, RegularsError, UsageError
from orchestration.activation import delivery
from orchestration.activation.delivery import Failure, Synced
from orchestration.activation.people import Target
from orchestration.commands.delivery import render_results
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import NOW, Receiver, Shop


def target(segment: str, destination: str) -> Target:
    return Target(segment, destination, "email", "marketing")


def told(failures: list[Failure]) -> RegularsError:
    with pytest.raises(RegularsError) as caught:
        Synced([], failures).raise_failures()
    return caught.value


@pytest.fixture
def receivers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Home, dict[str, Receiver]]:
    """A segment that goes to three destinations, of which the first and the last are broken."""
    home = Home(tmp_path / "home")
    claim(home, "shop")
    receivers = {
        name: Receiver(name=name, answers=[RuntimeError("no")] if name != "two" else [])
        for name in ("one", "three", "two")
    }
    settings = Settings(
        destinations={name: Destination() for name in receivers},
        segments={"vip": Segment(destinations=list(receivers))},
    )
    monkeypatch.setattr(delivery, "load_settings", lambda: settings)
    for name in ("check_settings", "check_destinations"):
        monkeypatch.setattr(delivery, name, lambda *_: None)
    monkeypatch.setattr(delivery, "open_destination", lambda name, *_: receivers[name])
    with open_store(home) as store:
        shop = Shop(home, store)
        shop.add_permitted("c1", "c1@example.com")
        shop.publish()
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
    return home, receivers


def test_what_arrived_is_printed_and_every_failure_is_told(
    receivers: tuple[Home, dict[str, Receiver]],
) -> None:
    home, known = receivers
    out = Console(file=StringIO(), width=200)
    with pytest.raises(RegularsError, match="2 of 3 deliveries failed") as caught:
        render_results(delivery.sync_all(home, None, None), out)
    printed = out.file.getvalue()  # type: ignore[attr-defined]
    assert [name for name in known if f" {name} " in printed] == ["two"]
    assert all(f"vip to {name}: " in caught.value.message for name in ("one", "three"))
    assert caught.value.exit_code == 1
    assert "c1@example.com" not in caught.value.message
    delivery.sync_all(home, None, None).raise_failures()
    assert all(set(receiver.members) == {"c1"} for receiver in known.values())


def test_a_sentence_is_told_once_however_many_segments_it_stopped() -> None:
    down = [Failure(target(f"s{n}", "crm"), RegularsError("It is down.")) for n in range(40)]
    error = told([*down, Failure(target("vip", "ads"), RegularsError("No key."))])
    assert error.message.count("It is down.") == 1
    assert "s39 to crm: It is down." in error.message
    assert "41 of 41" in error.message
    assert len(error.message.splitlines()) == 3


def test_the_only_failure_is_told_as_it_is() -> None:
    own = UsageError("It reaches no email.")
    assert told([Failure(target("vip", "crm"), own)]) is own
    Synced([], []).raise_failures()


@pytest.mark.parametrize(
    ("errors", "code"),
    [
        ([UsageError("a"), UsageError("b")], 2),
        ([BusyError("a"), BusyError("b")], 75),
        ([UsageError("a"), RegularsError("b")], 1),
    ],
)
def test_the_exit_code_is_what_all_failures_have_in_common(
    errors: list[RegularsError], code: int
) -> None:
    failures = [Failure(target(f"s{n}", "crm"), error) for n, error in enumerate(errors)]
    assert told(failures).exit_code == code
