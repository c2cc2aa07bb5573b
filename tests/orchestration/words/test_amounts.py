"""How amounts are written for people."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestration.words.amounts import exact, money


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
