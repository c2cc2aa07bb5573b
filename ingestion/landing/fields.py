"""What a source's table looks like: declared once, compiled to the SQL that types and checks it.

A source file declares `TableSpec(columns=...)`; from it come the typed columns, the first reason
for which a row must go to quarantine, the row's id and the schema given to dlt.

Belongs here: column types, checks, reason codes, SQL expressions. Does not belong here: reading
files (`files/`), moving rows (`steps.py`) and counting them (`intake.py`), anything about one
source.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from ingestion.config import MAIN_SHOP_ID
from ingestion.duckdb import let, literal, name
from ingestion.landing.currencies import CURRENCIES
from ingestion.landing.numbers import NumberForm, is_ambiguous, is_card_number, plain_number
from ingestion.landing.times import DayOrder, day, may_be_two_days, moment
from ingestion.vocabulary import IDENTIFIER_TYPES

ColumnType = Literal[
    "text", "integer", "money", "price", "rate", "boolean", "timestamp", "date", "json"
]

# Reason codes are public: they stand in the quarantine table and in documentation, so they stay.
FILE_REASONS = (
    "unknown_format",
    "unreadable_file",
    "truncated_archive",
    "wrong_encoding",
    "bad_json_file",
    "missing_column",
    "no_header",
    "duplicate_column",
    "ambiguous_number",
    "bad_document",
)
ROW_REASONS = (
    "bad_json",
    "not_an_object",
    "duplicate_key",
    "bad_encoding",
    "bad_csv_line",
    "missing_value",
    "no_identifier",
    "wrong_type",
    "not_a_number",
    "ambiguous_number",
    "ambiguous_date",
    "date_out_of_range",
    "number_out_of_range",
    "negative_value",
    "unknown_currency",
    "unknown_value",
    "card_number",
    "ends_before_it_starts",
    "nul_character",
    "value_too_long",
    "nested_too_deep",
)

# Longest text and JSON value taken; what is longer is no name, address or event.
TEXT_LIMIT = 65_536
JSON_LIMIT = 262_144
DOCUMENT_LIMIT = 16_777_216
FIRST_DAY, LAST_DAY = "1990-01-01", "2101-01-01"
SEPARATOR = "chr(31)"

# Transforms that several sources use.
LOWER = "lower(trim({v}))"

DUCKDB_TYPES: dict[ColumnType, str] = {
    "text": "varchar",
    "integer": "bigint",
    "money": "decimal(18,4)",
    # What one piece costs may be a fraction of the smallest coin: 41,833 screws came to 115.00.
    "price": "decimal(26,12)",
    "rate": "decimal(18,8)",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "json": "varchar",
}
DLT_TYPES: dict[ColumnType, dict[str, Any]] = {
    "text": {"data_type": "text"},
    "integer": {"data_type": "bigint"},
    "money": {"data_type": "decimal", "precision": 18, "scale": 4},
    "price": {"data_type": "decimal", "precision": 26, "scale": 12},
    "rate": {"data_type": "decimal", "precision": 18, "scale": 8},
    "boolean": {"data_type": "bool"},
    "timestamp": {"data_type": "timestamp", "timezone": False, "precision": 6},
    "date": {"data_type": "date"},
    "json": {"data_type": "text"},
}


DAY_TYPES: tuple[ColumnType, ...] = ("timestamp", "date")
NUMBER_TYPES: tuple[ColumnType, ...] = ("integer", "money", "price", "rate")


@dataclass(frozen=True)
class Column:
    """One declared column.

    Args:
        name: its name in the raw table.
        type: see `ColumnType`; text of the wrong form goes to quarantine as `wrong_type`.
        sources: where it comes from, first found wins: dotted JSON paths, which in CSV and
            Parquet are header names (matched without case, spaces or underscores).
        aliases: other header names, looked for where a file has none of `sources`.
        required: a row without it goes to quarantine.
        expected: a CSV or Parquet file without this header goes to quarantine whole.
        allowed: the only values accepted (compared in lower case).
        minimum: a smaller number goes to quarantine; `exclusive` refuses equality too.
        first_day: for dates that may lie before 1990, such as birthdays.
        currency: the value must be an ISO 4217 code; it is stored in upper case.
        transform: SQL template with `{v}`, applied to the text before typing.
        restricts: its absence would permit more than its presence, or make money of another
            kind: a value that cannot be read refuses the row instead of being left empty.
        may_be_empty: JSON that cannot be read is left empty instead of refusing its row.
        kept_as_written: a value that cannot be used stays as text, because it may be a refusal.
        first_readable: of several sources, the first that is a possible moment counts, not the
            first that is there.
        zone: time zone of timestamps written without an offset.
        own_day_zone: time zone of timestamps that are a day without a time; `zone` unless said.
        pattern: strptime pattern for dates that are not ISO 8601.
        day_order: of a day and a month in figures, which comes first in this file.
        number_form: how numbers are written, where that is said; else it is worked out.
        order_fact: the value may stand on one line of an order and hold for all of them: `any`
            line's for the lines that have none, or `first` where only first lines ever have one.
        fallback: text for rows that have none, such as the shop's only currency.
        constant: a fixed text instead of a source.
        is_absent: always NULL, because this shop's files do not have it.
        is_token: it stands for a payment card, so the card's own number is no value of it.
        limit: longest text taken, in characters; 0 is the limit of its type.
        is_content: though not stored, something that is stored follows from it.
        stored: false for values that are only checked, such as prices nested in a payload.
        reduced: SQL template with `{v}` for the verdict that is kept of a free text; the text
            itself is kept nowhere (`reduction.py`).
        reduced_unless: a column with words of it that say that the row's text may be kept.
    """

    name: str
    type: ColumnType = "text"
    sources: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    required: bool = False
    expected: bool = False
    allowed: tuple[str, ...] = ()
    minimum: int | None = None
    exclusive: bool = False
    first_day: str = FIRST_DAY
    currency: bool = False
    transform: str = "{v}"
    restricts: bool = False
    may_be_empty: bool = False
    kept_as_written: bool = False
    first_readable: bool = False
    zone: str = "UTC"
    own_day_zone: str = ""
    pattern: str = ""
    day_order: DayOrder = ""
    number_form: NumberForm | None = None
    order_fact: Literal["", "any", "first"] = ""
    fallback: str = ""
    constant: str = ""
    is_absent: bool = False
    is_token: bool = False
    limit: int = 0
    is_content: bool = False
    stored: bool = True
    reduced: str = ""
    reduced_unless: tuple[str, tuple[str, ...]] = ("", ())

    @property
    def paths(self) -> tuple[str, ...]:
        """The places to look, which is the column's own name unless said otherwise."""
        if self.constant or self.is_absent:
            return ()
        return self.sources or (self.name,)

    @property
    def day_zone(self) -> str:
        """The time zone of a day without a time."""
        return self.own_day_zone or self.zone

    @property
    def refuses(self) -> bool:
        """Whether a value that cannot be read makes the row useless; else it is left empty."""
        is_json = self.type == "json" and not self.may_be_empty
        return self.required or self.restricts or is_json


# Whose row it is, where any kind of identifier will do.
IDENTIFIER_COLUMNS = (
    Column(
        "identifier_type", required=True, expected=True, allowed=IDENTIFIER_TYPES, transform=LOWER
    ),
    Column("identifier_value", required=True, expected=True),
)


@dataclass(frozen=True)
class RowCheck:
    """A condition over typed columns (and `_raw` for JSON) under which a row is refused."""

    reason: str
    field: str
    bad_when: str
    json_only: bool = False


@dataclass(frozen=True)
class TableSpec:
    """A raw table: what one row is, its columns and its checks.

    Args:
        name: the table's name inside `raw_<source>`.
        description: opens with "One row per".
        columns: declared columns.
        row_checks: conditions over several columns.
        derived: columns worked out from others: (name, type, SQL over typed columns).
        envelopes: keys under which a document may hold rows instead of being one, such as the
            `orders` of a saved API response.
        attributes: name of a JSON column that keeps columns we do not know; else they are counted.
        is_mapped: a mapping names its columns exactly and can say how numbers are written.
        line_key: name of a derived text column that says which rows of a file may be versions of
            one another, where rows have no id of their own; NULL where they have. Rows of one file
            that share it are different rows, told apart by their occurrence number.
        may_refuse: a row may say that somebody wants nothing more, so even files that are refused
            keep their text, for that to be found.
        numbers: columns of numbers that each shop gives by itself, of its orders, customers and
            products; a further shop's have its name before them, as those of its API.
        shop: the further shop that the rows at hand are of; a `shop_id` of their own says better.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    row_checks: tuple[RowCheck, ...] = ()
    derived: tuple[tuple[str, ColumnType, str], ...] = ()
    envelopes: tuple[str, ...] = ("data",)
    attributes: str = ""
    is_mapped: bool = False
    line_key: str = ""
    may_refuse: bool = False
    numbers: tuple[str, ...] = ()
    shop: str = ""

    @property
    def document_keys(self) -> tuple[str, ...]:
        """Keys that every row has: a document with them all is a row, whatever else it holds."""
        needed = (column for column in self.columns if column.required and len(column.paths) == 1)
        return tuple(column.paths[0] for column in needed if "." not in column.paths[0])

    @property
    def stored_columns(self) -> tuple[tuple[str, ColumnType], ...]:
        """Names and types of what lands in the raw table, without the bookkeeping columns."""
        own = tuple((column.name, column.type) for column in self.columns if column.stored)
        derived = tuple((name, kind) for name, kind, _ in self.derived)
        extra: tuple[tuple[str, ColumnType], ...] = ()
        if self.attributes:
            extra = ((self.attributes, "json"),)
        return own + derived + extra

    def dlt_columns(self) -> dict[str, dict[str, Any]]:
        """The schema declared to dlt, so that a column of NULLs exists too."""
        columns = {name: dict(DLT_TYPES[kind]) for name, kind in self.stored_columns}
        columns |= {name: dict(DLT_TYPES[kind]) for name, kind in BOOKKEEPING}
        columns["_row_id"] |= {"nullable": False, "primary_key": True}
        return columns


# Identifiers that are such numbers, where a row names any kind of identifier.
SHOP_IDENTIFIERS = ("shopify_customer_id", "orders_customer_id")
SHOP_NAME = r"[a-z][a-z0-9_]{0,31}"
# A derived column that keeps whose numbers a row's are; NULL for the shop without a name.
ID_SCOPE: tuple[str, ColumnType, str] = ("id_scope", "text", "_shop")


def shop_expression(spec: TableSpec) -> str:
    """SQL for the name before a row's numbers, over typed columns; NULL for the main shop."""
    shop = literal(spec.shop) if spec.shop else "null::varchar"
    if not any(column.name == "shop_id" for column in spec.columns):
        return shop
    return f"nullif(coalesce(nullif(trim(shop_id), ''), {shop}), {literal(MAIN_SHOP_ID)})"


def stored_expression(spec: TableSpec, column: str) -> str:
    """SQL for what is stored of a column: as it was read, or with the shop's name before it.

    Whoever writes `outlet:42` into a file of the outlet has said it already.
    """
    quoted = name(column)
    if column == "identifier_value" and any(c.name == "identifier_type" for c in spec.columns):
        types = ", ".join(map(literal, SHOP_IDENTIFIERS))
        condition = f"_shop is not null and identifier_type in ({types})"
    elif column in (*spec.numbers, spec.line_key):
        condition = "_shop is not null"
    else:
        return quoted
    number = f"nullif(trim({quoted}), '')"
    has_it = f"starts_with({number}, _shop || ':')"
    scoped = f"case when {has_it} then {number} else _shop || ':' || {number} end"
    return f"case when {condition} then {scoped} else {quoted} end as {quoted}"


BOOKKEEPING: tuple[tuple[str, ColumnType], ...] = (
    ("_row_id", "text"),
    ("_run_id", "text"),
    ("_file", "text"),
    ("_line", "integer"),
)

# Sums of amounts below it fit into what money is kept in, and no order of any currency reaches it
MONEY_LIMIT = 1_000_000_000_000
QUARANTINE_COLUMNS: tuple[tuple[str, ColumnType], ...] = (
    ("quarantine_id", "text"),
    ("table_name", "text"),
    ("file", "text"),
    ("line", "integer"),
    ("reason", "text"),
    ("field", "text"),
    ("raw_text", "text"),
    ("row_hash", "text"),
    ("run_id", "text"),
)


def json_path(dotted: str) -> str:
    """The JSONPath of a dotted source; `$` is the whole document, `[*]` every element."""
    if dotted == "$":
        return "$"
    parts = []
    for part in dotted.split("."):
        plain = part.removesuffix("[*]")
        escaped = plain.replace('"', '\\"')
        parts.append(f'."{escaped}"' + ("[*]" if part.endswith("[*]") else ""))
    return "$" + "".join(parts)


def text_name(column: Column) -> str:
    """The name of a column's text form while it is being checked."""
    return name(f"t.{column.name}")


def typed_expression(column: Column) -> str:
    """SQL that turns the column's text form into its type, or NULL where it cannot."""
    text = f"nullif(trim({text_name(column)}), '')"
    number = plain_number(text, column.number_form or "own")
    order, zones = column.day_order, (column.zone, column.day_zone)
    simple: dict[ColumnType, Callable[[], str]] = {
        "text": lambda: f"nullif({text_name(column)}, '')",
        "json": lambda: f"nullif({text_name(column)}, '')",
        "money": lambda: _decimal(number, "money"),
        "price": lambda: let("n", number, _price("n")),
        "rate": lambda: _decimal(number, "rate"),
        "integer": lambda: let("n", number, _integer("n")),
        "boolean": lambda: _boolean(text),
        # Within a CASE an engine trims a text anew wherever it stands: a name stands for it.
        "timestamp": lambda: let("s", text, moment("s", column.pattern, *zones, order)),
        "date": lambda: let("s", text, day("s", column.pattern, order)),
    }
    typed = simple[column.type]()
    if column.type not in ("text", "json"):
        # Columns are often empty; an engine works nothing out where no row has a text.
        typed = f"case when {text_name(column)} is not null then {typed} end"
    return f"upper(trim({typed}))" if column.currency else typed


def _decimal(text: str, kind: ColumnType) -> str:
    return f"try_cast({text} as {DUCKDB_TYPES[kind]})"


def _price(text: str) -> str:
    """A decimal of more than 18 digits is read forty times as slowly, and most need fewer."""
    narrow = f"try_cast({text} as decimal(18,8))::{DUCKDB_TYPES['price']}"
    is_short = f"length({text}) < 10 and not regexp_matches({text}, '[eE]')"
    return f"case when {is_short} then {narrow} else {_decimal(text, 'price')} end"


def _integer(text: str) -> str:
    number = f"try_cast({text} as decimal(38,4))"
    whole = f"case when {number} = trunc({number}) then try_cast({number} as bigint) end"
    is_plain = rf"regexp_full_match({text}, '-?\d{{1,18}}')"
    return f"case when {is_plain} then try_cast({text} as bigint) else {whole} end"


def _boolean(text: str) -> str:
    return (
        f"case when lower({text}) in ('true', 't', '1', '1.0', 'yes', 'y') then true "
        f"when lower({text}) in ('false', 'f', '0', '0.0', 'no', 'n') then false end"
    )


def possible_moment(column: Column, text: str) -> str:
    """SQL: whether the text is a moment within the column's range."""
    written = f"nullif(trim({text}), '')"
    read = moment(written, column.pattern, column.zone, column.day_zone, column.day_order)
    return f"{read} between date {literal(column.first_day)} and timestamp '{LAST_DAY}'"


def problems(spec: TableSpec, is_json: bool) -> str:
    """SQL that names a row's first problem as [reason, field], or NULL for a good row."""
    refusing = [column for column in spec.columns if column.refuses]
    cases = [case for column in refusing for case in _column_problems(column, is_json)]
    if spec.attributes:
        too_long = f"length({name(spec.attributes)}) > {JSON_LIMIT}"
        cases.append((too_long, "value_too_long", spec.attributes))
    cases += [
        (check.bad_when, check.reason, check.field)
        for check in spec.row_checks
        if is_json or not check.json_only
    ]
    if not cases:
        return "null::varchar[]"
    whens = "\n".join(
        f"when {condition} then [{literal(reason)}, {literal(field)}]"
        for condition, reason, field in cases
    )
    return f"case {whens} end"


def unreadable(spec: TableSpec, is_json: bool) -> dict[str, str]:
    """SQL conditions, by column, under which an optional value is left empty and counted."""
    # A document that is none has no values to look into.
    there = "{text} is not null and _form is null" if is_json else "{text} is not null"
    return {
        column.name: f"case when {there.format(text=text_name(column))} then "
        f"{' or '.join(f'({case[0]})' for case in problems)} end"
        for column in spec.columns
        if not column.refuses and (problems := _column_problems(column, is_json))
    }


def emptied_name(column: str) -> str:
    """The name of the flag that says that a row's value was left empty."""
    return name(f"e.{column}")


def cut_short(column: Column) -> str:
    """SQL: whether the number has more digits than are kept, beyond a computer's own noise."""
    text = f"nullif(trim({text_name(column)}), '')"
    exact = f"try_cast({plain_number(text, column.number_form or 'own')} as double)"
    kept = f"{name(column.name)}::double"
    digits = DLT_TYPES[column.type]["scale"]
    is_long = f"length({text_name(column)}) > {digits + 1}"
    return f"case when {is_long} then abs({exact} - {kept}) > 1e-9 * abs({exact}) end"


def cut_name(column: str) -> str:
    """The name of the flag that says that a row's number has more digits than are kept."""
    return name(f"c.{column}")


def cut_columns(spec: TableSpec) -> list[Column]:
    """The numbers that are kept with so many digits only."""
    kinds = ("money", "price", "rate")
    return [column for column in spec.columns if column.type in kinds and column.stored]


def two_days(column: Column) -> str:
    """SQL: whether the column's text was not read because it may be either of two days."""
    return f"{name(column.name)} is null and {may_be_two_days(text_name(column))}"


def two_days_name(column: str) -> str:
    """The name of the flag that says that a row's date may be either of two."""
    return name(f"d.{column}")


def day_columns(spec: TableSpec) -> list[Column]:
    """The optional dates and times that no pattern reads."""
    return [
        column
        for column in spec.columns
        if column.type in DAY_TYPES and not column.pattern and not column.refuses
    ]


def left_empty(column: Column) -> str:
    """SQL: the column's value where it can be read, else NULL, or its text where that is kept."""
    limit = column.limit or TEXT_LIMIT
    text = f"replace(left({text_name(column)}, {limit}), chr(0), '')"
    instead = text if column.kept_as_written else "null"
    return f"case when {emptied_name(column.name)} then {instead} else {name(column.name)} end"


def _column_problems(column: Column, is_json: bool) -> list[tuple[str, str, str]]:
    text, typed, field = text_name(column), name(column.name), column.name
    limit = column.limit or (JSON_LIMIT if column.type == "json" else TEXT_LIMIT)
    problems: list[tuple[str, str, str]] = []
    if column.required:
        problems.append((f"coalesce(trim({text}), '') = ''", "missing_value", field))
    if column.type in ("text", "json"):
        problems.append((f"length({text}) > {limit}", "value_too_long", field))
    if column.type == "text":
        problems += _text_problems(column, is_json)
    if column.may_be_empty:
        problems.append((f"not json_valid({text})", "wrong_type", field))
    if column.type in NUMBER_TYPES:
        problems += _number_problems(column)
    if column.type in DAY_TYPES and not column.pattern:
        problems.append((two_days(column), "ambiguous_date", field))
    if column.type not in ("text", "json"):
        problems.append((f"{typed} is null and trim({text}) <> ''", "wrong_type", field))
    if column.type in DAY_TYPES:
        out = f"{typed} < date {literal(column.first_day)} or {typed} >= date {literal(LAST_DAY)}"
        problems.append((out, "date_out_of_range", field))
    if column.minimum is not None:
        problems.append((f"{typed} < {column.minimum}", "negative_value", field))
        if column.exclusive:
            problems.append((f"{typed} = {column.minimum}", "number_out_of_range", field))
    if column.currency:
        known = ", ".join(literal(code) for code in sorted(CURRENCIES))
        problems.append((f"{typed} not in ({known})", "unknown_currency", field))
    if column.allowed:
        known = ", ".join(literal(value) for value in column.allowed)
        problems.append((f"lower(trim({text})) not in ({known})", "unknown_value", field))
    return problems


def _text_problems(column: Column, is_json: bool) -> list[tuple[str, str, str]]:
    text = text_name(column)
    problems = [(f"contains({text}, chr(0))", "nul_character", column.name)]
    if column.is_token:
        problems.append((is_card_number(text), "card_number", column.name))
    if is_json and column.paths:
        nested = f"starts_with({text}, '{{') or starts_with({text}, '[')"
        is_nested = f"({nested}) and {_nested_type(column)} in ('OBJECT', 'ARRAY')"
        problems.append((is_nested, "wrong_type", column.name))
    return problems


def _number_problems(column: Column) -> list[tuple[str, str, str]]:
    text, field = text_name(column), column.name
    unread = f"{name(field)} is null and trim({text}) <> ''"
    problems = []
    if column.number_form in (None, "own"):
        problems.append((f"{unread} and {is_ambiguous(text)}", "ambiguous_number", field))
    odd = rf"regexp_matches({text}, '(?i)^\s*[+-]?(nan|inf(inity)?)\s*$')"
    problems.append((f"{unread} and {odd}", "not_a_number", field))
    number = f"{unread} and try_cast(trim({text}) as double) is not null"
    large = f"{number} and abs(try_cast(trim({text}) as double)) >= 1e9"
    problems.append((large, "number_out_of_range", field))
    if column.type in ("money", "price"):
        too_much = f"abs({name(field)}) >= {MONEY_LIMIT}"
        problems.append((too_much, "number_out_of_range", field))
    return problems


def _nested_type(column: Column) -> str:
    types = [f"json_type(_raw, {literal(json_path(path))})" for path in column.paths]
    return f"coalesce({', '.join(types)})" if len(types) > 1 else types[0]


def content_id(spec: TableSpec) -> str:
    """SQL for the hash of a row's declared content, as written by the source.

    Names stand beside values and NULLs are left out, so declaring a further column later does not
    make every known row look new.
    """
    parts = [
        f"{literal(column.name + '=')} || nullif({text_name(column)}, '')"
        for column in spec.columns
        if (column.stored or column.is_content) and not column.constant
    ]
    if spec.attributes:
        parts.append(f"{literal(spec.attributes + '=')} || {name(spec.attributes)}")
    if spec.shop:
        parts.append(literal(f"shop={spec.shop}"))
    return f"md5(concat_ws({SEPARATOR}, {', '.join(parts)}))"
