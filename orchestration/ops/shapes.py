"""The shapes in which tables of the store leave it, read off their declaration.

Belongs here: from a declared table to Arrow columns. Does not belong here: the declaration
(`schema.py`); which rows leave (`export.py`) or come back (`commit.py`).
"""

from __future__ import annotations

import pyarrow as pa
from sqlalchemy import Boolean, Column, Table, Text

from orchestration.ops import schema

Columns = tuple[tuple[str, pa.DataType], ...]


def leaving() -> tuple[Table, ...]:
    """The tables that dbt reads, in the order of their declaration."""
    return tuple(t for t in schema.metadata.tables.values() if t.info.get(schema.LEAVES))


def mirroring() -> dict[str, Table]:
    """By the published table that it mirrors, each table that is written after publishing."""
    tables = schema.metadata.tables.values()
    return {t.info[schema.MIRRORS]: t for t in tables if schema.MIRRORS in t.info}


def arrow_columns(table: Table) -> Columns:
    """Name and Arrow type of every column, in the order of the declaration."""
    return tuple((column.name, _arrow_type(column)) for column in table.columns)


def arrow_schema(table: Table) -> pa.Schema:
    """The columns as an Arrow schema."""
    return pa.schema([pa.field(name, kind) for name, kind in arrow_columns(table)])


def _arrow_type(column: Column[object]) -> pa.DataType:
    if column.info.get(schema.IS_TIME):
        return pa.timestamp("us")
    if isinstance(column.type, Text):
        return pa.string()
    return pa.bool_() if isinstance(column.type, Boolean) else pa.int64()
