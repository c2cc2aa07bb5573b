"""Right answers of the macros that are written once per engine: each form gives them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.spark.forms import ENGINES, for_duckdb, sql_of
from tests.spark.judge import faults

HALF = 2**62


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answer(engine: str, call: str, values: list[Any], kind: str) -> Any:
    """What the call makes of the column `x`, which holds the values."""
    statement = f"select {sql_of(engine, call)} as answer from given"
    if engine == "spark":
        assert faults(statement) == []
    with duckdb.connect() as con:
        con.execute(
            f"create table given as select unnest($values::{kind}[]) as x", {"values": values}
        )
        return con.execute(for_duckdb(engine, statement)).fetchone()[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("amount", "shown"), [(16.865, "16.87"), (-16.865, "-16.87"), (16.8649, "16.86"), (None, None)]
)
def test_half_a_penny_is_rounded_up_in_either_engine(
    engine: str, amount: float | None, shown: str | None
) -> None:
    answered = answer(engine, "{{ money_in_context('x') }}", [amount], "double")
    assert answered == (None if shown is None else Decimal(shown))


@pytest.mark.parametrize("amount", ["123456789.0123", "99999999999999.9999", "-0.0001"])
def test_the_part_of_a_credit_is_exact_in_either_engine(engine: str, amount: str) -> None:
    call = "{{ credited_part('cast(0.333333334 as decimal(10, 9))', 'x') }}"
    part = answer(engine, call, [Decimal(amount)], "decimal(18, 4)")
    assert part == Decimal("0.333333334") * Decimal(amount)


@pytest.mark.parametrize(
    ("call", "text", "expected"),
    [
        ("{{ squeezed('x') }}", "Élodie  O'Brien-2", "elodieobrien2"),
        ("{{ squeezed('x') }}", "Анна, дом 5", "аннадом5"),
        ("{{ squeezed('x') }}", "p{L}", "pl"),
        ("{{ squeezed('x') }}", "", ""),
        ("{{ squeezed('x') }}", None, None),
        ("{{ word_form('x') }}", '("NULL")', "null"),
        ("{{ word_form('x') }}", "n/a, n/a", "nana"),
        ("{{ full_name('x') }}", "  José-María   de la Cruz ", "jose cruz"),
        ("{{ full_name('x') }}", "Иван Иванов", "иван иванов"),
        ("{{ full_name('x') }}", "J. Smith", None),
        ("{{ full_name('x') }}", "Smith", None),
        ("{{ replace_matches('x', '[0-9]', '#') }}", "1a23", "#a##"),
        ("{{ replace_matches('x', \"[\\\\\\\\'.]+\", '') }}", "a.b'c\\d", "abcd"),
        ("{{ text_matches('x', pattern('^\\\\d{2}[.]$')) }}", "12.", True),
        ("{{ text_matches('x', pattern('^\\\\d{2}[.]$')) }}", "ddd", False),
        ("{{ text_matches('x', pattern(\"it's\")) }}", "it's", True),
        ("{{ is_plain_text('x') }}", "L’Oréal 50% (2)", True),
        ("{{ is_plain_text('x') }}", "<b>", False),
        ("{{ is_plain_text('x') }}", "Shoe\n", False),
        ("{{ is_plain_text('x') }}", "evil.example", False),
        ("{{ is_plain_about_a_person('x') }}", "J.R. O'Hill", True),
        ("{{ is_plain_about_a_person('x') }}", "a@b", False),
        ("{{ is_plain_about_a_person('x') }}", "Ann\n", False),
        ("concat_ws('', 'a', x, 'b')", None, "ab"),
        ("concat_ws('', 'a', x, 'b')", "", "ab"),
        ("position('c' in x)", "abc", 3),
        ("position('c' in x)", "ab", 0),
        ("position('c' in x)", None, None),
    ],
)
def test_of_a_text(engine: str, call: str, text: str | None, expected: Any) -> None:
    assert answer(engine, call, [text], "varchar") == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([HALF, HALF, HALF, HALF], 4 * HALF),  # twice what 64 bits hold
        ([-HALF, -HALF, -HALF], -3 * HALF),
        ([1, None, 2], 3),
        ([None], None),
    ],
)
def test_a_sum_of_hashes_does_not_overflow(
    engine: str, values: list[int | None], expected: int | None
) -> None:
    assert answer(engine, "{{ hash_total('x') }}", values, "bigint") == expected


@pytest.mark.parametrize(
    ("call", "values", "expected"),
    [
        ("{{ smallest_values('x', 2, \"x <> 'a'\") }}", ["c", "a", "d", "b"], ["b", "c"]),
        ("{{ smallest_values('x', 2, 'true') }}", ["b", None, "b"], ["b", "b"]),
    ],
)
def test_of_a_group(engine: str, call: str, values: list[str | None], expected: Any) -> None:
    assert answer(engine, call, values, "varchar") == expected


@pytest.mark.parametrize(
    ("call", "items", "kind", "expected"),
    [
        ("{{ list_money('x', 'item') }}", ["1.0000", None, "2.5000"], "decimal(18,4)", "3.5000"),
        ("{{ list_money('x', 'item') }}", [None], "decimal(18,4)", None),
        ("{{ list_money('x', 'item') }}", [], "decimal(18,4)", None),
        ("{{ list_has('x', 'item > 2') }}", [1, 3], "int", "true"),
        ("{{ list_has('x', 'item > 2') }}", [1, None], "int", "false"),
        ("{{ list_has('x', 'item > 2') }}", [], "int", "false"),
        ("{{ list_has('x', 'item > 2') }}", None, "int", None),
        ("{{ list_words('x', 'item') }}", ["a", None, "b"], "varchar", "a, b"),
        ("{{ list_words('x', 'item') }}", [], "varchar", None),
        ("{{ list_words('x', 'item') }}", None, "varchar", None),
    ],
)
def test_of_a_list(
    engine: str, call: str, items: list[Any] | None, kind: str, expected: str | None
) -> None:
    found = answer(engine, f"cast({call} as string)", [items], f"{kind}[]")
    assert found == expected


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("{{ json_text('x', '$.a') }}", "1"),
        ("{{ json_text('x', '$.\"Bounce Type\"') }}", "hard"),
        ("{{ json_text('x', '$.\"$flow\".\"of a\"') }}", "f"),
        ("{{ json_text('x', '$.none') }}", None),
    ],
)
def test_of_a_path_in_json(engine: str, call: str, expected: str | None) -> None:
    document = '{"a": 1, "Bounce Type": "hard", "$flow": {"of a": "f"}}'
    assert answer(engine, call, [document], "varchar") == expected


def test_a_window_passes_over_nulls(engine: str) -> None:
    call = "{{ ignoring_nulls('lag', 'x') }}"
    statement = f"select n, {sql_of(engine, call)} over (order by n) from given order by n"
    with duckdb.connect() as con:
        con.execute(
            "create table given as select * from (values (1, 'a'), (2, null), (3, 'b')) t(n, x)"
        )
        answers = con.execute(for_duckdb(engine, statement)).fetchall()
    assert answers == [(1, None), (2, "a"), (3, "a")]


# sqlglot cannot write Spark's `listagg` of distinct values for DuckDB
@pytest.mark.parametrize(
    ("call", "values", "expected"),
    [
        ("{{ text_list('x') }}", ["b", "a", None, "b"], "a, b"),
        ("{{ text_list('x', '|') }}", ["spider", "bot"], "bot|spider"),
        ("{{ text_list('x') }}", [None], None),
    ],
)
def test_of_a_list_of_texts(call: str, values: list[str | None], expected: Any) -> None:
    assert answer("duckdb", call, values, "varchar") == expected
