"""Approving on the page sends exactly the plan that a person saw, and only where they ask on it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from ingestion.config import Destination, Settings
from orchestration.activation import delivery
from orchestration.activation.code_effect import CodeEffect
from orchestration.home import lock
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.runs import SUCCEEDED, Run, finish_run, start_run
from orchestration.ops.store import open_store
from orchestration.serve.guard import EDITOR, VIEWER
from orchestration.serve.pages import server
from orchestration.serve.pages.plans import APPROVE
from orchestration.words.codes import REASONS
from tests.browser.pages import CHROMIUM, browser
from tests.locks import held_elsewhere
from tests.orchestration.activation.shop import NOW, Receiver, Shop

ADDRESS = "canary-4711@example.com"
PLAN = "/plans/vip/receiver"


@dataclass
class Place:
    """A shop with one person to add and one who is held back, its page, and what was received."""

    home: Home
    receiver: Receiver
    addresses: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return self.addresses[EDITOR].partition("/?")[0]

    def publish(self, *more: str) -> None:
        """Publish the two, and these permitted people."""
        with open_store(self.home) as store:
            shop = Shop(self.home, store)
            shop.add_permitted("c1", ADDRESS)
            shop.add("c2", "nobody-asked@example.com")
            for name in more:
                shop.add_permitted(name, f"{name}@example.com")
            shop.publish()

    @contextmanager
    def inside(self, role: str = EDITOR) -> Iterator[httpx.Client]:
        """Somebody who opened a printed address."""
        with httpx.Client(base_url=self.origin, trust_env=False, follow_redirects=True) as client:
            assert client.get(self.addresses[role]).status_code == 200
            yield client

    def form(self, client: httpx.Client) -> dict[str, str]:
        """The form of the one plan that the page shows."""
        page = client.get(PLAN).text
        return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))

    def post(
        self, client: httpx.Client, form: dict[str, str], origin: str | None = None
    ) -> httpx.Response:
        return client.post(APPROVE, data=form, headers={"Origin": origin or self.origin})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(Home(tmp_path / "home"), Receiver())
    claim(place.home, "shop")
    settings = Settings(destinations={"receiver": Destination()})
    monkeypatch.setattr(delivery, "load_settings", lambda: settings)
    for name in ("check_settings", "check_destinations"):
        monkeypatch.setattr(delivery, name, lambda *_: None)
    monkeypatch.setattr(delivery, "open_destination", lambda *_: place.receiver)
    with open_store(place.home) as store:
        start_run(store, Run("run1", NOW, "test"), started_at=NOW)
        finish_run(store, "run1", SUCCEEDED, finished_at=NOW)
    place.publish()
    listener = socket.create_server(("127.0.0.1", 0))
    there = server.Setup(listener, "Ada")
    with server.pages_beside(place.home, settings, there, lambda _: None) as place.addresses:
        yield place


def test_the_page_shows_the_plan_and_nobodys_address(place: Place) -> None:
    with place.inside() as client:
        for path in ("/plans", "/plans/waiting"):
            assert 'href="/plans/vip/receiver"' in client.get(path).text
        page = client.get(PLAN).text
        form = place.form(client)
    (plan,) = delivery.plan_all(place.home, None, None).plans
    assert form["plan_hash"] == plan.plan_hash
    assert "1 added, 0 updated, 0 removed" in page
    assert f"Held back: 1 {REASONS['no_consent']}." in page
    assert "c1" in page
    assert "example.com" not in page
    assert place.receiver.calls == 0


def test_the_page_shows_what_changed_code_makes_of_the_plan(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with place.inside() as client:
        assert "changed code" not in client.get(PLAN).text, "the code is as it was"
        parts = ((1, 0, 0), (3, 0, 2), (0, 0, 0))  # by data, by code, kept back
        operations = ("added", "updated", "removed")
        effect = CodeEffect(*(dict(zip(operations, part, strict=True)) for part in parts))
        pair = ("vip", "receiver")
        monkeypatch.setattr(delivery, "_code_effects", lambda *_: {pair: effect})
        page = " ".join(re.sub(r"<[^>]+>", " ", client.get(PLAN).text).split())
    assert "By changed data +1 By changed code of the segment +3 -2" in page
    assert "Kept back by changed code nobody" in page


def test_approving_sends_exactly_this_and_keeps_who_said_so(place: Place) -> None:
    with place.inside() as client:
        answer = place.post(client, place.form(client))
        assert (answer.status_code, "1 added" in answer.text) == (200, True)
        for path in (PLAN, "/plans/waiting"):
            assert "There is nothing to send." in client.get(path).text
    assert set(place.receiver.members) == {"c1"}
    with open_store(place.home) as store, store.read() as connection:
        approved = connection.execute(select(schema.approvals.c.approved_by)).scalars().all()
    assert approved == ["Ada"]


def test_an_approval_is_refused_after_the_data_changed(place: Place) -> None:
    with place.inside() as client:
        form = place.form(client)
        place.publish("c3")
        answer = place.post(client, form)
        assert answer.status_code == 409
        assert "has changed since" in answer.text
        assert place.receiver.calls == 0
        assert place.post(client, place.form(client)).status_code == 200
    assert set(place.receiver.members) == {"c1", "c3"}


@pytest.mark.parametrize(
    "change", [{"secret": "x"}, {"secret": ""}, {"extra": "1"}, {"plan_hash": "*"}]
)
def test_a_form_that_is_not_of_the_page_sends_nothing(place: Place, change: dict[str, str]) -> None:
    with place.inside() as client:
        assert place.post(client, place.form(client) | change).status_code in (400, 403)
    assert place.receiver.calls == 0


def test_another_page_another_name_and_another_way_send_nothing(place: Place) -> None:
    with place.inside() as client:
        form = place.form(client)
        assert place.post(client, form, "https://evil.example").status_code == 403
        assert place.post(client, form, "null").status_code == 403
        assert client.post(APPROVE, data=form).status_code == 403, "no Origin"
        here = {"Origin": place.origin}
        assert client.post(APPROVE, json=form, headers=here).status_code == 415
        assert client.get(APPROVE, params=form).status_code == 405
        assert client.post("/", data=form, headers=here).status_code == 405
        foreign = {**here, "Host": "shop.example"}
        assert client.post(APPROVE, data=form, headers=foreign).status_code == 403
        big = form | {"segment": "s" * 5000}
        assert place.post(client, big).status_code == 413
    with httpx.Client(base_url=place.origin, trust_env=False) as stranger:
        assert stranger.get("/").status_code == 401
        assert place.post(stranger, form).status_code == 401
    assert place.receiver.calls == 0


def test_a_viewer_looks_and_sends_nothing(place: Place) -> None:
    with place.inside() as editor:
        form = place.form(editor)
    with place.inside(VIEWER) as viewer:
        page = viewer.get(PLAN).text
        assert form["plan_hash"] in page
        assert "<form method" not in page
        assert place.post(viewer, form).status_code == 403
        assert viewer.get(place.addresses[EDITOR]).status_code == 200
        assert place.post(viewer, form).status_code == 200, "who opens the other address may"
    assert set(place.receiver.members) == {"c1"}


def test_a_busy_home_and_a_lost_destination_are_one_sentence(place: Place) -> None:
    with place.inside() as client:
        form = place.form(client)
        with held_elsewhere(place.home.lock):
            assert lock.is_busy(place.home.lock)
            assert place.post(client, form).status_code == 503
        place.receiver.answers = [RuntimeError("no")]
        answer = place.post(client, form)
        assert answer.status_code == 500
        assert "Not done" in answer.text
        assert place.receiver.members == {}
        assert place.post(client, form).status_code == 200, "the rest of the approved plan"
    assert set(place.receiver.members) == {"c1"}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_a_person_approves_in_a_browser(place: Place, tmp_path: Path) -> None:
    with browser(viewport={"width": 900, "height": 700}) as page:
        page.goto(place.addresses[EDITOR])
        page.get_by_role("link", name="Plans", exact=True).click()
        page.get_by_role("link", name="Make its plan").click()
        page.get_by_text("Who").click()
        page.screenshot(path=tmp_path / "plans.png")
        page.get_by_role("button", name="Approve and send 1").click()
        page.get_by_role("heading", name="Sent").wait_for()
        page.get_by_role("link", name="All plans").click()
        page.get_by_role("link", name="Make its plan").click()
        page.get_by_text("There is nothing to send.").wait_for()
    assert set(place.receiver.members) == {"c1"}
