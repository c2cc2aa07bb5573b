"""The part for a page in docs/channels/onsite.md, in Chromium, on a page of another origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ingestion.config import REPOSITORY, Destination, Settings
from ingestion.demo.servers import served
from orchestration.home.layout import Home
from orchestration.ops.store import Store, open_store
from orchestration.serve.feed.app import Feeds
from orchestration.serve.webhooks.app import Webhooks
from tests.browser.pages import CHROMIUM, browser
from tests.orchestration.serve.feed.test_feed import ANN, BO, NOW, OPTIONS, Shop, row

SETTLED = 200  # milliseconds from the answer to what the page makes of it
PAGE = (REPOSITORY / "docs" / "channels" / "onsite.md").read_text("utf-8")
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


def _shown(page: Any, site: Site, anonymous_id: str) -> tuple[str, bool]:
    """What the slot shows once the feed was asked, and whether the opt-out is told."""
    page.add_init_script(f"localStorage.setItem('anonymous_id', '{anonymous_id}')")
    ended = "response" if site.is_allowed else "requestfailed"
    with page.expect_event(ended, lambda event: f"device={anonymous_id}" in event.url):
        page.goto(site.address)
    page.wait_for_timeout(SETTLED)
    slot = page.locator("[data-slot=hero] > [data-key]:visible").all_inner_texts()
    return "|".join(slot), page.locator("#opt-out").is_visible()


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
