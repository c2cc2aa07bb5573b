"""What people see in a browser: the report, and Dagster's first screens."""

from __future__ import annotations

import time

import pytest

from tests.browser.pages import CHROMIUM, base, browser, dagster, free_port, open_settled
from tests.end_to_end.conftest import DemoHome

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine"),
]


def report_address(home: DemoHome) -> str:
    return (home.root / "published" / "report.html").resolve().as_uri()


@pytest.mark.parametrize("width", [390, 768, 1280, 1440])
def test_the_report_fits_its_window_and_asks_nobody(demo_home: DemoHome, width: int) -> None:
    asked: list[str] = []
    problems: list[str] = []
    with browser(viewport={"width": width, "height": 900}) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(report_address(demo_home))
        assert page.locator("h1").inner_text()
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        scrolled = page.evaluate(
            "[...document.querySelectorAll('.scroll:has(.heat)')]"
            ".filter(each => each.scrollWidth > each.clientWidth).length"
        )
        spans = page.locator(".heat .span").all_inner_texts()
    assert overflow <= 0
    assert scrolled == 0, "the grid of recency and frequency fits its panel"
    assert any("d\N{NO-BREAK SPACE}ago" in span for span in spans), "no line ends within `d ago`"
    assert not problems
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_the_report_shows_nobodys_address(demo_home: DemoHome) -> None:
    addresses = demo_home.query("select email from marts.dim_customers where email is not null")
    text = (demo_home.root / "published" / "report.html").read_text("utf-8")
    assert not [address for (address,) in addresses if address in text]


@pytest.mark.slow
def test_dagsters_first_screens_are_useful(demo_home: DemoHome) -> None:
    started = time.monotonic()
    with dagster(demo_home.root, free_port()) as address, browser() as page:
        page.goto(address)
        open_settled(page, f"{base(address)}/asset-groups", 9000)
        graph = page.inner_text("body")
        ready = time.monotonic() - started
        open_settled(page, base(address), 6000)
        first = page.inner_text("body")
    assert "refresh" in first, "the run that the command line made stands on the timeline"
    for trouble in ("error", "Error", "failed to load", "Welcome"):
        assert trouble not in first
    for group in ("sources", "identity", "segments", "publish", "activation"):
        assert group in graph
    assert ready < 180
