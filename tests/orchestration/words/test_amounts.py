"""How amounts are written for people."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from ingestion.config import REPOSITORY
from ingestion.landing.currencies import CURRENCIES
from orchestration.words.amounts import decimals, exact, money


@pytest.mark.parametrize(
    ("value", "currency", "told"),
    [
        ("9400.0000", "JPY", "9,400 JPY"),
        ("1350.6300", "GBP", "1,350.63 GBP"),
        ("-80.9500", "GBP", "−80.95 GBP"),
        ("9.4", "KWD", "9.400 KWD"),
        ("12", "", "12.00"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency(value: str, currency: str, told: str) -> None:
    assert exact(Decimal(value), currency) == told


def test_a_figure_has_no_more_decimals_than_its_currency() -> None:
    assert money(Decimal("9400"), "JPY", 2) == "¥9,400"
    assert exact(None, "JPY") == "–"


@pytest.mark.parametrize(
    ("macro", "digits"), [("currencies_without_decimals", 0), ("currencies_of_three_decimals", 3)]
)
def test_the_reasons_of_segments_have_the_same_decimals(macro: str, digits: int) -> None:
    text = (REPOSITORY / "dbt_project/macros/marts.sql").read_text("utf-8")
    body = text.partition(f"macro {macro}()")[2].partition("endmacro")[0]
    listed = set(re.findall(r"'([A-Z]{3})'", body))
    assert listed == {code for code in CURRENCIES if decimals(code) == digits}
