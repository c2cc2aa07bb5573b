"""The page and the script of docs/onsite.md, in Chromium, on a page of another origin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ingestion.config import REPOSITORY, Destination, Settings
from ingestion.demo.servers import served
from orchestration.destinations.base import Audience, Batch
from orchestration.home.layout import Home
from orchestration.ops.store import Store, open_store
from orchestration.serve.feed.app import SCRIPT, SCRIPT_SECONDS, Feeds
from orchestration.serve.webhooks.app import Webhooks
from tests.browser.pages import CHROMIUM, browser
from tests.orchestration.serve.feed.test_feed import ANN, BO, NOW, OPTIONS, Shop, row

SETTLED = 200  # milliseconds from the answer to what the page makes of it
PAGE = (REPOSITORY / "docs" / "onsite.md").read_text("utf-8")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]


@dataclass
class Site:
    """A page of the shop with what the documentation says, and the feed elsewhere."""

    store: Store
    home: Home
    is_allowed: bool
    html: str = ""
    address: str = field(default="", init=False)

    async def page(self, _: Any) -> HTMLResponse:
        return HTMLResponse(self.html)


@contextmanager
def _site(home: Home, store: Store, *, is_allowed: bool) -> Iterator[Site]:
    site = Site(store, home, is_allowed)
    with served(Starlette(routes=[Route("/", site.page)])) as address:
        site.address = address
        origins = [address] if is_allowed else ["https://other.example"]
        chosen = {"site": Destination(kind="onsite", options={**OPTIONS, "origins": origins})}
        settings = Settings(destinations=chosen)
        with closing(Feeds(home, settings, store, lambda: NOW)) as feeds:
            app = Webhooks(home, settings).app(feeds.routes())
            with served(app) as feed:
                (snippet,) = re.findall(r"```html\n(.*?)```", PAGE, re.DOTALL)
                site.html = snippet.replace("https://hooks.shop.example", feed)
                assert feed in site.html
                yield site


def _open(page: Any, site: Site, anonymous_id: str) -> None:
    """Open the page as this browser, and wait for what it makes of the answer."""
    page.add_init_script(f"localStorage.setItem('anonymous_id', '{anonymous_id}')")
    ended = "response" if site.is_allowed else "requestfailed"
    with page.expect_event(ended, lambda event: f"device={anonymous_id}" in event.url):
        page.goto(site.address)
    page.wait_for_timeout(SETTLED)


def _shown(page: Any, site: Site, anonymous_id: str) -> tuple[str, bool]:
    """What the slot shows once the feed was asked, and whether the opt-out is told."""
    _open(page, site, anonymous_id)
    slot = page.locator("[data-slot=hero] > [data-key]:visible").all_inner_texts()
    return "|".join(slot), page.locator("[data-opt-out]").is_visible()


def _seen(page: Any) -> str:
    """All that the page shows, on one line."""
    return " ".join(page.inner_text("body").split())


EVERYBODYS = "For everybody"
MEMBERS = (
    "Thank you for coming back Your orders are in your account. The club is open to you"
    " For you Blue cup Tray <i>large</i>"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.delenv("REGULARS_OPS_URL", raising=False)
    return Home(tmp_path / "home").create()


def test_a_page_of_the_shop_shows_each_visitor_theirs(home: Home) -> None:
    with open_store(home) as store, browser() as page:
        shop = Shop(home, store)
        shop.sync(row("ann", ANN))
        shop.refuse(BO, "sell_share", "ads")
        with _site(home, store, is_allowed=True) as site:
            assert _shown(page, site, ANN) == ("Thank you for coming back", False)
            assert _shown(page, site, BO) == ("For everybody", True)
            shop.refuse(ANN, "personalisation")
            assert _shown(page, site, ANN) == ("For everybody", False)
            shop.destination.path.unlink()
            assert _shown(page, site, ANN) == ("For everybody", False)
        shop.feeds.close()


def test_a_page_of_another_site_learns_nothing(home: Home) -> None:
    with open_store(home) as store, browser() as page:
        shop = Shop(home, store)
        shop.sync(row("ann", ANN))
        with _site(home, store, is_allowed=False) as site:
            assert _shown(page, site, ANN) == ("For everybody", False)
        shop.feeds.close()


def _recommended(name: str, device: str, stage: str = "purchase") -> Any:
    """A member with products that go with the browser's latest visit, one of another shop."""
    products = [{"kind": "also_viewed", "product_id": each} for each in ("8021", "7730", "gone")]
    shown = json.dumps({"visits": {device: products}})
    member = row(name, device)
    return replace(member, payload={**member.payload, "stage": stage, "recommendations": shown})


def test_banners_products_and_landing_page_of_whoever_is_known_and_nothing_of_others(
    home: Home,
) -> None:
    with open_store(home) as store, browser() as page:
        shop = Shop(home, store)
        shop.sync(_recommended("ann", ANN))
        sent: dict[str, Any] = {}
        page.on("request", lambda request: sent.update({request.url: request}))
        with _site(home, store, is_allowed=True) as site:
            _open(page, site, ANN)
            assert _seen(page) == MEMBERS, "HTML in a product's name is text"
            assert page.locator("section a").first.get_attribute("href") == "/products/8021"
            assert page.context.cookies() == []
            assert page.evaluate("Object.keys(localStorage)") == ["anonymous_id"]
            (asked,) = [url for url in sent if "/feed/site" in url]
            assert asked.partition("?")[2] == f"device={ANN}"
            headers = sent[asked].all_headers()
            assert not {"cookie", "referer", "authorization"} & set(headers)
            shop.refuse(ANN, "personalisation")
            _open(page, site, ANN)
            assert _seen(page) == EVERYBODYS
            _open(page, site, "browser-of-nobody-01")
            assert _seen(page) == EVERYBODYS, "an empty feed shows nothing"
        shop.feeds.close()


def test_a_prompt_to_sign_up_is_for_the_segment_that_it_names(home: Home) -> None:
    with open_store(home) as store, browser() as page:
        shop = Shop(home, store)
        newcomer = _recommended("bo", BO, "awareness")
        shop.destination.deliver(Batch("run1", "first_time_visitors", 1, NOW, (), (newcomer,)))
        audience = Audience("run1", "first_time_visitors", NOW, (), [newcomer.payload])
        shop.destination.finish(audience)
        with _site(home, store, is_allowed=True) as site:
            _open(page, site, BO)
            seen = _seen(page)
            assert page.locator("form").is_visible()
        assert "New here? Returns are free." in seen
        assert "Your orders" not in seen
        shop.feeds.close()


def test_a_page_without_an_anonymous_id_asks_nothing(home: Home) -> None:
    with open_store(home) as store, browser() as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        with _site(home, store, is_allowed=True) as site:
            page.goto(site.address)
            page.wait_for_timeout(SETTLED)
            assert _seen(page) == EVERYBODYS
        assert [url for url in asked if "/feed/site" in url] == []


def test_the_script_is_small_and_kept_by_the_browser(home: Home) -> None:
    assert SCRIPT.stat().st_size <= 2048
    with open_store(home) as store, _site(home, store, is_allowed=True) as site:
        (address,) = re.findall(r'src="([^"]+)"', site.html)
        answer = httpx.get(address, trust_env=False)
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == f"max-age={SCRIPT_SECONDS}"
        assert "set-cookie" not in answer.headers
        assert httpx.post(address, trust_env=False).status_code == 405
        feed = httpx.get(
            address.replace("onsite.js", "site"), params={"device": ANN}, trust_env=False
        )
        assert feed.headers["cache-control"] == "no-store"
