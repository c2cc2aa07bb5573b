"""An engine's words without the values that it quotes."""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pytest

from ingestion.redaction.dbt import reduced_line
from ingestion.redaction.engine import KEEP, LEFT_OUT, reduced

NAME = "Zoë Canary of 'Lane' 7"
HEAD = "Runtime Error in model stg_web__events (models/staging/web/stg_web__events.sql)\n  "

FAILING = {
    "a cast": (
        "select cast(t as integer) as n from (select $1 as t)",
        "Conversion Error in column t",
    ),
    "a cast of a column": ("select t::date from v", "Conversion Error in column t"),
    "a date": ("select strptime(t, '%Y') from v", "Invalid Input Error"),
    "a sum": ("select (t || '9')::json from v", "Conversion Error"),
    "a key": ("insert into keyed select t from v union all select t from v", "Constraint Error"),
    "an error of a test": ("select error(t) from v", "Invalid Input Error"),
}


@pytest.mark.parametrize("kind", sorted(FAILING))
def test_the_kind_and_the_column_stay_the_value_goes(kind: str) -> None:
    statement, told = FAILING[kind]
    with duckdb.connect() as connection:
        connection.execute("create table v as select $1 as t", [NAME])
        connection.execute("create table keyed (t varchar primary key)")
        with pytest.raises(duckdb.Error) as caught:
            connection.execute(statement, [NAME] if "$1" in statement else []).fetchall()
    assert "Canary" in str(caught.value)
    assert reduced(HEAD + str(caught.value)) == f"{HEAD}{told} ({LEFT_OUT})"
    line = json.dumps({"data": {"exc": str(caught.value)}, "info": {"msg": HEAD, "ts": "2026"}})
    kept = json.loads(reduced_line(line))
    assert kept["info"] == {"msg": HEAD, "ts": "2026"}
    assert kept["data"]["exc"] == f"{told} ({LEFT_OUT})"


def test_a_value_cannot_name_the_column() -> None:
    text = (
        "Conversion Error: Could not convert string 'when casting from source column ann\n' to INT"
    )
    assert "ann" not in reduced(
        f"{text} when casting from source column birthday\n\nLINE 1: select"
    )
    assert "in column birthday" in reduced(f"{text} when casting from source column birthday\n")


@pytest.mark.parametrize(
    "text",
    [
        'Binder Error: Referenced column "emial" not found in FROM clause!',
        "Compilation Error in model x (models/x.sql)\n  line 7 of the seed names no type",
        "Catalog Error: Table with name stg_x does not exist!",
        "IO Error: No space left on device",
        "12:00:00  1 of 9 OK created sql table model marts.dim_customers ... [OK in 0.10s]",
        "",
    ],
)
def test_what_quotes_no_row_stays_whole(text: str) -> None:
    assert reduced(text) == text


def test_a_full_disk_is_still_told() -> None:
    assert "no space left" in reduced("TransactionContext Error: x\nNo space left on device")


def test_the_whole_text_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEEP, "1")
    text: Any = f"Conversion Error: Could not convert string '{NAME}'"
    assert reduced(text) == text
    assert json.loads(reduced_line(json.dumps({"a": text})))["a"] == text
