"""The closing words of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import StringIO

from rich.console import Console

from orchestration.commands.summary import print_summary
from orchestration.home import Home


def said(home: Home, ignored: Mapping[str, int]) -> str:
    """What the summary prints."""
    out = Console(file=StringIO(), width=180)
    print_summary(home, out, ignored)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_ignored_columns_are_named_by_table_and_number(publish_day: Callable[..., Home]) -> None:
    text = said(publish_day(), {"orders/order_lines": 3, "rates/rates": 1})
    assert "3 unknown columns ignored in orders/order_lines." in text
    assert "1 unknown column ignored in rates/rates." in text


def test_sales_of_nobody_are_told_with_their_money(publish_day: Callable[..., Home]) -> None:
    text = said(publish_day(), {})
    assert "Sales of nobody: 2 orders, 30.50 net, because of 1 identifier" in text


def test_without_any_nothing_is_said_of_them(publish_day: Callable[..., Home]) -> None:
    assert "ignored" not in said(publish_day(), {})
