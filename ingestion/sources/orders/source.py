"""Orders: whole orders as Shopify writes them, or order lines in the shop's own columns.

What: `.jsonl`/`.json` hold Shopify Order JSON (REST and webhook shape), one order each;
`.csv`/`.parquet` hold order lines, whose columns `orders/mapping.yml` explains.
Key: `id` of an order; `line_id` of a line, else order id + goods + occurrence in the file.
Lateness: rows of any age are taken; an order sent again is a further version.
Bad day: a mapping that names a column no file has stops the run with the names that are there; one
file without a mapped column goes to quarantine whole. Negative prices are kept as adjustments; a
price that is no number, an unknown currency or an impossible date is quarantined.
Data flow: DIR/orders/ -> raw_orders.orders, raw_orders.order_lines
"""

from __future__ import annotations

from ingestion.errors import UsageError
from ingestion.files.folder import BrokenFileError, InputFile, InputFolder
from ingestion.files.mapping_file import unfit
from ingestion.files.reader import Reader
from ingestion.files.source import FolderSource, TableInput, header_check
from ingestion.files.survey import Survey
from ingestion.landing.fields import DOCUMENT_LIMIT, ID_SCOPE, Column, RowCheck, TableSpec
from ingestion.landing.numbers import is_card_number
from ingestion.sources.orders.mapping import (
    LINE_TYPES,
    MAPPING_FILE,
    Mapping,
    order_lines,
    read_mapping,
)


def _some(path: str, is_bad: str) -> str:
    """SQL: `is_bad` is true of some value `x` at the wildcard `path` of the payload."""
    values = f"json_extract_string(_raw, '{path}')"
    return f"len(list_filter({values}, lambda x: {is_bad})) > 0"


def _each(path: str, sql_type: str) -> str:
    """SQL: some value at the wildcard `path` of the payload is not of the type."""
    return _some(path, f"x is not null and try_cast(x as {sql_type}) is null")


# What the models read of a number with signs between its thousands or a decimal comma
# (macros/money.sql, number_from_text): only what cannot mean two numbers.
SPELT_NUMBER = (
    r"-?\d{1,3}(,\d{3})+[.]\d+|-?\d{1,3}(,\d{3}){2,}"
    r"|-?\d{1,3}([.]\d{3})+,\d+|-?\d+,(\d{1,2}|\d{4,})"
)


def _each_price(path: str) -> str:
    """SQL: some value at the wildcard `path` of the payload is no number that is read."""
    is_spelt = f"regexp_full_match(x, '{SPELT_NUMBER}')"
    is_bad = f"try_cast(x as decimal(18,4)) is null and not {is_spelt}"
    return _some(path, f"x is not null and {is_bad}")


# A card's own number is no token of it, so the document is kept without it.
WITHOUT_CARD_NUMBER = (
    "case when "
    + is_card_number("coalesce(json_extract_string({v}, '$.payment_fingerprint'), '')")
    + """ then json_merge_patch({v}, '{"payment_fingerprint": null}')::varchar else {v} end"""
)

ORDERS = TableSpec(
    name="orders",
    envelopes=("orders", "order", "data"),
    description="One row per version of an order in Shopify's JSON.",
    columns=(
        Column("order_id", sources=("id",), required=True),
        Column("created_at", "timestamp", required=True),
        Column("processed_at", "timestamp"),
        Column("updated_at", "timestamp"),
        Column("currency", currency=True, required=True),
        Column("presentment_currency", currency=True, stored=False),
        Column("total_price", "money", stored=False),
        Column("cancelled_at", stored=False),
        Column("payment_fingerprint", is_token=True, stored=False),
        Column(
            "payload",
            "json",
            sources=("$",),
            limit=DOCUMENT_LIMIT,
            transform=WITHOUT_CARD_NUMBER,
        ),
    ),
    derived=(ID_SCOPE,),
    numbers=("order_id",),
    row_checks=(
        # Whoever cancelled must not be taken for a buyer; a date of zeros means not cancelled.
        RowCheck(
            "wrong_type",
            "cancelled_at",
            "try_cast(cancelled_at as timestamptz) is null "
            "and not starts_with(cancelled_at, '0000-00-00') and trim(cancelled_at) <> ''",
            json_only=True,
        ),
        RowCheck(
            "wrong_type",
            "line_items",
            "coalesce(json_type(_raw, '$.line_items'), 'ARRAY') not in ('ARRAY', 'NULL')",
            json_only=True,
        ),
        RowCheck(
            "wrong_type",
            "line_items.price",
            _each_price("$.line_items[*].price"),
            json_only=True,
        ),
        RowCheck(
            "wrong_type",
            "line_items.quantity",
            _each("$.line_items[*].quantity", "bigint"),
            json_only=True,
        ),
        # A return of a whole order stands under `refunds`, so a quantity below zero means nothing.
        RowCheck(
            "negative_value",
            "line_items.quantity",
            _some("$.line_items[*].quantity", "try_cast(x as bigint) < 0"),
            json_only=True,
        ),
    ),
)

# Without a mapping, lines are expected under our own names.
PLAIN = Mapping.model_validate({"columns": {name: name for name in LINE_TYPES}})


def mapped_lines(folder: InputFolder) -> TableSpec | None:
    """The order lines as the folder's mapping declares them."""
    text = folder.text(MAPPING_FILE)
    if text is None:
        return None
    return order_lines(read_mapping(text, folder.shop), folder.zone)


def plain_table(folder: InputFolder, table: str) -> TableSpec:
    """The orders, or the order lines under our own names."""
    return ORDERS if table == ORDERS.name else order_lines(PLAIN, folder.zone)


def route(folder: InputFolder, files: list[InputFile], was_read_before: bool) -> list[TableInput]:
    """JSON files are orders, the others order lines under the mapping."""
    documents = [file for file in files if file.format == "json"]
    lines = [file for file in files if file.format != "json"]  # and what we cannot read
    text = folder.text(MAPPING_FILE) if lines else None
    mapping = read_mapping(text, folder.shop) if text is not None else PLAIN
    mapped = _MappedLines(mapping, was_read_before, text)
    spec = order_lines(mapping, folder.zone)
    hint = f"say `decimal` and `thousands` in {MAPPING_FILE}"
    return [
        TableInput(ORDERS, documents, header_check(ORDERS)),
        TableInput(
            spec,
            lines,
            mapped.check,
            mapped.after_reading,
            Survey(spec, hint),
            is_explicit=text is not None,
        ),
    ]


class _MappedLines:
    """Tells a mapping that is wrong from one odd file: the mapping is wrong if no file fits it."""

    def __init__(self, mapping: Mapping, was_read_before: bool, text: str | None) -> None:
        self.mapping = mapping
        self.fitted = was_read_before
        self.text = text
        self.first: tuple[str, str, str, tuple[str, ...]] | None = None

    def check(self, file: InputFile, header: tuple[str, ...]) -> None:
        """Refuse a file that lacks a mapped column."""
        compared = [(column, column) for column in self.mapping.file_columns]
        for name, column in (*self.mapping.columns.items(), *compared):
            needed = self.text is not None or name in ("order_id", "ordered_at", "quantity")
            if needed and column not in header:
                self.first = self.first or (file.path, name, column, header)
                shown = ", ".join(header[:30])
                raise BrokenFileError("missing_column", f"{column}; present: {shown}")
        self.fitted = True

    def after_reading(self, reader: Reader) -> None:
        """Stop if no file ever fitted: then it is the mapping that is wrong."""
        refused = [p for p, reason in reader.broken.items() if reason == "missing_column"]
        if self.fitted or not self.first or not refused:
            return
        path, name, column, header = self.first
        present = ", ".join(header[:30])
        if self.text is None:
            raise UsageError(
                f"{path} has no column {column} and there is no {MAPPING_FILE}; it has: {present}.",
                f"Write {MAPPING_FILE} to say which column means what.",
            )
        key = "returns.when" if name == column else f"columns.{name}"
        raise unfit(self.text, MAPPING_FILE, key, column, path, header)


SOURCE = FolderSource(
    "orders",
    "Orders, and order lines through a mapping.",
    (ORDERS, order_lines(PLAIN)),
    router=route,
    settings_file=MAPPING_FILE,
    mapped=mapped_lines,
    plain=plain_table,
)
