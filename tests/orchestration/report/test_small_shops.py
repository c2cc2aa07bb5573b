"""Pages of shops that have little to say, built by the real models.

Belongs here: that such a shop's page is whole and says nothing false. Does not belong here: the
page of a full shop (test_report.py).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.published.candidate import build_candidate
from orchestration.report.build import build_report
from tests.dbt.marts.shop import Shop
from tests.orchestration.report.test_report import Page, assert_equal_things_are_equal
from tests.orchestration.serve.pages.test_site import FIXED, open_pages

AS_OF = dt.datetime(2026, 3, 31, 12)


@dataclass(frozen=True)
class RunDouble:
    run_id: str
    as_of: dt.datetime


def nobody(_shop: Shop) -> None:
    """An empty shop."""


def three_customers(shop: Shop) -> None:
    """Orders alone: three buyers, one of them often, and a till order of nobody known."""
    for customer, days in (("often", (300, 200, 100, 40, 3)), ("twice", (50, 20)), ("once", (9,))):
        shop.person(customer, AS_OF - dt.timedelta(days=max(days)))
        for day in days:
            shop.order(customer, AS_OF - dt.timedelta(days=day))
    shop.order(None, AS_OF - dt.timedelta(days=2))


def no_amounts(shop: Shop) -> None:
    """Twenty buyers whose orders have no rate into the shop's currency."""
    unknown = {f"{m}_shop": None for m in ("gross_sales", "discounts", "returns", "net_sales")}
    for number in range(20):
        customer = shop.person(f"buyer{number}", AS_OF - dt.timedelta(days=90))
        shop.order(
            customer,
            AS_OF - dt.timedelta(days=1 + number),
            currency="XAU",
            conversion_issue="missing_rate",
            total_sales_shop=None,
            **unknown,
        )


SHOPS: dict[str, Callable[[Shop], None]] = {
    "nobody": nobody,
    "three": three_customers,
    "no_amounts": no_amounts,
}


@dataclass(frozen=True)
class Shown:
    """What a shop's people see: the text of the report, and of `regulars serve` by address."""

    report: str
    served: dict[str, str]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    """What each shop shows."""
    root = tmp_path_factory.mktemp("small")
    found = {}
    for name, fill in SHOPS.items():
        shop = Shop(root, AS_OF)
        fill(shop)
        shop.build(tested=False)
        found[name] = Shown(page_of(root, name), served_by(Home(root)))
    return found


@pytest.fixture(scope="module")
def pages(shown: dict[str, Shown]) -> dict[str, str]:
    """The text of each shop's report."""
    return {name: each.report for name, each in shown.items()}


def served_by(home: Home) -> dict[str, str]:
    """The text at each address that has no name in it, and of one segment."""
    with open_pages(home) as clients:
        answers = {path: clients["viewer"].get(path) for path in (*FIXED, "/segments/vip")}
    for path, answer in answers.items():
        assert answer.status_code == 200, path
        missing = re.search(r"no table or column for:(.*)\. A run", answer.text)
        absent = set(re.findall(r"/sql/(\w+)", missing[1] if missing else ""))
        # The day's decision is a run's, and here are the models alone, without personas.
        assert absent <= {"today", "customers_personas"}, path
    plain = {path: re.sub(r"<[^>]+>", " ", answer.text) for path, answer in answers.items()}
    texts = {path: re.sub(r"\s+", " ", text) for path, text in plain.items()}
    assert not {"nan", "None", "null"} & set(" ".join(texts.values()).split())
    return texts


def page_of(root: Path, name: str) -> str:
    home = Home(root)
    build_candidate(home, RunDouble(name, AS_OF)).path.replace(home.published)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        assert_equal_things_are_equal(connection)
    content = build_report(home, name, "Europe/London").read_text("utf-8")
    page = Page(content)
    assert page.stack == []
    text = re.sub(r"\s+", " ", " ".join(page.text))
    assert not {"nan", "None", "null"} & set(text.split())
    return text


def test_an_empty_shop(pages: dict[str, str]) -> None:
    assert "Nobody has a kept order yet" in pages["nobody"]
    assert "Net sales, last 30 days 0 0 orders" in pages["nobody"]
    assert "Loyal from 4 orders fixed, because 0 repeats by 0 buyers are too few" in pages["nobody"]


def test_a_shop_of_three_customers(pages: dict[str, str]) -> None:
    text = pages["three"]
    assert "People not known" in text
    assert re.search(r"Purchase Ordered, fewer than 4 orders .{0,80}under 10", text)
    assert "because 5 repeats by 2 buyers are too few to tell" in text
    assert "typically" not in text, "groups of fewer than ten are not told apart"
    assert "Groups rank buyers against each other, and here are fewer than 25" in text


def test_a_shop_without_a_known_amount(pages: dict[str, str]) -> None:
    text = pages["no_amounts"]
    assert "Net sales, last 30 days – 20 orders" in text
    assert "Since the start –" in text
    assert "There are 20 orders, none of the last thirteen months with an amount known" in text
    assert re.search(
        r"Value not known .{0,70}typically 1 order, the last one \d+ days ago 20", text
    )
    assert "20 orders are left out of sums: no exchange rate is known for the day" in text
    assert "£0" not in text


def test_the_served_pages_of_an_empty_shop(shown: dict[str, Shown]) -> None:
    served = shown["nobody"].served
    assert "No segment wants anybody today." in served["/"]
    assert "Orders 0 0 in 7 days" in served["/"]
    assert "Nobody has an order yet." in served["/customer"]
    assert "Nobody at the moment." in served["/segments/vip"]
    assert "Nothing was ever sent." in served["/health"]


def test_the_served_pages_of_a_shop_with_orders_alone(shown: dict[str, Shown]) -> None:
    served = shown["three"].served
    assert "Orders 0 2 in 7 days" in served["/"]
    assert re.search(r"The best customers .{0,200} 5 ", served["/customer"])
    assert "1 order belongs to nobody known" in served["/health"]


def test_the_served_pages_of_a_shop_without_a_known_amount(shown: dict[str, Shown]) -> None:
    assert "Net sales £0 – in 7 days" in shown["no_amounts"].served["/"]
