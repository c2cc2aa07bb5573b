"""When a pulse is due, and what the command prints of one."""

from __future__ import annotations

from datetime import UTC

import dagster as dg
import pytest

from ingestion.config import Destination, Settings
from orchestration.commands import pulse as command
from orchestration.defs import pulse as defs
from orchestration.words.plain_text import PlainConsole
from tests.locks import held_elsewhere
from tests.orchestration.activation.pulse.shop import NOW, PulseShop, ago, event


@pytest.fixture
def due(shop: PulseShop, monkeypatch: pytest.MonkeyPatch) -> PulseShop:
    """The shop is the one that Dagster finds."""
    monkeypatch.setattr(defs.Home, "locate", lambda: shop.home)
    monkeypatch.setattr(defs, "load_settings", lambda: shop.settings)
    return shop


def tick() -> object:
    moment = NOW.replace(tzinfo=UTC)
    return defs.pulses(dg.build_schedule_context(scheduled_execution_time=moment))


def test_the_schedule_asks_for_a_pulse_where_something_may_be_sent(
    due: PulseShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(tick(), dg.RunRequest)
    with held_elsewhere(due.home.lock):
        assert isinstance(tick(), dg.RunRequest), "a run may work meanwhile"
    with held_elsewhere(due.home.sending_lock):
        assert isinstance(tick(), dg.SkipReason)
    due.home.published.unlink()
    assert isinstance(tick(), dg.SkipReason)
    closed = Settings(destinations={"file": Destination(send=False)})
    monkeypatch.setattr(defs, "load_settings", lambda: closed)
    assert tick() == dg.SkipReason("No destination may be sent to by a schedule.")


def test_the_sensor_asks_for_one_pulse_for_what_arrived(due: PulseShop) -> None:
    due.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    first = dg.build_sensor_context()
    assert isinstance(defs.web_arrivals(first), dg.RunRequest)
    again = dg.build_sensor_context(cursor=first.cursor)
    assert isinstance(defs.web_arrivals(again), dg.SkipReason)
    due.write([event("Product Added", "ben", ago(2), product_id="P1")])
    assert isinstance(
        defs.web_arrivals(dg.build_sensor_context(cursor=first.cursor)), dg.RunRequest
    )


def test_the_job_sends_what_the_command_only_shows(
    due: PulseShop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    due.write([event("Product Added", "aiko", ago(2), product_id="P1")])
    monkeypatch.setattr(command, "load_settings", lambda: due.settings)
    command.print_pulse(due.home, NOW, PlainConsole(width=200), send=False)
    printed = capsys.readouterr().out
    assert "1 events that no published run has, 1 of them by people who are known" in printed
    assert "Nothing was sent or noted" in printed
    assert "aiko" not in printed
    assert due.outbox() == []
    monkeypatch.setattr(defs, "send_pulse", lambda *_, send: due.pulse(send=send != "no"))
    assert defs.pulse.execute_in_process().success
    assert due.outbox() == [("abandoned_cart", "aiko", "added")]
