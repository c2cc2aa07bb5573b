"""Nothing is sent that nobody asked for, however a run is started and whatever its home has seen.

Each way of starting a run ends in the run's request and in the step that plans or delivers; here
Dagster executes that step in this process, with a destination that remembers what it gets.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.context.init import build_init_resource_context

from ingestion.config import Destination, Settings
from ingestion.demo.world import make_world
from ingestion.demo.write import write_api
from ingestion.errors import UsageError
from ingestion.registry import api_sources
from orchestration.activation import delivery
from orchestration.defs import schedules
from orchestration.defs.activation import Pair, sync_asset
from orchestration.defs.resources import RunResource
from orchestration.health import opening
from orchestration.home.kind import claim, own_input
from orchestration.home.layout import Home
from orchestration.ops import runs
from orchestration.ops.runs import finish_run, start_run
from orchestration.ops.store import open_store
from orchestration.run import console
from orchestration.run.run import clock
from tests.orchestration.activation.shop import NOW, Receiver, Shop

WORLD = {"people": 50, "seed": 0, "as_of": "2026-06-01T12:00:00", "cards": True}


class Place:
    """A home with one person who may be written to, and a destination that remembers."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.home = Home(root / "home")
        self.receiver = Receiver()
        self.moments: list[datetime] = []
        self.monkeypatch = monkeypatch
        monkeypatch.setenv("REGULARS_HOME", str(self.home.root))
        monkeypatch.setattr(delivery, "open_destination", lambda *_: self.receiver)
        build = delivery.build_plan

        def noted(*words: Any, at: datetime, **more: Any) -> Any:
            self.moments.append(at)
            return build(*words, at=at, **more)

        monkeypatch.setattr(delivery, "build_plan", noted)

    def settle(self, *, send: bool) -> None:
        """Publish, and say what the settings say of sending."""
        files, receiver = str(self.home.root), Destination(send=send)
        settings = Settings(input=files, destinations={"receiver": receiver})
        for module in (delivery, opening):
            self.monkeypatch.setattr(module, "load_settings", lambda: settings)
            self.monkeypatch.setattr(module, "check_settings", lambda _: None)
            self.monkeypatch.setattr(module, "check_destinations", lambda *_: None)
        self.home.create()
        with open_store(self.home) as store:
            shop = Shop(self.home, store)
            shop.add("c1", "c1@example.com")
            shop.grant("c1@example.com")
            shop.publish()
            start_run(store, runs.Run("run1", NOW, "test"), started_at=NOW)
            finish_run(store, "run1", runs.SUCCEEDED, finished_at=NOW)

    def run(self, *, at_terminal: bool, **config: Any) -> Receiver:
        """Let Dagster execute the step of the one pair there is."""
        step = sync_asset(Pair("vip", "receiver"))
        run = RunResource(**config)

        def execute() -> Any:
            return dg.materialize(
                [step], resources={"run": run}, selection=[step.key], raise_on_error=True
            )

        if at_terminal:
            with console.listening(lambda _: None):
                assert execute().success
        else:
            assert execute().success
        return self.receiver


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path, monkeypatch)


def _as_a_shop(place: Place) -> None:
    claim(place.home, "shop")


def _where_a_demo_once_ran(place: Place) -> None:
    """A shop's home in which the folder of the pretend shop lies, as older versions left it."""
    claim(place.home, "shop")
    place.home.demo.mkdir(parents=True)


HOMES = [_as_a_shop, _where_a_demo_once_ran]
AS_OF = {"as_of": "2026-06-02"}


@pytest.mark.parametrize("settle", HOMES)
@pytest.mark.parametrize("send", [True, False])
def test_run_without_send(place: Place, settle: Callable[[Place], None], send: bool) -> None:
    settle(place)
    place.settle(send=send)
    assert not place.run(at_terminal=True, **AS_OF).calls


@pytest.mark.parametrize("settle", HOMES)
@pytest.mark.parametrize("send", [True, False])
def test_materialize_all(place: Place, settle: Callable[[Place], None], send: bool) -> None:
    settle(place)
    place.settle(send=send)
    assert not place.run(at_terminal=False).calls


@pytest.mark.parametrize("settle", HOMES)
@pytest.mark.parametrize("send", [True, False])
def test_a_schedule(place: Place, settle: Callable[[Place], None], send: bool) -> None:
    settle(place)
    place.settle(send=send)
    request = schedules._request(datetime(2026, 6, 2))
    config = request.run_config["resources"]["run"]["config"]
    assert bool(place.run(at_terminal=False, **config).calls) is send


@pytest.mark.parametrize("settle", HOMES)
@pytest.mark.parametrize("send", [True, False])
def test_a_send_by_hand_that_is_executed_again_from_dagster(
    place: Place, settle: Callable[[Place], None], send: bool
) -> None:
    """The new run has the old one's configuration, but no person asks for it at a terminal."""
    settle(place)
    place.settle(send=send)
    assert bool(place.run(at_terminal=False, send="yes", **AS_OF).calls) is send


@pytest.mark.parametrize("settle", HOMES)
def test_a_send_by_hand(place: Place, settle: Callable[[Place], None]) -> None:
    settle(place)
    place.settle(send=False)
    receiver = place.run(at_terminal=True, send="yes", **AS_OF)
    assert receiver.members.keys() == {"c1"}


@pytest.mark.parametrize("settle", HOMES)
def test_sync_is_a_wish_by_itself_and_plan_is_none(
    place: Place, settle: Callable[[Place], None]
) -> None:
    settle(place)
    place.settle(send=False)
    delivery.plan_all(place.home, None, None)
    assert not place.receiver.calls
    delivery.sync_all(place.home, None, None).raise_failures()
    assert place.receiver.members.keys() == {"c1"}


@pytest.mark.parametrize("settle", HOMES)
def test_the_gates_now_is_the_clocks_in_a_shops_home(
    place: Place, settle: Callable[[Place], None]
) -> None:
    settle(place)
    place.settle(send=False)
    before = clock()
    place.run(at_terminal=True, **AS_OF)
    assert place.moments
    assert min(place.moments) >= before


def test_a_tick_moves_the_pretend_shop_by_a_day_on_its_own_files(place: Place) -> None:
    claim(place.home, "demo", WORLD)
    place.settle(send=False)
    write_api(make_world(50), place.home.demo / "api")
    config = schedules._request(clock()).run_config["resources"]["run"]["config"]
    resource = RunResource(**config)
    with resource.yield_for_execution(build_init_resource_context()) as opened:
        run = opened.current
        assert run.as_of == datetime(2026, 6, 2, 12), "one is published, this is the next day"
        assert (place.home.demo / "input" / "rates" / "day-2026-06-01.csv").exists()
        assert run.input == own_input(place.home)
        for source in (api.own(run.settings) for api in api_sources().values()):
            assert source.enabled
            assert source.base_url.startswith("http://127.0.0.1:")
    refused = RunResource(as_of="2026-05-31T12:00:00Z")
    with (
        pytest.raises(UsageError, match="its clock does not go back"),
        refused.yield_for_execution(build_init_resource_context()),
    ):
        pass


def test_the_sensor_looks_at_nothing_that_the_pretend_shop_wrote(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(place.home, "demo", WORLD)
    monkeypatch.setattr(schedules, "_settings", Settings(input=own_input(place.home)))
    told = schedules.new_files(dg.build_sensor_context())
    assert isinstance(told, dg.SkipReason)
    assert "The pretend shop writes its own files" in str(told.skip_message)
