"""The language of `returns.when`: what it means, and that nothing else gets through."""

from __future__ import annotations

from contextlib import suppress

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.orders.expressions import ExpressionError, file_column, file_columns, to_sql
from ingestion.sources.orders.mapping import LINE_TYPES


def holds(expression: str, order_id: str = "C1", quantity: str = "1", name: str = "Mug") -> bool:
    """What the expression says of one line, in a file whose other columns are all empty."""
    sql = to_sql(expression, LINE_TYPES)
    of_the_file = "".join(
        f", null::varchar as {name(file_column(header))}"
        for header in file_columns(expression, LINE_TYPES)
    )
    query = (
        f"select {sql} from (select ?::varchar as order_id, ?::decimal(18,4) as quantity, "
        "?::varchar as product_name, null::varchar as email, null::decimal(18,4) as unit_price"
        f"{of_the_file})"
    )
    with duckdb.connect() as connection:
        row = connection.execute(query, [order_id, quantity, name]).fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("order_id starts with C or quantity < 0", True),
        ("order_id starts with c", True),
        ("order_id starts with D or quantity < 0", False),
        ("quantity >= 1 and quantity <= 1.0", True),
        ("not quantity = 1", False),
        ("not (quantity = 2 or order_id = X)", True),
        ("quantity = 2 or quantity = 1 and order_id = C1", True),
        ("(quantity = 2 or quantity = 1) and order_id = C9", False),
        ("product_name contains 'ug'", True),
        ('product_name ends with "G"', True),
        ("product_name in (Cup, Mug)", True),
        ("product_name != Mug", False),
        ("email is empty", True),
        ("email is not empty", False),
        ("unit_price < 0", False),
        ("product_name = 'o''brien'", False),
    ],
)
def test_meaning(expression: str, expected: bool) -> None:
    if "''" in expression:
        with pytest.raises(ExpressionError):
            to_sql(expression, LINE_TYPES)
    else:
        assert holds(expression) is expected


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "   ",
        "quantity",
        "quantity <",
        "quantity < many",
        "quantity < 1; drop table x",
        "nonsense < 1",
        "= 1",
        "quantity < 0 or",
        "(quantity < 0",
        "quantity < 0)",
        "order_id starts C",
        "read_text('x') = 1",
        "quantity < (select 1)",
        "'quantity' < 1",
        "order_id in C",
        "order_id in (C",
        'order_id = "open',
        "quantity < 0 -- and",
        "and starts with C",
        "not in = C",
        "Or = C",
    ],
)
def test_what_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(ExpressionError):
        to_sql(expression, LINE_TYPES)


def test_a_column_named_like_a_word_of_the_language_stands_in_quotes() -> None:
    assert file_columns('"in" = x or quantity < 0', LINE_TYPES) == ["in"]


@given(st.text(max_size=40))
def test_any_value_is_only_a_value(value: str) -> None:
    """Whatever stands in quotes is compared, never run."""
    if '"' in value or "\x00" in value:
        return
    assert holds(f'product_name = "{value}"', name=value)


@given(
    st.lists(
        st.sampled_from(
            [
                "quantity",
                "order_id",
                "<",
                "=",
                "(",
                ")",
                "and",
                "or",
                "not",
                "1",
                "C",
                "starts",
                "with",
                "is",
                "empty",
                "in",
                ",",
                "'x'",
                ";",
                "--",
                "select",
            ]
        ),
        max_size=12,
    )
)
def test_every_sentence_is_refused_or_runs(words: list[str]) -> None:
    with suppress(ExpressionError):
        holds(" ".join(words))


@pytest.mark.parametrize("text", ["not " * 5000 + "x = 1", "(" * 5000 + "x = 1" + ")" * 5000])
def test_a_deep_expression_is_refused_in_words(text: str) -> None:
    with pytest.raises(ExpressionError, match="deeper than 50 levels"):
        to_sql(text, {"x": "text"})


def test_a_long_flat_expression_is_fine() -> None:
    assert to_sql(" or ".join(["not (x = 1)"] * 500), {"x": "text"}).count("not") == 500
