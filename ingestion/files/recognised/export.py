"""What a file that a shop's system writes is: known by its header, read as rows of our own tables.

An export says which headers it has and, for each of our tables that it feeds, what each of our
columns is in words of its header. So its rows become rows of our own layout and take the same way
as those of a file that was written in it: types, reasons, duplicates, models. Nothing of an
export's is known beyond this folder.

Belongs here: the shape of a declaration and the SQL that follows from it. Does not belong here: any
one system's export (one file each, beside this one), how values are read (`landing/`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.duckdb import connect, literal, name
from ingestion.landing.batch import RawBatch
from ingestion.landing.judging import normal

# A header's name in an expression, or a place in a document such as `items[0].price`
_HEADER = re.compile(r"@\[([^\[\]]+(?:\[\d+\][^\[\]]*)?)\]")
ZONE = "zone"  # in an expression: the time zone that the shop's own times are in
OF_ITEM = "item."  # in an expression: begins the name of a field of the item that a row is made of
BATCH_ROWS = 250_000


@dataclass(frozen=True)
class Feed:
    """What an export says to one of our tables: at most one row per row of the file, or per item.

    Args:
        source: the source that has the table.
        table: the table.
        columns: our columns, each as SQL in which `@[Header]` is the text of that column, or NULL
            where it is empty or the file does not have it.
        steps: names for what several of them need, worked out one after the other; a step may look
            at other rows of the file.
        where: which rows of the file say something to this table; all without it.
        items: where a row of the file holds several of ours, as SQL for a JSON list: a row stands
            for each member, and `@[item.field]` is the text of its field. A row whose list is
            empty or NULL stands once, without an item.
        keeps_others: further columns of the file become attributes, under their own headers.
        leaves: headers that never do, such as addresses of computers.
    """

    source: str
    table: str
    columns: Mapping[str, str]
    steps: tuple[Mapping[str, str], ...] = ()
    where: str = ""
    items: str = ""
    keeps_others: bool = False
    leaves: tuple[str, ...] = ()

    @property
    def expressions(self) -> tuple[str, ...]:
        """All SQL of the feed."""
        of_steps = (sql for step in self.steps for sql in step.values())
        return (self.items, *of_steps, *self.columns.values(), self.where)

    @property
    def headers(self) -> tuple[str, ...]:
        """The headers that it reads."""
        headers = (header for sql in self.expressions for header in _HEADER.findall(sql))
        own = (header for header in headers if header != ZONE and not header.startswith(OF_ITEM))
        return tuple(dict.fromkeys(own))


@dataclass(frozen=True)
class Export:
    """One system's export.

    Args:
        name: how the settings call it.
        title: what people are told that a file was taken for.
        required: the headers by which it is known; a file that has them all, in any order, with
            whatever others, is one.
        feeds: what it says to our tables.
        other_names: what a header is called in other languages or versions of the system.
        is_only: whether a file with further headers is something else; for exports whose few
            headers many a file has.
        path: what the file's path has to hold besides, where its headers are everybody's.
        point: whether its numbers always have a decimal point and no signs between thousands.
        together: whether a step looks at other rows, so that the file is read as a whole.
        places: the headers of a file that is written without any, in their order.
        line: how a line of such a file begins, as a pattern.
    """

    name: str
    title: str
    required: tuple[str, ...]
    feeds: tuple[Feed, ...]
    other_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    is_only: bool = False
    path: str = ""
    point: bool = True
    together: bool = False
    places: tuple[str, ...] = ()
    line: str = ""

    def headers_of(self, line: str) -> tuple[str, ...]:
        """The headers of a file without any that begins with this line; none where it has some, or
        is something else. Its values stand between tabs, and quotes mean nothing there."""
        is_one = self.places and line.count("\t") + 1 == len(self.places)
        return self.places if is_one and re.match(self.line, line) else ()

    def fits(self, header: tuple[str, ...], path: str) -> bool:
        """Whether a file with this header, at this path, is such an export."""
        there = {normal(column) for column in header}
        if self.is_only and len(there) > len(self.required):
            return False
        if not re.search(self.path, path.lower()):
            return False
        return all(there & self.spellings(column) for column in self.required)

    def spellings(self, header: str) -> set[str]:
        """What a header may be called, in the form in which headers are compared."""
        return {normal(text) for text in (header, *self.other_names.get(header, ()))}

    def to(self, source: str) -> tuple[Feed, ...]:
        """What it says to the tables of a source."""
        return tuple(feed for feed in self.feeds if feed.source == source)

    @cached_property
    def mark(self) -> str:
        """Changes whenever the declaration does."""
        return repr(replace(self, title=""))


@dataclass(frozen=True)
class UnreadExport:
    """An export that is known and not read: what it leaves out would have to be guessed.

    Args:
        title: what people are told that a file is.
        required: the headers by which it is known.
        instead: why it is not read and what to do, a sentence each.
    """

    title: str
    required: tuple[str, ...]
    instead: str

    def fits(self, header: tuple[str, ...]) -> bool:
        """Whether a file with this header is such an export."""
        return {normal(column) for column in self.required} <= {normal(each) for each in header}


@dataclass(frozen=True)
class Translation:
    """Rows of an export as rows of the layout of one of our tables.

    Args:
        export: what the file is.
        feed: which of our tables, and how.
        zone: the time zone that the shop's own times are in.
    """

    export: Export
    feed: Feed
    zone: str

    def headers_of(self, line: str) -> tuple[str, ...]:
        """The headers of a file that begins with this line and has none itself."""
        return self.export.headers_of(line)

    def known(self, header: tuple[str, ...]) -> set[int]:
        """Which columns of a header the feed reads."""
        return {index for column in self.feed.headers for index in self._places(column, header)}

    def left(self, header: tuple[str, ...]) -> set[int]:
        """Which columns never become attributes."""
        return {index for column in self.feed.leaves for index in self._places(column, header)}

    def batches(self, batches: Iterator[RawBatch]) -> Iterator[RawBatch]:
        """The file's rows under our names; a row that says nothing to the table is left out."""
        if not self.export.together:
            for batch in batches:
                yield from self._translated(batch)
            return
        read = list(batches)
        if read:
            whole = pa.concat_tables([self._needed(batch) for batch in read])
            yield from self._translated(replace(read[0], table=whole))

    def _needed(self, batch: RawBatch) -> pa.Table:
        """The batch with those columns only that the feed reads."""
        header = batch.header or ()
        read = set(range(len(header))) if self.feed.keeps_others else self.known(header)
        unread = [f"c{index}" for index in range(len(header)) if index not in read]
        return batch.table.drop_columns(unread)

    def _translated(self, batch: RawBatch) -> Iterator[RawBatch]:
        names, sql = self._query(batch)
        with connect() as connection:
            connection.execute("set timezone = 'UTC'")
            connection.register("chunk", batch.table)
            if batch.is_json:
                # A line that is no document is left as it is, for that to be told.
                is_one = "coalesce(json_valid(_raw) and starts_with(ltrim(_raw), '{'), false)"
                broken = connection.execute(f"from chunk where not {is_one}").to_arrow_table()
                documents = connection.execute(f"from chunk where {is_one}").to_arrow_table()
                connection.register("chunk", documents)
                if broken.num_rows:
                    yield replace(batch, table=broken)
            table = connection.execute(sql).to_arrow_table()
        is_told = table["_is_told"]
        table = table.drop_columns("_is_told")
        rows, left_out = table.filter(is_told), table.filter(pc.invert(is_told))
        typed = frozenset(range(len(names))) if self.export.point else frozenset[int]()
        for start in range(0, rows.num_rows, BATCH_ROWS):
            part = rows.slice(start, BATCH_ROWS)
            yield RawBatch(part, names, typed=typed, left_out=None if start else left_out)

    def _query(self, batch: RawBatch) -> tuple[tuple[str, ...], str]:
        """Our names of the columns, and the query over view `chunk` that fills them."""
        text = self._texts(batch)
        ours = {column: text(sql) for column, sql in self.feed.columns.items()}
        others = self._others(batch.header or ()) if self.feed.keeps_others else {}
        columns = {**ours, **others}
        parts, last = [], "chunk"
        if self.feed.items:
            parts.append(f"items as ({self._items_query(batch)})")
            last = "items"
        for number, step in enumerate(self.feed.steps):
            worked_out = ", ".join(f"{text(sql)} as {name(key)}" for key, sql in step.items())
            parts.append(f"step{number} as (select *, {worked_out} from {last})")
            last = f"step{number}"
        query = f"with {', '.join(parts)}" if parts else ""
        selected = ", ".join(
            f"coalesce(({sql})::varchar, '') as c{index}"
            for index, sql in enumerate(columns.values())
        )
        # What a row says, and how its file writes numbers and days, may stand on another row, so
        # all are worked out before some are left out.
        condition = text(self.feed.where or "true")
        query += (
            f" select _file, _line, coalesce({condition}, false) as _is_told, {selected}"
            f" from {last} order by _file, _line"
        )
        return tuple(columns), query

    def _items_query(self, batch: RawBatch) -> str:
        """The rows of view `chunk`, each once per item; what they were read from stays behind, as a
        long list beside each of its members would be long squared."""
        text = self._texts(batch)
        members = f"from_json({text(self.feed.items)}, '[\"json\"]')"
        headers = _HEADER.findall(self.feed.items)
        indexes = {i for header in headers for i in self._places(header, batch.header or ())}
        once = ", ".join(
            f"case when len(_items) > 0 then '' else c{index} end as c{index}"
            for index in sorted(indexes)
        )
        return (
            f"select * exclude (_items) {f'replace ({once})' if once else ''},"
            " unnest(case when len(_items) > 0 then _items else [null] end) as _item"
            f" from (select *, {members} as _items from chunk)"
        )

    def _texts(self, batch: RawBatch) -> Callable[[str], str]:
        """What puts the text of a header, or of a place in a document, into an expression."""

        def text(header: str) -> str:
            if header == ZONE:
                return literal(self.zone)
            if header.startswith(OF_ITEM):
                field = header.removeprefix(OF_ITEM)
                return f"nullif(trim(json_extract_string(_item, {literal('$.' + field)})), '')"
            if batch.header is None:
                return f"nullif(trim(json_extract_string(_raw, {literal('$.' + header)})), '')"
            places = self._places(header, batch.header)
            texts = [f"nullif(trim(c{index}), '')" for index in places]
            return f"coalesce({', '.join(texts)})" if len(texts) > 1 else (texts or ["null"])[0]

        return lambda sql: _HEADER.sub(lambda match: text(match[1]), sql)

    def _places(self, header: str, headers: tuple[str, ...]) -> list[int]:
        spellings = self.export.spellings(header)
        return [i for i, column in enumerate(headers) if normal(column) in spellings]

    def _others(self, headers: tuple[str, ...]) -> dict[str, str]:
        """Columns that the feed does not read, under their own headers, once each."""
        known = {normal(column) for column in self.feed.columns}
        for header in (*self.feed.headers, *self.feed.leaves):
            known |= self.export.spellings(header)
        others: dict[str, str] = {}
        for index, header in enumerate(headers):
            if header and normal(header) not in known:
                others.setdefault(header, f"c{index}")
        return others
