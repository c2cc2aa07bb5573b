"""Shops in other currencies, time zones, countries and alphabets: days, money, phones, the report.

`make test` builds each from raw rows by dbt alone; `make soak` also runs each whole from files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.home.layout import Home
from orchestration.published.candidate import build_candidate
from orchestration.report.build import build_report
from tests.end_to_end.conftest import REPOSITORY, Regulars
from tests.end_to_end.countries import (
    AS_OF,
    COUNTRIES,
    PEOPLE,
    Country,
    people_of,
    write_files,
)

pytestmark = pytest.mark.faults  # whole runs, a country each

SOAK = pytest.mark.skipif(not os.environ.get("REGULARS_SOAK"), reason="whole runs, in `make soak`")


@dataclass(frozen=True)
class RunFacts:
    run_id: str
    as_of: datetime


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home per country, modelled; dbt is started and reads the project once for all of them."""
    folder = tmp_path_factory.mktemp("countries")
    command = [sys.executable, "-m", "tests.end_to_end.build_countries", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    return folder


def _built(country: Country, request: pytest.FixtureRequest) -> Home:
    home = Home(request.getfixturevalue("warehouses") / country.name)
    build_candidate(home, RunFacts("run", AS_OF)).path.replace(home.published)
    home.published_dir.mkdir()
    build_report(home, country.settings.shop.name)
    return home


def _run(country: Country, request: pytest.FixtureRequest) -> Home:
    folder = request.getfixturevalue("tmp_path_factory").mktemp("shop")
    regulars: Regulars = request.getfixturevalue("regulars")
    shop = country.settings.shop
    # JSON's texts and lists are TOML's too.
    lines = [f"{name} = {json.dumps(value)}" for name, value in shop.model_dump().items()]
    settings = folder / "regulars.toml"
    settings.write_text("\n".join(["[shop]", *lines]) + "\n", "utf-8")
    write_files(country, folder / "input")
    moment, home = AS_OF.isoformat(), Home(folder / "home")
    words = ("run", "--input", folder / "input", "--home", home.root, "--as-of", moment)
    done = regulars(*words, REGULARS_CONFIG=str(settings))
    assert done.code == 0, done.out + done.err
    return home


@dataclass(frozen=True)
class Published:
    """What a shop came to."""

    country: Country
    home: Home
    connection: duckdb.DuckDBPyConnection

    def query(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((country, make), id=f"{country.name}, {words}", marks=marks)
        for make, words, marks in ((_built, "models", ()), (_run, "a whole run", SOAK))
        for country in COUNTRIES
    ],
)
def shop(request: pytest.FixtureRequest) -> Iterator[Published]:
    country, make = request.param
    home = make(country, request)
    with duckdb.connect(str(home.published), read_only=True) as connection:
        yield Published(country, home, connection)


def test_everybody_is_there_once_by_their_own_name(shop: Published) -> None:
    found = shop.query("select email, first_name, last_name from marts.dim_customers")
    wanted = [(each.email, each.first_name, each.last_name) for each in people_of(shop.country)]
    assert len(wanted) == PEOPLE
    assert sorted(found) == sorted(wanted)


def test_national_numbers_are_read_by_their_records_country(shop: Published) -> None:
    found = shop.query("select email, phone, country_code from marts.dim_customers")
    wanted = [(each.email, each.phone_e164, each.country) for each in people_of(shop.country)]
    assert sorted(found) == sorted(wanted)


def test_postcodes_of_other_countries_are_kept_as_written(shop: Published) -> None:
    found = shop.query("select email, postcode from marts.customer_360")
    assert sorted(found) == sorted((each.email, each.postcode) for each in people_of(shop.country))


def test_days_are_the_shops(shop: Published) -> None:
    found = shop.query("select order_id, ordered_at, ordered_date from marts.fct_orders")
    orders = [order for person in people_of(shop.country) for order in person.orders]
    assert any(order.day != order.ordered_at.date() for order in orders)
    wanted = [(order.order_id, order.ordered_at, order.day) for order in orders]
    assert sorted(found) == sorted(wanted)


def test_money_is_in_the_shops_currency_or_unknown_with_a_reason(shop: Published) -> None:
    found = shop.query(
        "select order_id, currency, net_sales, net_sales_shop, shop_currency, conversion_issue"
        " from marts.fct_orders"
    )
    wanted = [
        (
            order.order_id,
            order.currency,
            order.amount,
            order.in_shop_currency,
            shop.country.currency,
            "missing_rate" if order.in_shop_currency is None else None,
        )
        for person in people_of(shop.country)
        for order in person.orders
    ]
    assert sorted(found) == sorted(wanted)


def test_what_people_are_worth(shop: Published) -> None:
    found = shop.query(
        "select email, currency, lifetime_net_sales from marts.customer_360 where order_count > 0"
    )
    buyers = [person for person in people_of(shop.country) if person.orders]
    wanted = [(person.email, shop.country.currency, person.value) for person in buyers]
    assert sorted(found) == sorted(wanted)
    recency = shop.query(
        "select c.email, r.recency_days from marts.fct_customer_rfm r"
        " join marts.dim_customers c using (customer_id) where r.is_current"
    )
    last = {person.email: max(order.day for order in person.orders) for person in buyers}
    assert dict(recency) == {email: (AS_OF.date() - day).days for email, day in last.items()}


def test_permission_does_not_depend_on_the_country(shop: Published) -> None:
    found = shop.query(
        "select c.email from marts.contactability p join marts.dim_customers c using (customer_id)"
        " where p.channel = 'email' and p.purpose = 'marketing' and p.is_contactable"
    )
    wanted = [(each.email,) for each in people_of(shop.country) if each.has_permission]
    assert sorted(found) == sorted(wanted)


def test_the_report_is_drawn_in_the_shops_currency(shop: Published) -> None:
    page = shop.home.report.read_text("utf-8")
    assert f"{shop.country.name} shop" in page
    assert shop.country.currency in page or _symbol(shop.country) in page
    known = [order.in_shop_currency for each in people_of(shop.country) for order in each.orders]
    assert sum((each for each in known if each is not None), Decimal(0)) > 0
    assert "£" not in page


def _symbol(country: Country) -> str:
    return {"EUR": "€", "USD": "$", "JPY": "¥", "INR": "₹"}.get(country.currency, country.currency)
