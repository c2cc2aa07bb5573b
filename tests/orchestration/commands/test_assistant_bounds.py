"""Answers to an assistant have a size, and say when they are not whole."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.errors import UsageError
from orchestration.commands.assistant.bounds import CHARACTERS, ENTRIES, LETTERS, bounded

TEXTS = st.one_of(st.text(max_size=20), st.integers(1, 5).map(lambda n: "é" * n * LETTERS))
VALUES = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    *(st.decimals(allow_nan=False), st.datetimes(), st.binary(max_size=5)),
)
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.builds(lambda each, n: [[each]] * n, inner, st.integers(1, 3 * ENTRIES)),
        st.dictionaries(TEXTS, inner, max_size=4),
    ),
    max_leaves=8,
)


def content_of(answer: dict[str, Any]) -> dict[str, Any]:
    text = bounded(answer)
    assert len(text) <= CHARACTERS
    content: dict[str, Any] = json.loads(text)
    return content


@given(DOCUMENTS)
def test_whatever_is_answered_fits_or_is_refused_and_is_json(value: Any) -> None:
    try:
        content = content_of({"value": value})
    except UsageError:
        return
    assert set(content) - {"cut_off"} == {"value"}


def test_what_fits_is_whole_and_money_and_moments_are_text() -> None:
    rows = [[Decimal("1.10"), dt.date(2026, 6, 1), None, 2.5, float("nan")]] * ENTRIES
    content = content_of({"rows": rows, "columns": tuple("abcde")})
    assert content == {
        "rows": [["1.10", "2026-06-01", None, 2.5, "nan"]] * ENTRIES,
        "columns": list("abcde"),
    }


def test_rows_too_many_end_early_and_all_their_columns_stay() -> None:
    content = content_of({"columns": ["c"] * 300, "rows": [["x" * 9] * 300] * 150})
    assert 5 < len(content["rows"]) < 150
    assert {len(row) for row in content["rows"]} == {300}
    assert f"after {len(content['rows'])} entries" in content["cut_off"]
    assert "not the whole answer" in content["cut_off"]


@pytest.mark.parametrize("count", [ENTRIES, ENTRIES + 1])
def test_one_row_too_many_is_said(count: int) -> None:
    content = content_of({"rows": [[1]] * count})
    assert len(content["rows"]) == ENTRIES
    assert ("cut_off" in content) == (count > ENTRIES)


def test_a_long_text_is_cut_and_what_cannot_fit_is_refused() -> None:
    content = content_of({"text": "x" * (LETTERS + 1)})
    assert content["text"] == "x" * LETTERS + "…"
    assert "cut_off" in content
    with pytest.raises(UsageError, match="too large"):
        bounded({"deep": {str(n): {str(m): "x" * 99 for m in range(200)} for n in range(200)}})
