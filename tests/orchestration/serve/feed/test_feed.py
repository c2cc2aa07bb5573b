"""The feed as browsers and the shop's own server ask it, and all that is no such question."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import pytest
from starlette.applications import Starlette

from ingestion.config import Destination, Settings
from ingestion.errors import UsageError
from orchestration.destinations.base import Audience, Batch, Identifiers, Row
from orchestration.destinations.onsite import OnsiteDestination, create
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import Store, open_store
from orchestration.serve.feed.answers import NOBODY
from orchestration.serve.feed.app import LONGEST, Feeds

NOW = datetime(2026, 11, 29, 12)
ORIGIN = "https://shop.example"
SECRET = "s" * 32
ANN, BO = "browser-of-ann-00001", "browser-of-bo-000001"
OPTIONS: dict[str, Any] = {
    "origins": [ORIGIN],
    "requests_per_second": 50,
    "content": [{"segment": "vip", "landing_page": "club", "slots": {"hero": "thanks"}}],
}


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Shop:
    """A home with a feed that has Ann, who is a member of `vip`."""

    home: Home
    store: Store
    at: datetime = NOW
    seconds: float = 0.0
    feeds: Feeds = field(init=False)
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        chosen = {"site": Destination(kind="onsite", options=OPTIONS), "file": Destination()}
        settings = Settings(destinations=chosen)
        clock, seconds = (lambda: self.at), (lambda: self.seconds)
        self.feeds = Feeds(self.home, settings, self.store, clock, seconds)
        self.app = Starlette(routes=self.feeds.routes())

    @property
    def destination(self) -> OnsiteDestination:
        return create("site", OPTIONS, self.home)

    def sync(self, *rows: Row) -> None:
        self.destination.deliver(Batch("run1", "vip", 1, NOW, (), rows))
        members = [row.payload for row in rows if row.operation != "removed"]
        self.destination.finish(Audience("run1", "vip", NOW, (), members))

    def ask(self, query: str = f"device={ANN}", method: str = "GET", **headers: str) -> Answer:
        self.seconds += 1
        said = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.call("/feed/site", query, method, said)

    def call(
        self, path: str, query: str, method: str = "GET", headers: dict[str, str] | None = None
    ) -> Answer:
        """The question exactly as it is written here."""
        scope = {
            "type": "http", "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "server": ("127.0.0.1", 3100), "client": ("127.0.0.1", 50_000),
            "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        }  # fmt: skip
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        asyncio.run(self.app(scope, receive, send))
        start, *bodies = messages
        names = {name.decode(): value.decode() for name, value in start["headers"]}
        text = b"".join(each.get("body", b"") for each in bodies).decode()
        return Answer(start["status"], names, text)

    def told(self, query: str = f"device={ANN}", **headers: str) -> dict[str, Any]:
        answer = self.ask(query, **headers)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def refuse(self, value: str, purpose: str, channel: str = "onsite") -> None:
        event = ConsentEvent(
            *("device", value, channel, purpose),
            status="denied", occurred_at=NOW, source="banner",
        )  # fmt: skip
        record_consents(self.store, [event], recorded_at=NOW)


def row(name: str, device: str, operation: Any = "added") -> Row:
    devices = json.dumps({device: "mobile"})
    payload = {"customer_id": name, "login": f"{name}@example.com", "devices": devices}
    return Row(f"key-{name}", name, 1, operation, {**payload, "stage": "purchase"})


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setenv("REGULARS_FEED_SECRET", SECRET)
    monkeypatch.delenv("REGULARS_OPS_URL", raising=False)
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        shop = Shop(home, store)
        shop.sync(row("ann", ANN))
        with closing(shop.feeds):
            yield shop


def test_a_browser_is_told_what_its_visitor_may_be_shown(shop: Shop) -> None:
    answer = shop.ask(origin=ORIGIN)
    assert answer.json() == {
        **NOBODY,
        "stage": "purchase",
        "segments": ["vip"],
        "slots": {"hero": "thanks"},
        "landing_page": "club",
        "device_type": "mobile",
        "refreshed_at": "2026-11-29T12:00:00Z",
    }
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["vary"] == "Origin"
    assert "access-control-allow-credentials" not in answer.headers


def declare(home: Home, *segments: tuple[str, str | None, str]) -> None:
    """Publish a file whose segments say what the site shows, in order of priority."""
    following = home.published.with_suffix(".next")
    with duckdb.connect(str(following)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.dim_segments"
            " (segment varchar, priority integer, landing_page varchar, slots varchar)"
        )
        for priority, (segment, page, slots) in enumerate(segments):
            connection.execute(
                "insert into marts.dim_segments values (?, ?, ?, ?)",
                [segment, priority, page, slots],
            )
    following.replace(home.published)


def test_what_a_segments_own_file_says_is_shown_after_what_the_settings_say(shop: Shop) -> None:
    shop.destination.deliver(Batch("run2", "loyal", 1, NOW, (), [row("ann", ANN)]))
    shop.destination.finish(Audience("run2", "loyal", NOW, (), [row("ann", ANN).payload]))
    declare(
        shop.home,
        ("loyal", "points", '{"hero": "loyal", "footer": "points"}'),
        ("vip", "never", '{"footer": "card", "banner": "vip"}'),
        ("nobody", None, '{"overlay": "never"}'),
    )
    shown = shop.told()
    assert shown["slots"] == {"banner": "vip", "footer": "points", "hero": "thanks"}
    assert shown["landing_page"] == "club"
    declare(shop.home, ("loyal", None, '{"footer": "other"}'))
    assert shop.told()["slots"] == {"footer": "other", "hero": "thanks"}
    shop.refuse(ANN, "personalisation")
    assert shop.told()["slots"] == {}


def test_a_published_file_that_says_nothing_or_is_damaged_takes_nothing_away(shop: Shop) -> None:
    with duckdb.connect(str(shop.home.published)) as connection:  # of an earlier version
        connection.execute("create schema marts; create table marts.dim_segments (segment varchar)")
    assert shop.told()["slots"] == {"hero": "thanks"}
    shop.home.published.write_bytes(b"no such file")
    assert shop.told()["slots"] == {"hero": "thanks"}


def test_whoever_is_not_known_gets_the_same_shape(shop: Shop) -> None:
    nobody = {**NOBODY, "refreshed_at": "2026-11-29T12:00:00Z"}
    for query in (f"device={BO}", "device=short", f"device={'x' * LONGEST}", f"device={ANN}%20x"):
        assert shop.told(query) == nobody
    assert list(nobody) == list(shop.told())


@pytest.mark.parametrize("kind", ["login", "customer_id"])
def test_a_persons_own_id_takes_the_secret(shop: Shop, kind: str) -> None:
    query = f"{kind}={'ann%40example.com' if kind == 'login' else 'ann'}"
    assert shop.ask(query).status_code == 401
    assert shop.ask(query, authorization=f"Bearer {SECRET}x").status_code == 401
    assert shop.ask(query, authorization=f"Basic {SECRET}").status_code == 401
    assert shop.ask(query, authorization=f"Bearer {SECRET}", origin=ORIGIN).status_code == 403
    assert shop.told(query, authorization=f"Bearer {SECRET}")["segments"] == ["vip"]


def test_an_id_that_can_be_guessed_takes_the_secret(shop: Shop) -> None:
    shop.sync(row("ann", "4711"))
    assert shop.told("device=4711")["segments"] == []
    assert shop.told("device=4711", authorization=f"Bearer {SECRET}")["segments"] == ["vip"]


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_a_long_secret_nobody_has_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("REGULARS_FEED_SECRET", secret)
    assert shop.ask("customer_id=ann", authorization=f"Bearer {secret}").status_code == 503
    assert shop.ask("customer_id=ann").status_code == 401
    assert "not set" in dict(shop.feeds.states())["site"]


def test_a_refusal_holds_from_the_next_question_on(shop: Shop) -> None:
    assert shop.told()["segments"] == ["vip"]
    shop.refuse(ANN, "personalisation")
    told = shop.told()
    assert told["opt_out"] == {"personalisation": True, "ads": False, "sell_share": False}
    assert {**told, "opt_out": NOBODY["opt_out"], "refreshed_at": None} == NOBODY


def test_the_opt_out_state_is_told_to_whoever_is_in_nothing(shop: Shop) -> None:
    shop.refuse(BO, "sell_share", "ads")
    shop.destination.show_refusals({("login", "bo"): frozenset({"ads"})})
    assert shop.told(f"device={BO}")["opt_out"]["sell_share"] is True
    told = shop.told("login=bo", authorization=f"Bearer {SECRET}")
    assert told["opt_out"] == {"personalisation": False, "ads": True, "sell_share": False}


def test_the_signal_of_a_browser_is_told_back_at_once(shop: Shop) -> None:
    told = shop.told(sec_gpc="1")
    assert told["opt_out"] == {"personalisation": False, "ads": True, "sell_share": True}
    assert told["segments"] == ["vip"]
    assert not any(shop.told(sec_gpc="0")["opt_out"].values())


def test_the_forgotten_are_gone_at_once(shop: Shop) -> None:
    shop.told()
    shop.destination.erase([Identifiers("one", {"device": (ANN,)})])
    assert shop.told()["segments"] == []


def test_what_is_old_is_told_to_nobody(shop: Shop) -> None:
    shop.at = NOW + timedelta(hours=73)
    assert shop.told()["segments"] == []


@pytest.mark.parametrize("origin", ["https://shop.example.org", "null", "http://shop.example"])
def test_pages_of_another_site_may_not_ask(shop: Shop, origin: str) -> None:
    for method in ("GET", "OPTIONS"):
        answer = shop.ask(method=method, origin=origin)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers


def test_a_page_is_told_beforehand_that_it_may_ask(shop: Shop) -> None:
    answer = shop.ask(method="OPTIONS", origin=ORIGIN, access_control_request_method="GET")
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET"
    assert "access-control-allow-headers" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD"])
def test_no_other_method_is_answered(shop: Shop, method: str) -> None:
    answer = shop.ask(method=method)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, OPTIONS")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "device=",
        f"device={'x' * (LONGEST + 1)}",
        f"device={ANN}&device={BO}",
        f"device={ANN}&login=ann",
        "email=ann@example.com",
        f"DEVICE={ANN}",
        "device=%ff%fe",
        "device=%zz",
        "device=%",
        f"device={'%41' * 1000}",
        f"device[]={ANN}",
        "segment=vip",
    ],
)
def test_what_is_no_question_is_said_without_repeating_it(shop: Shop, query: str) -> None:
    answer = shop.ask(query)
    assert answer.status_code == 400
    assert ANN not in answer.text and "example.com" not in answer.text


@pytest.mark.parametrize(
    "value",
    ["%00" + ANN, ANN + "%0d%0aX-Y:%20z", "'%20or%201%3D1%20--%20xxxxxx", "%F0%9F%98%80" * 20],
)
def test_odd_ids_are_ids_of_nobody(shop: Shop, value: str) -> None:
    assert shop.told(f"device={value}")["segments"] == []


def test_there_is_no_list_and_no_other_feed(shop: Shop) -> None:
    for path in ("/feed", "/feed/", "/feed/file", "/feed/site/", "/feed/..%2Fsite"):
        assert shop.call(path, f"device={ANN}").status_code == 404


def test_a_flood_is_turned_away_and_ends(shop: Shop) -> None:
    statuses = [shop.call("/feed/site", f"device={ANN}").status_code for _ in range(60)]
    assert statuses.count(200) == 50 and statuses[-1] == 429
    shop.seconds += 1
    assert shop.call("/feed/site", f"device={ANN}").status_code == 200


def _damage(path: Path) -> None:
    for beside in path.parent.glob("site.sqlite-*"):
        beside.unlink()
    path.with_suffix(".new").write_bytes(b"no database" * 1000)
    path.with_suffix(".new").replace(path)


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 99")


@pytest.mark.parametrize("harm", [Path.unlink, _damage, _newer])
@pytest.mark.parametrize("is_open", [True, False])
def test_a_file_that_cannot_be_read_is_told_as_nobody_and_not_as_fine(
    shop: Shop, harm: Any, is_open: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if is_open:
        shop.told()
    harm(shop.destination.path)
    for _ in range(3):
        answer = shop.ask(origin=ORIGIN)
        assert (answer.status_code, answer.json()) == (503, NOBODY)
        assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert [ANN in each.getMessage() for each in caplog.records] == [False]


def test_permission_facts_that_cannot_be_read_tell_nothing(shop: Shop) -> None:
    with shop.store.write() as connection:
        connection.exec_driver_sql("drop table suppressions")
    answer = shop.ask()
    assert (answer.status_code, answer.json()) == (503, NOBODY)


def test_it_waits_for_nobody_who_writes(shop: Shop) -> None:
    """A sync holds the store's write lock for each batch, and the file's while it writes."""
    with closing(sqlite3.connect(shop.destination.path, isolation_level=None)) as feed:
        feed.execute("begin immediate")
        feed.execute("delete from entries")
        with shop.store.write() as connection:
            connection.exec_driver_sql("delete from suppressions")
            done: list[dict[str, Any]] = []
            asking = threading.Thread(target=lambda: done.append(shop.told()), daemon=True)
            asking.start()
            asking.join(5)
            assert [each["segments"] for each in done] == [["vip"]]
        feed.execute("rollback")


def test_wrong_options_are_named(shop: Shop) -> None:
    wrong = Settings(destinations={"site": Destination(kind="onsite", options={"origin": "x"})})
    with pytest.raises(UsageError, match="origin"):
        Feeds(shop.home, wrong, shop.store, lambda: NOW)
