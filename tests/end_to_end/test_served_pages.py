"""The pages of `regulars serve` on a whole shop: no table missing, one figure everywhere."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.report.figures import read_build, read_rfm_groups
from orchestration.report.segments import read_segments
from orchestration.report.today import read_today
from orchestration.serve.guard import VIEWER
from orchestration.serve.pages.queries import ask
from orchestration.serve.pages.server import Setup, pages_beside
from orchestration.serve.pages.site import PAGES
from orchestration.serve.pages.today import together
from tests.browser.pages import CHROMIUM, accessibility_faults, browser
from tests.end_to_end.conftest import DemoHome

LAST_CAMPAIGN = """
select campaign from marts.rpt_sender_claims where claimed_orders > 0 and campaign is not null
order by report_date desc, claimed_value desc, campaign limit 1
"""
AUDITED = ((1280, "light"), (360, "dark"))  # contrast in both, what folds on a phone in one
BEST = """
select customer_id from marts.dim_customers where email is not null
order by lifetime_net_sales desc nulls last, customer_id limit 1
"""


@dataclass
class Served:
    """The pages of a demo, and whom to look at."""

    home: Home
    address: str
    customer_id: str

    @property
    def base(self) -> str:
        return self.address.partition("/?")[0]

    @property
    def paths(self) -> list[str]:
        """Every address, with something in place of each name; no plans."""
        named = {"segment": "one_time_buyers", "customer_id": self.customer_id, "name": "today"}
        all_paths = [view.path for page in PAGES for view in page.views]
        slow = [path for path in all_paths if path.startswith("/plans/")]
        return [path.format(**named) for path in all_paths if path not in slow]


@pytest.fixture(scope="module")
def served(demo_home: DemoHome) -> Iterator[Served]:
    home = Home(demo_home.root)
    ((best,),) = demo_home.query(BEST)
    listener = socket.create_server(("127.0.0.1", 0))
    with pages_beside(home, Settings(), Setup(listener), lambda _: None) as addresses:
        yield Served(home, addresses[VIEWER], best)


def test_every_page_has_all_its_tables_and_says_no_none(served: Served) -> None:
    with httpx.Client(base_url=served.base, trust_env=False, timeout=60) as client:
        client.get(served.address)
        for path in served.paths:
            answer = client.get(path)
            assert answer.status_code == 200, path
            assert "no table or column" not in answer.text, path
            assert not {"None", "nan", "null"} & set(answer.text.replace("<", " ").split()), path


def test_the_figures_are_those_of_the_report(served: Served) -> None:
    with open_published(served.home) as connection:
        build = read_build(connection)
        today = {
            (each.segment, each.channel): (each.goes, each.waits, dict(each.reasons))
            for each in read_today(connection)
        }
        wanted = {
            (each.segment, each.channel): (each.goes, each.waits, dict(each.reasons))
            for each in together(ask(connection, "today") or [])
        }
        sizes = {each.name: each.size for each in read_segments(connection, build)}
        rows = ask(connection, "segments", as_of=build.as_of) or []
        reach = {
            each.name: each.reachable
            for each in read_segments(connection, build)
            if not each.is_few
        }
        groups = {
            each.name or "unknown": (each.people, each.value, each.order_count, each.recency_days)
            for each in read_rfm_groups(connection)
        }
        shown = ("people", "net_sales", "orders", "days")
        scored = {
            row["rfm_segment"]: tuple(row[name] for name in shown)
            for row in ask(connection, "customers_groups") or []
            if row["people"]
        }
    assert today
    assert wanted == today
    assert scored == groups
    assert {row["segment"]: row["people"] for row in rows} == sizes
    assert {row["segment"]: row["reach"] for row in rows if row["segment"] in reach} == reach


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_no_page_scrolls_sideways_and_axe_finds_no_fault(
    served: Served, width: int, scheme: str
) -> None:
    problems: list[str] = []
    with browser(viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(served.address)
        for path in served.paths:
            page.goto(f"{served.base}{path}")
            assert page.locator("h1").inner_text()
            over = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(over) <= 0, path
            if (width, scheme) in AUDITED:
                assert accessibility_faults(page) == [], path
            dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (dark == "rgb(19, 23, 22)") == (scheme == "dark")
    assert problems == [], "the policy refuses nothing that a page asks for"


@dataclass
class Marketer:
    """Somebody who begins each question on the first page and answers it by clicking."""

    page: Any
    served: Served
    clicks: int = 0

    def ask(self) -> None:
        self.page.goto(f"{self.served.base}/")
        self.clicks = 0

    def click(self, role: str, name: str) -> None:
        self.press(self.page.get_by_role(role, name=name, exact=True))

    def press(self, locator: Any) -> None:
        self.clicks += 1
        assert self.clicks <= 2
        locator.first.click()

    def reads(self, heading: str, *words: str) -> str:
        """The panel below a heading, which says these words."""
        panel = self.page.locator("section", has=self.page.get_by_role("heading", name=heading))
        text = panel.first.inner_text()
        for word in words:
            assert word in text, heading
        return str(text)


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")
def test_a_marketer_answers_six_questions_in_two_clicks_each(
    served: Served, demo_home: DemoHome
) -> None:
    with browser() as page, closing(page.context):
        page.goto(served.address)
        marketer = Marketer(page, served)

        marketer.ask()  # who are the best customers?
        marketer.click("link", "A customer")
        marketer.reads("The best customers", "Net sales to date")
        marketer.press(page.locator("table.members a"))
        marketer.reads("What they are worth", "orders", "Expected in a year")

        marketer.ask()  # who is leaving?
        marketer.click("link", "Segments")
        marketer.click("link", "At risk")
        assert page.locator("table.members tbody tr").count() > 0
        marketer.reads("Who, and why", "Why they are here")

        marketer.ask()  # to whom do we write today?
        row = page.locator("section[aria-labelledby=who-gets] tbody tr").first
        assert int(row.locator("td.num").first.inner_text()) > 0
        marketer.press(row.get_by_role("link"))
        marketer.reads("Who, and why", "Why they are here")

        marketer.ask()  # whom can we reach?
        marketer.click("link", "Segments")
        page.get_by_role("columnheader", name="Reach", exact=True).wait_for()
        marketer.click("link", "One-time buyers")
        marketer.reads("Reach for marketing", "Email", "Not by Email")

        marketer.ask()  # what did the last campaign bring?
        marketer.click("link", "What works")
        claims = marketer.reads("What the sender of messages claims", "Credited", "Last claimed")
        ((last,),) = demo_home.query(LAST_CAMPAIGN)
        assert last in claims

        marketer.ask()  # who is this person?
        page.get_by_role("searchbox").fill(served.customer_id)
        marketer.click("button", "Find")
        page.wait_for_url(f"**/customer/{served.customer_id}")
        marketer.reads("Who it is, and how that is known", "Email")
