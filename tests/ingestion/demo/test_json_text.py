"""JSON written by SQL says what its shape says, whatever the row holds."""

from __future__ import annotations

import json

import duckdb
import pytest

from ingestion.demo.json_text import Maybe, Quoted, Shape, Word, json_sql, rows, text, when

SHAPE: Shape = {
    "word": Word("it's •"),
    "quoted": Quoted("n", "gid://thing/"),
    "text": text("t"),
    "maybe": Maybe("t"),
    "number": "n",
    "fixed": [1, 0.2, None, True, {}],
    "when": when("n > 1", [Word("more")], []),
}


@pytest.mark.parametrize("told", ["plain", 'a "quote" \\ and a line\nend', "", None])
def test_a_shape_is_the_json_of_each_row(told: str | None) -> None:
    with duckdb.connect() as con:
        query = f"select {json_sql(SHAPE)} from (values (?, 1), (?, 2)) as r(t, n) order by n"
        first, second = (
            json.loads(line) for (line,) in con.execute(query, [told, told]).fetchall()
        )
    expected = {
        "word": "it's •",
        "quoted": "gid://thing/1",
        "text": told,
        "maybe": told,
        "number": 1,
        "fixed": [1, 0.2, None, True, {}],
        "when": [],
    }
    if told is None:
        del expected["maybe"]
    assert first == expected
    assert second == expected | {"quoted": "gid://thing/2", "number": 2, "when": ["more"]}


def test_rows_are_an_array_in_their_order_and_an_empty_one_where_none_is() -> None:
    query = f"""select {rows({"n": "n"}, "n desc")}, {rows(Quoted("n"), "n", "n > 1")},
        {rows(Quoted("n"), "n", "n > 5")} from (values (1), (2)) as r(n)"""
    with duckdb.connect() as con:
        found = con.execute(query).fetchone()
    assert found is not None
    assert [json.loads(value) for value in found] == [[{"n": 2}, {"n": 1}], ["2"], []]
