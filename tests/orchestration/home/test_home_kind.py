"""Two kinds of home, which refuse each other's data, and which of them a command takes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from ingestion.config import REPOSITORY, Destination, Settings
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import check_destinations
from orchestration.home.inbox import Inbox, body_id
from orchestration.home.kind import (
    claim,
    first_moment,
    in_words,
    is_demo,
    own_input,
    own_settings,
    read_mark,
    refuse_input,
    take_settings,
)
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import revoke_consent
from orchestration.ops.runs import Run, start_run
from orchestration.ops.store import open_store

WORLD = {"people": 50, "seed": 0, "as_of": "2026-07-01T00:00:00", "cards": True}


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with nothing said of homes and settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("REGULARS_HOME", "REGULARS_CONFIG"):
        monkeypatch.setenv(name, "")
    return tmp_path


def test_where_a_command_goes_that_nobody_told_where(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Home.locate().root == elsewhere / "demo"
    assert Home.locate(usual="data").root == elsewhere / "data", "a run that reads makes it"
    (elsewhere / "data").mkdir()
    assert Home.locate().root == elsewhere / "data", "there is no other"
    assert Home.locate(usual="demo").root == elsewhere / "demo", "the demo never takes the shop's"
    monkeypatch.setenv("REGULARS_HOME", str(elsewhere / "third"))
    assert Home.locate(usual="demo").root == elsewhere / "third"
    assert Home.locate(elsewhere / "fourth").root == elsewhere / "fourth"


def load_a_row(home: Home) -> None:
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema raw_web")
        connection.execute("create table raw_web.events as select 1 as message_id")


def put_a_row_aside(home: Home) -> None:
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema if not exists raw_web")
        connection.execute("create table raw_web.quarantine as select 1 as quarantine_id")


def take_a_webhook(home: Home) -> None:
    Inbox(home.inbox).keep("web", "segment", body_id(b"x"), b"[]", datetime(2026, 7, 1))


def record_a_refusal(home: Home) -> None:
    with open_store(home) as store:
        revoke_consent(
            store,
            identifier_type="email",
            identifier_value="a@example.org",
            channel="email",
            purpose="marketing",
            source="phone call",
            at=datetime(2026, 7, 1),
            default_country="GB",
        )


def fail_a_run(home: Home) -> None:
    """What a first run leaves that could read nothing: stores without a row."""
    with open_store(home) as store:
        start_run(store, Run("run1", datetime(2026, 7, 1), "test"), started_at=datetime(2026, 7, 1))
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute("create schema raw_web")
        connection.execute("create table raw_web.events (message_id varchar)")
        connection.execute("create table raw_web._files as select 'web/a.jsonl' as path")


@pytest.mark.parametrize(
    ("happened", "taken"),
    [
        ([], "demo"),
        ([fail_a_run], "demo"),
        ([load_a_row], "data"),
        ([take_a_webhook], "data"),
        ([fail_a_run, put_a_row_aside], "data"),
        ([fail_a_run, record_a_refusal], "data"),
    ],
)
def test_a_shops_home_hides_the_demos_only_once_it_holds_anything(
    elsewhere: Path, happened: list[Callable[[Home], None]], taken: str
) -> None:
    (elsewhere / "demo").mkdir()
    home = Home(elsewhere / "data").create()
    for each in happened:
        each(home)
    assert Home.locate().root == elsewhere / taken
    assert Home.locate(usual="data").root == elsewhere / "data", "a run that reads goes on there"


@pytest.mark.parametrize("name", ["raw.duckdb", "ops.sqlite", "published.duckdb"])
def test_a_shops_home_that_cannot_be_looked_into_counts_as_full(elsewhere: Path, name: str) -> None:
    (elsewhere / "demo").mkdir()
    home = Home(elsewhere / "data").create()
    (home.root / name).write_bytes(b"no store at all" * 1000)
    assert Home.locate().root == elsewhere / "data"


def test_a_home_says_for_good_whose_it_is(tmp_path: Path) -> None:
    demo, shop = Home(tmp_path / "demo"), Home(tmp_path / "shop")
    assert read_mark(demo) is None
    claim(demo, "demo", WORLD)
    claim(shop, "shop")
    assert (is_demo(demo), is_demo(shop)) == (True, False)
    assert first_moment(demo) == datetime(2026, 7, 1)
    with pytest.raises(UsageError, match="pretend shop") as refused:
        claim(demo, "shop")
    assert refused.value.exit_code == 2
    with pytest.raises(UsageError, match="a shop's own data"):
        claim(shop, "demo", WORLD)
    claim(demo, "demo", {**WORLD, "people": 99})
    mark = read_mark(demo)
    assert mark is not None
    assert mark.world == WORLD, "what it says first stands"


def test_a_shops_home_stays_one_though_a_folder_in_it_is_called_demo(tmp_path: Path) -> None:
    home = Home(tmp_path)
    claim(home, "shop")
    home.demo.mkdir()
    (home.demo / "world.json").write_text(json.dumps(WORLD), "utf-8")
    assert not is_demo(home)


@pytest.mark.parametrize("store", ["raw", "ops", "published"])
def test_a_home_of_an_earlier_version_is_known_by_what_lies_in_it(
    tmp_path: Path, store: str
) -> None:
    home = Home(tmp_path).create()
    getattr(home, store).touch()
    mark = read_mark(home)
    assert mark is not None
    assert mark.kind == "shop"
    home.demo.mkdir()
    old = {name: value for name, value in WORLD.items() if name != "cards"}
    (home.demo / "world.json").write_text(json.dumps(old), "utf-8")
    mark = read_mark(home)
    assert mark is not None
    assert (mark.kind, mark.world) == ("demo", WORLD)
    claim(home, "demo")
    assert json.loads(home.mark.read_text("utf-8")) == {"kind": "demo", "world": WORLD}


@pytest.mark.parametrize(
    "content", ["", "[]", '{"kind": "both"}', '{"kind": "demo"}', '{"kind": "demo", "world": 1}']
)
def test_a_mark_that_cannot_be_read_is_no_yes_to_anything(tmp_path: Path, content: str) -> None:
    home = Home(tmp_path).create()
    home.mark.write_text(content, "utf-8")
    with pytest.raises(RegularsError, match="whose data"):
        is_demo(home)


def test_the_pretend_shops_home_reads_its_own_input_only(tmp_path: Path) -> None:
    demo, shop = Home(tmp_path / "demo"), Home(tmp_path / "shop")
    claim(demo, "demo", WORLD)
    claim(shop, "shop")
    refuse_input(demo, "")
    refuse_input(demo, own_input(demo))
    refuse_input(shop, "s3://files")
    with pytest.raises(UsageError, match="other data would mix"):
        refuse_input(demo, str(tmp_path / "files"))


def test_an_earlier_versions_demo_in_data_is_explained(elsewhere: Path) -> None:
    home = Home(elsewhere / "data").create()
    claim(home, "demo", WORLD)
    with pytest.raises(UsageError) as refused:
        claim(home, "shop")
    assert "earlier version" in refused.value.hint


def test_the_pretend_shop_has_its_own_settings_unless_others_were_named(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo, shop = Home(elsewhere / "demo"), Home(elsewhere / "shop")
    claim(demo, "demo", WORLD)
    claim(shop, "shop")
    for home in (demo, shop):
        home.demo.mkdir()
        own_settings(home).write_text("", "utf-8")
    take_settings(shop)
    assert not os.environ["REGULARS_CONFIG"]
    take_settings(demo)
    assert os.environ["REGULARS_CONFIG"] == str(own_settings(demo))
    monkeypatch.setenv("REGULARS_CONFIG", "mine.toml")
    take_settings(demo)
    assert os.environ["REGULARS_CONFIG"] == "mine.toml"


def test_it_is_said_in_words_which_home_it_is(elsewhere: Path) -> None:
    assert in_words(Home(elsewhere / "data")) == "./data (empty)"
    claim(Home(elsewhere / "data"), "shop")
    claim(Home(elsewhere / "demo"), "demo", WORLD)
    assert in_words(Home(elsewhere / "data")) == "./data (your shop)"
    assert in_words(Home(elsewhere / "demo"), datetime(2026, 7, 1)).startswith(
        "./demo (the pretend shop, as of 2026-07-"
    )


@pytest.mark.parametrize("url", ["", "{home}/elsewhere", "file://{home}/x"])
def test_the_pretend_shop_may_fill_its_own_folder(tmp_path: Path, url: str) -> None:
    home = Home(tmp_path / "demo")
    claim(home, "demo", WORLD)
    check_destinations(_to(url.format(home=home.root)), home)


@pytest.mark.parametrize(
    "url",
    ["/srv/out", "{home}/../out", "{home}/link", "s3://bucket/x", "memory://x", "{home}-two/x"],
)
def test_the_pretend_shop_delivers_nowhere_else(tmp_path: Path, url: str) -> None:
    demo, shop = Home(tmp_path / "demo"), Home(tmp_path / "shop")
    claim(demo, "demo", WORLD)
    claim(shop, "shop")
    (demo.root / "link").symlink_to(tmp_path)
    settings = _to(url.format(home=demo.root))
    check_destinations(settings, shop)
    with pytest.raises(UsageError, match="`post` goes somewhere else"):
        check_destinations(settings, demo)
    off = Settings(destinations={"post": settings.destinations["post"].model_copy(update=OFF)})
    check_destinations(off, demo)


OFF = {"enabled": False}


def _to(url: str) -> Settings:
    return Settings(destinations={"post": Destination(options={"url": url} if url else {})})


def test_git_ignores_the_homes_and_nothing_that_is_named_alike() -> None:
    def ignored(path: str) -> bool:
        command = ["git", "check-ignore", "-q", "--no-index", path]
        return not subprocess.run(command, cwd=REPOSITORY, check=False).returncode

    assert ignored("data/raw.parquet")
    assert ignored("demo/home.json")
    assert not ignored("ingestion/demo/world.py")
    assert not ignored("tests/ingestion/demo/test_world.py")
    assert not ignored("docs/data/page.md")
