"""A copied home plans and sends nothing until a person says that it takes the other's place."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import select

from ingestion.config import Destination, Settings
from ingestion.errors import RegularsError, UsageError
from orchestration.activation import delivery
from orchestration.activation.release import release_due
from orchestration.backup.stores import make_backup, restore_backup
from orchestration.commands.backup import next_steps
from orchestration.commands.ops import print_adopt
from orchestration.health import home_health
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.home.place import Place, place_of
from orchestration.ops import schema
from orchestration.ops.adoption import (
    ADOPTED,
    adopt,
    check_own_home,
    own_home,
    record_home,
    what_is_copied,
)
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import Store, open_store
from orchestration.run.run import RunRequest, open_run
from tests.orchestration.activation.shop import NOW, Receiver, Shop

HERE = Place("machine", "/srv/data", 17)
WHO = {"person": "Ada", "reason": "the old machine is off", "at": NOW}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A shop's home with one permitted member and a published file, which knows its place."""
    home = Home(tmp_path / "data")
    claim(home, "shop")
    with open_store(home) as store:
        shop = Shop(home, store)
        shop.add_permitted("c1", "c1@example.com")
        shop.publish()
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
        record_home(store, home)
    return home


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Receiver:
    """The one destination of the settings."""
    receiver = Receiver()
    send_to(monkeypatch, Destination(send=True))
    monkeypatch.setattr(delivery, "open_destination", lambda *_: receiver)
    return receiver


def send_to(monkeypatch: pytest.MonkeyPatch, destination: Destination) -> Settings:
    """Settings with this destination alone."""
    settings = Settings(destinations={"receiver": destination})
    monkeypatch.setattr(delivery, "load_settings", lambda: settings)
    for name in ("check_settings", "check_destinations"):
        monkeypatch.setattr(delivery, name, lambda *_: None)
    return settings


def copied(home: Home, name: str) -> Home:
    """A copy as `cp -r` makes it."""
    return Home(shutil.copytree(home.root, home.root.with_name(name)))


@contextmanager
def opened(home: Home) -> Iterator[Store]:
    with open_store(home) as store:
        yield store


def problem(home: Home) -> str:
    with opened(home) as store:
        return what_is_copied(store, home)


def home_id(home: Home) -> str:
    with opened(home) as store:
        own = own_home(store)
    assert own is not None
    return own.home_id


@pytest.mark.parametrize(
    ("there", "is_same"),
    [
        (HERE, True),
        (replace(HERE, path="/srv/renamed"), True),
        (replace(HERE, inode=18), False),
        (replace(HERE, path="/srv/copy", inode=18), False),
        (replace(HERE, machine="another"), False),
        (replace(HERE, machine=""), False),
        # The root of each disk has the same inode, so it has to be where it was.
        (replace(HERE, path="/mnt/copy", is_mount=True), False),
        (replace(HERE, is_mount=True), True),
    ],
)
def test_a_place_is_a_machine_and_a_folder_that_may_be_renamed(there: Place, is_same: bool) -> None:
    assert HERE.holds(there) == there.holds(HERE) == is_same


def test_a_disk_that_knows_no_inodes_is_told_by_the_path() -> None:
    place = replace(HERE, inode=0)
    assert place.holds(place)
    assert not place.holds(replace(place, path="/srv/copy"))


@pytest.mark.parametrize("way", ["plan", "sync", "release", "run --send"])
def test_a_copy_plans_and_sends_nothing_until_it_is_adopted(
    home: Home, receiver: Receiver, way: str
) -> None:
    copy, settings = copied(home, "copy"), delivery.load_settings()

    def run() -> None:
        with open_run(copy, settings, RunRequest(NOW, send="yes")):
            pytest.fail("it went on")

    ways: dict[str, Callable[[], Any]] = {
        "plan": lambda: delivery.plan_all(copy, None, None),
        "sync": lambda: delivery.sync_all(copy, None, None),
        "release": lambda: release_due(copy, settings),
        "run --send": run,
    }
    with pytest.raises(RegularsError, match=r"copied.*Nothing is planned or sent\.") as caught:
        ways[way]()
    assert str(home.root) in caught.value.message
    assert (caught.value.exit_code, "ops adopt" in caught.value.hint) == (1, True)
    assert receiver.members == {}
    with opened(copy) as store:
        adopt(store, copy, **WHO)
    delivery.plan_all(copy, None, None)
    delivery.sync_all(copy, None, None).raise_failures()
    assert set(receiver.members) == {"c1"}


def test_a_run_in_a_copy_goes_on_and_says_that_nothing_is_planned(home: Home) -> None:
    copy, said = copied(home, "copy"), []
    with open_run(copy, Settings(), RunRequest(NOW), say=said.append):
        pass
    assert any("Nothing is planned or sent." in line for line in said)
    assert problem(copy), "a run makes no home of a copy"


def test_the_home_itself_goes_on_beside_its_copy_and_under_another_name(
    home: Home, receiver: Receiver
) -> None:
    copied(home, "copy")
    known = home_id(home)
    moved = Home(home.root.rename(home.root.with_name("renamed")))
    (report,) = delivery.sync_all(moved, None, None).reports
    assert report.sent["added"] == 1
    with opened(moved) as store:
        own = own_home(store)
    assert own is not None
    assert (own.home_id, own.place) == (known, place_of(moved))
    copy = copied(moved, home.root.name)
    assert "copied" in problem(copy), "a copy where the home was before is a copy"
    assert receiver.calls == 1


def test_a_copy_of_a_copy_is_one_too(home: Home) -> None:
    first = copied(home, "first")
    before = copied(first, "before adopting")
    with opened(first) as store:
        adopt(store, first, **WHO)
    after = copied(first, "after adopting")
    assert problem(first) == ""
    assert str(home.root) in problem(before)
    assert str(first.root) in problem(after)
    with opened(after) as store:
        other, own = adopt(store, after, **WHO)
    assert len({home_id(home), other.home_id, own.home_id}) == 3


def test_who_adopts_is_kept_and_only_a_copy_is_adopted(home: Home) -> None:
    copy = copied(home, "copy")
    with opened(copy) as store:
        with pytest.raises(UsageError, match="who says so"):
            adopt(store, copy, **{**WHO, "person": " "})
        adopt(store, copy, **WHO)
        with pytest.raises(UsageError, match="nothing to adopt"):
            adopt(store, copy, **WHO)
        check_own_home(store, copy)
        query = select(schema.meta.c.value).where(schema.meta.c.key.startswith(ADOPTED))
        with store.read() as connection:
            said = json.loads(connection.execute(query).scalar_one())
    assert (said["by"], said["reason"]) == (WHO["person"], WHO["reason"])
    assert said["before"]["home_id"] == home_id(home)


def test_of_two_homes_that_both_adopted_only_the_named_one_sends(
    home: Home, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied(home, "copy")
    with opened(copy) as store:
        adopt(store, copy, **WHO)
    settings = send_to(monkeypatch, Destination(send=True, home=home_id(home)))
    with pytest.raises(UsageError, match="may be sent from the home") as caught:
        delivery.sync_all(copy, None, None).raise_failures()
    assert caught.value.exit_code == 2
    assert release_due(copy, settings) == []
    assert receiver.calls == 0
    (plan,) = delivery.plan_all(copy, None, None).plans
    assert plan.counts["added"] == 1, "a plan reaches nobody"
    delivery.sync_all(home, None, None)
    assert set(receiver.members) == {"c1"}


def test_a_home_without_an_id_is_not_the_one_that_settings_name(
    home: Home, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = send_to(monkeypatch, Destination(send=True, home="4f00aa11"))
    with pytest.raises(UsageError, match="4f00aa11"):
        delivery.sync_all(home, None, None).raise_failures()
    assert release_due(home, settings) == []
    assert receiver.calls == 0


def test_the_pretend_shops_home_may_be_copied(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo")
    claim(home, "demo", {"as_of": NOW.isoformat()})
    with opened(home) as store:
        record_home(store, home)
        assert own_home(store) is None
    assert problem(copied(home, "copy")) == ""


def test_a_home_of_before_knows_no_place_until_it_runs(home: Home) -> None:
    with opened(home) as store:
        with store.write() as connection:
            connection.execute(schema.meta.delete().where(schema.meta.c.key == "home"))
        check_own_home(store, home)
        record_home(store, home)
        first = own_home(store)
        record_home(store, home)
        assert first == own_home(store)


def test_a_restored_home_is_adopted_like_a_copy(home: Home, tmp_path: Path) -> None:
    kept = make_backup(home, tmp_path / "b.age", key_file=tmp_path / "key", settings=None, at=NOW)
    other = Home(tmp_path / "restored")
    manifest = restore_backup(kept.path, other, key_file=tmp_path / "key")
    lines = list(next_steps(other, manifest, problem(other)))
    assert str(home.root) in lines[-2]
    assert "regulars ops adopt" in lines[-1]


def test_doctor_says_which_home_it_is_and_what_a_copy_does(home: Home) -> None:
    (own,) = (check for check in home_health.stores(home, busy=False) if check.name == "place")
    assert (own.status, home_id(home) in own.sentence) == ("ok", True)
    copy = copied(home, "copy")
    (check,) = (check for check in home_health.stores(copy, busy=False) if check.name == "place")
    assert check.status == "failed"
    assert "ops adopt" in check.hint


def test_adopting_says_that_the_other_must_not_send(home: Home) -> None:
    before, copy = home_id(home), copied(home, "copy")
    out = Console(file=StringIO(), width=400)
    print_adopt(copy, "Ada", "the old machine is off", out)
    told = out.file.getvalue()  # type: ignore[attr-defined]
    assert "must not send any more" in told
    assert str(home.root) in told
    assert f'home = "{before}"' in told
    assert f'home = "{home_id(copy)}"' in told
