"""What only a whole file says: how its numbers and days are written, what an order's other lines
leave out, which of two columns of one name is meant.

Before the rows of a CSV or Parquet file are handed out they are looked at once, as far as there is
anything to find; then each batch is completed with what was found, so that nothing depends on where
batches begin.

Belongs here: decisions about whole files. Does not belong here: reading files (`files.py`), forms
of numbers (`numbers.py`), judging rows (`fields.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.duckdb import connect
from ingestion.files.folder import BrokenFileError, InputFile
from ingestion.landing.batch import CHUNK, RawBatch
from ingestion.landing.fields import DAY_TYPES, NUMBER_TYPES, Column, TableSpec
from ingestion.landing.judging import column_indexes
from ingestion.landing.numbers import Evidence, NumberForm, evidence
from ingestion.landing.times import DAY_IN_FIGURES, DayEvidence, DayOrder, day_evidence

Forms = tuple[tuple[str, NumberForm], ...]


@dataclass(frozen=True)
class Survey:
    """Looks at the files of one table.

    Args:
        spec: the table's declaration.
        hint: what to do about numbers that may mean two things, for the person who reads it.
    """

    spec: TableSpec
    hint: str = "write them with another number of decimals, or without signs between thousands"

    def look(self, _: InputFile, batches: Iterator[RawBatch]) -> Callable[[RawBatch], RawBatch]:
        """Read as many batches as it takes; how the file's batches are to be completed.

        Raises:
            BrokenFileError: its numbers may mean two things, or two columns of one name differ.
        """
        first = next(batches, None)
        if first is None or first.header is None:
            return lambda batch: batch
        looking = _Looking(self._connection, self.spec, first)
        if looking.has_work:
            second = next(batches, None)
            if second is None:
                looking.forget_complete_columns(first)
            looking.take(first)
            for batch in chain([second], batches) if second else ():
                looking.take(batch)
        forms = looking.forms(self.hint)
        days = looking.day_orders()
        facts = looking.facts()
        return lambda batch: _filled(
            replace(batch, forms=forms, day_orders=days, left_out=None),
            looking.order_index,
            facts,
        )

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        """Scratch space for all files: a shop's year may be hundreds of small ones."""
        return connect()


_LINE_VALUES = """
create or replace temp table told (id varchar, place int, line bigint, value varchar)
"""
# Per order and column: the first value, whether some line has none, whether lines differ.
_SUMMED = """
create or replace temp view summed as
select id, place, arg_min(value, line) filter (where value <> '') as known,
    bool_or(value = '') as has_blank,
    count(distinct nullif(value, '')) > 1
        or (arg_min(value, line) = '' and bool_or(value <> '')) as is_of_lines
from told group by id, place
"""


class _Looking:
    """One file being looked at."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, spec: TableSpec, first: RawBatch
    ) -> None:
        header = first.header or ()
        self.db = connection
        self.spec = spec
        self.places = {c.name: column_indexes(spec, c, header) for c in spec.columns}
        self.delimiter = first.delimiter
        self.numbers = [
            column
            for column in spec.columns
            if column.type in NUMBER_TYPES and self._texts(column, first)
        ]
        self.typed_numbers = [
            column.name
            for column in spec.columns
            if column.type in NUMBER_TYPES
            and self.places[column.name]
            and all(index in first.typed for index in self.places[column.name])
        ]
        # Where no value of the first rows is a day and a month in figures, none is looked for.
        self.days = {
            column.name: DayEvidence()
            for column in spec.columns
            if column.type in DAY_TYPES and not column.pattern and self._has_figures(column, first)
        }
        order = self.places.get("order_id", [])
        self.order_index = order[0] if order else -1
        self.shared = [
            (column, index)
            for column in spec.columns
            if column.order_fact and order
            for index in self.places[column.name]
        ]
        self.doubled = {c.name: at for c in spec.columns if len(at := self._alike(c, header)) > 1}
        self.has_notes = False
        self.evidence = {column.name: Evidence() for column in self.numbers}

    @property
    def has_work(self) -> bool:
        """Whether the file's rows have to be looked at."""
        return bool(self.numbers or self.days or self.shared or self.doubled)

    def forget_complete_columns(self, only: RawBatch) -> None:
        """Leave out what no order of the file's only batch says on some lines and not on others."""
        if not self.shared:
            return
        orders = pc.utf8_trim_whitespace(only.table[f"c{self.order_index}"])
        kept = []
        for column, index in self.shared:
            is_blank = pc.equal(pc.utf8_trim_whitespace(only.table[f"c{index}"]), "")
            without = orders.filter(is_blank).unique()
            having = orders.filter(pc.invert(is_blank)).unique()
            if pc.any(pc.is_in(without, value_set=having)).as_py():
                kept.append((column, index))
        self.shared = kept

    def take(self, batch: RawBatch) -> None:
        """Look at some rows."""
        self._take_forms(_whole(batch))
        if not (self.doubled or self.shared):
            return
        self.db.register(CHUNK, batch.table)
        for name, places in self.doubled.items():
            self._refuse_differing(name, places)
        if self.shared and not self.has_notes:
            self.db.execute(_LINE_VALUES)
            self.db.execute(_SUMMED)
            self.has_notes = True
        for _, index in self.shared:
            self._note_facts(index)
        self.db.unregister(CHUNK)

    def _take_forms(self, table: pa.Table) -> None:
        """Look at how numbers and days are written."""
        self.db.register(CHUNK, table)
        for column in self.numbers:
            self.evidence[column.name] = self._more_evidence(column, table)
        for name, known in self.days.items():
            row = self.db.execute(day_evidence(self._values(name))).fetchone() or ()
            self.days[name] = known + DayEvidence(*row)
        self.db.unregister(CHUNK)

    def forms(self, hint: str) -> Forms:
        """How each column's numbers are written."""
        decided = {name: evidence.form for name, evidence in self.evidence.items()}
        named = {form for form in decided.values() if form != "own"}
        forms: dict[str, NumberForm] = dict.fromkeys(self.typed_numbers, "point")
        for column in self.numbers:
            evidence = self.evidence[column.name]
            form = decided[column.name]
            if form == "own" and not (evidence.point or evidence.comma):
                if len(named) == 1:
                    form = next(iter(named))
                elif self.delimiter == "," and not self.spec.is_mapped:
                    form = "point"  # our own layout has a point, and its comma is the delimiter
            forms[column.name] = form
            if evidence.ambiguous and form == "own" and (column.required or self.spec.is_mapped):
                raise BrokenFileError(
                    "ambiguous_number",
                    f"{column.name}; 1.250 may be 1250 or 1¼ in this file: {hint}",
                )
        return tuple(forms.items())

    def day_orders(self) -> tuple[tuple[str, DayOrder], ...]:
        """Which comes first in each column of days and months in figures, where its values show."""
        orders = ((name, evidence.order) for name, evidence in self.days.items())
        return tuple((name, order) for name, order in orders if order)

    def facts(self) -> Any:
        """Per order, what its lines without a value take over: a table, or None."""
        if not self.has_notes:
            return None
        columns = []
        for column, index in self.shared:
            of_place = f"(from summed where place = {index})"
            if column.order_fact == "first" and self._count(
                f"select count(*) from {of_place} where is_of_lines"
            ):
                continue  # some order's later lines say another: it is a fact of lines
            columns.append(index)
        chosen = ", ".join(map(str, sorted(set(columns)))) or "null"
        known = self.db.execute(
            f"select id, place, known from summed where place in ({chosen}) and has_blank "
            "and known is not null"
        ).to_arrow_table()
        return known if known.num_rows else None

    def _texts(self, column: Column, batch: RawBatch) -> list[int]:
        is_stated = column.number_form is not None
        return [] if is_stated else [i for i in self.places[column.name] if i not in batch.typed]

    def _alike(self, column: Column, header: tuple[str, ...]) -> list[int]:
        """The places of one source's name, where it stands more than once."""
        for path in column.paths:
            places = column_indexes(self.spec, replace(column, sources=(path,)), header)
            if len(places) > 1:
                return places
        return []

    def _refuse_differing(self, name: str, places: list[int]) -> None:
        texts = ", ".join(f"nullif(trim(c{index}), '')" for index in places)
        values = f"list_distinct(list_filter([{texts}], lambda x: x is not null))"
        if self._count(f"select count(*) from {CHUNK} where len({values}) > 1"):
            raise BrokenFileError(
                "duplicate_column",
                f"{name}; two columns of that name hold different values: take one away",
            )

    def _more_evidence(self, column: Column, table: pa.Table) -> Evidence:
        known = self.evidence[column.name]
        signed = [_signed(table[f"c{index}"]) for index in self.places[column.name]]
        if not any(map(len, signed)):
            return known
        if all(map(_are_plain, signed)):
            return replace(known, point=known.point + 1)
        row = self.db.execute(evidence(self._values(column.name))).fetchone() or (0, 0, 0)
        return Evidence(known.point + row[0], known.comma + row[1], known.ambiguous + row[2])

    def _values(self, name: str) -> str:
        places = self.places[name]
        return " union all ".join(f"select c{index} as value from {CHUNK}" for index in places)

    def _has_figures(self, column: Column, first: RawBatch) -> bool:
        return any(
            pc.any(pc.match_substring_regex(first.table[f"c{index}"], DAY_IN_FIGURES)).as_py()
            for index in self.places[column.name]
        )

    def _note_facts(self, index: int) -> None:
        """Per order the value of each line, as far as lines differ in it."""
        self.db.execute(
            f"""
            insert into told
            select trim(c{self.order_index}), {index}, min(_line), trim(c{index})
            from {CHUNK} where trim(c{self.order_index}) <> ''
            group by trim(c{self.order_index}), trim(c{index})
            """
        )

    def _count(self, query: str) -> int:
        row = self.db.execute(query).fetchone()
        return int(row[0]) if row else 0


def _whole(batch: RawBatch) -> pa.Table:
    """The batch's rows and those of its file that were left out."""
    if batch.left_out is None or not batch.left_out.num_rows:
        return batch.table
    return pa.concat_tables([batch.table, batch.left_out])


def _signed(texts: Any) -> Any:
    """The different texts with a point or a comma in them."""
    different = texts.unique()
    return different.filter(pc.match_substring_regex(different, "[.,]"))


def _are_plain(texts: Any) -> bool:
    """Whether all of them have a decimal point and nothing else, the quick answer for most."""
    plain = pc.match_substring_regex(texts, r"^[+-]?\d+\.(\d{1,2}|\d{4,})$")
    return bool(pc.all(plain).as_py())


def _filled(batch: RawBatch, order_index: int, facts: Any) -> RawBatch:
    """The batch with the facts of its orders on the lines that leave them out."""
    if facts is None:
        return batch
    table = batch.table
    with connect() as connection:
        connection.register("facts", facts)
        connection.register(CHUNK, table)
        places = [row[0] for row in connection.execute(
            "select distinct place from facts order by 1").fetchall()]  # fmt: skip
        known = ", ".join(f"any_value(known) filter (where place = {p}) as f{p}" for p in places)
        filled = ", ".join(
            f"case when trim(c{p}) = '' then coalesce(f{p}, c{p}) else c{p} end as c{p}"
            for p in places
        )
        completed = connection.execute(
            f"""
            with orders as (select id, {known} from facts group by id)
            select {CHUNK}.* replace ({filled})
            from {CHUNK} left join orders on orders.id = trim(c{order_index})
            order by _line
            """
        ).to_arrow_table()
    return replace(batch, table=pa.table(completed).cast(table.schema))
