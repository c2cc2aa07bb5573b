"""What the shop itself wrote, by which a text from a visitor's browser may stay in the masked copy.

Belongs here: that list. Does not belong here: which column holds a browser's text
(`text_classes`), masking (`masked`).
"""

from __future__ import annotations

import csv

import duckdb

from ingestion.config import REPOSITORY
from ingestion.duckdb import name

KNOWN = "temp.known_words"
_RULES = REPOSITORY / "dbt_project" / "seeds" / "marketing_channel_rules.csv"
_PAID = ("cpc", "ppc", "paid")
_WRITTEN = {
    "fct_spend": ("campaign", "programme"),
    "fct_messages": ("campaign_name", "campaign_id", "flow_id"),
    "dim_products": ("product_id", "sku", "product_name", "category", "brand"),
}


def make_known_words(connection: duckdb.DuckDBPyConnection) -> None:
    """The table `KNOWN` of words in small letters, from `published` and the rules of channels."""
    connection.execute("create temp table known_words (word varchar)")
    with _RULES.open(encoding="utf-8", newline="") as file:
        exact = {row["value"] for row in csv.DictReader(file) if row["match_kind"] == "exact"}
    words = [[word] for word in sorted({*exact, *_PAID})]
    connection.executemany(f"insert into {KNOWN} values (?)", words)
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns()"
        " where database_name = 'published' and schema_name = 'marts' and data_type = 'VARCHAR'"
        " order by all"
    ).fetchall():
        if column in _WRITTEN.get(table, ()):
            connection.execute(
                f"insert into {KNOWN} select distinct lower({name(column)})"
                f" from published.{name('marts', table)} where {name(column)} is not null"
            )


def is_known(value: str) -> str:
    """SQL: whether the shop wrote the same."""
    return f"lower({value}) in (select word from {KNOWN})"
