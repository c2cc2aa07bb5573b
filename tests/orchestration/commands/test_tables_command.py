"""What `regulars tables` and the words of `regulars sql` tell of the published file."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO

import pytest
from rich.console import Console

from ingestion.errors import UsageError
from orchestration.commands.sql import print_query
from orchestration.commands.tables import print_tables
from orchestration.home.layout import Home

pytestmark = pytest.mark.slow

DESCRIBED = [
    "comment on table marts.dim_customers is 'One row per person.'",
    "comment on column marts.dim_customers.customer_id is 'Who it is.'",
]


@pytest.fixture
def home(publish_day: Callable[..., Home]) -> Home:
    return publish_day(after=DESCRIBED)


def printed(home: Home, name: str = "") -> str:
    out = Console(file=StringIO(), width=200, markup=False)
    print_tables(home, name, out, as_json=False)
    return out.file.getvalue()  # type: ignore[attr-defined]


def test_tables_are_listed_with_what_they_hold(home: Home) -> None:
    text = printed(home)
    assert "marts.dim_customers" in text
    assert "One row per person." in text
    assert "segments.seg_" in text


@pytest.mark.parametrize("name", ["dim_customers", "marts.dim_customers", " Dim_Customers "])
def test_columns_have_types_and_descriptions(home: Home, name: str) -> None:
    text = printed(home, name)
    for word in ("marts.dim_customers", "customer_id", "VARCHAR", "Who it is."):
        assert word in text


def test_a_program_gets_the_same(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    print_tables(home, "dim_customers", Console(), as_json=True)
    columns = {each["column"]: each for each in json.loads(capsys.readouterr().out)}
    assert columns["customer_id"]["what it is"] == "Who it is."


def test_a_table_that_is_not_there_is_named_with_its_like(home: Home) -> None:
    with pytest.raises(UsageError, match="no table `dim_customer`") as told:
        print_tables(home, "dim_customer", Console(), as_json=False)
    assert "marts.dim_customers" in told.value.hint


@pytest.mark.parametrize("query", ["", "show tables", " SHOW  TABLES ; "])
def test_show_tables_shows_them(home: Home, query: str) -> None:
    out = Console(file=StringIO(), width=200, markup=False)
    print_query(home, query, out, as_json=False)
    assert "marts.dim_customers" in out.file.getvalue()  # type: ignore[attr-defined]


def test_duckdbs_guess_of_the_name_is_told(home: Home) -> None:
    with pytest.raises(UsageError) as told:
        print_query(home, "select * from dim_customers", Console(), as_json=False)
    assert "marts.dim_customers" in told.value.hint
    with pytest.raises(UsageError) as told:
        query = "select costumer_id from marts.dim_customers where email = 'zoe@example.com'"
        print_query(home, query, Console(), as_json=False)
    assert "customer_id" in told.value.hint
    assert "zoe" not in told.value.message + told.value.hint
