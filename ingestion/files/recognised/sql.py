"""SQL that several exports need: amounts, shares of an amount, names, times, ticked boxes.

Each takes and gives SQL; texts are trimmed and NULL where they are empty.

Belongs here: what two exports say alike. Does not belong here: what one export alone says, how our
own columns are read (`landing/`).
"""

from __future__ import annotations

from ingestion.duckdb import literal
from ingestion.files.recognised.export import ZONE
from ingestion.landing.numbers import NumberForm, plain_number

_YES = ("yes", "true", "1", "y", "t", "on")
_NO = ("no", "false", "0", "n", "f", "off")


def amount(text: str, form: NumberForm = "point") -> str:
    """A number as money, whatever sign of a currency stands beside it."""
    return f"try_cast({plain_number(text, form)} as decimal(18, 4))"


def text_of(header: str, partition: str) -> str:
    """A text that stands on one of the rows of an order."""
    return f"max(@[{header}]) over (partition by {partition})"


def amount_of(header: str, partition: str) -> str:
    """An amount that stands on one of the rows of an order, or on each; 0 where it is on none."""
    return f"coalesce(max({amount(f'@[{header}]')}) over (partition by {partition}), 0)"


def share(total: str, weight: str, partition: str, order: str = "_line") -> str:
    """The part of an order's amount that falls to a row by its weight, to the cent.

    Running totals make the parts add up to the whole exactly.
    """
    window = f"partition by {partition} order by {order} rows"
    up_to_here = f"sum({weight}) over ({window} unbounded preceding)"
    before = f"({up_to_here} - {weight})"
    whole = f"nullif(sum({weight}) over (partition by {partition}), 0)"
    parts = (f"round({total} * {part} / {whole}, 2)" for part in (up_to_here, before))
    return f"coalesce({' - '.join(parts)}, 0)"


def tax_of_order(tax: str, partition: str, rows: str) -> str:
    """The tax of an order whose rows each have their own amount, on the first of these rows."""
    sums = f"sum({tax}) filter (where {rows}) over (partition by {partition})"
    first = f"row_number() over (partition by {partition}, {rows} order by _line) = 1"
    return f"case when {first} then {sums} end"


def first_name(full: str) -> str:
    """The first word of a name."""
    return rf"nullif(regexp_extract({full}, '^(\S+)'), '')"


def last_name(full: str) -> str:
    """All but the first word of a name."""
    return rf"nullif(trim(regexp_replace({full}, '^\S+', '')), '')"


def local(time: str) -> str:
    """A time without an offset, in the shop's zone."""
    return f"{time} || '[' || @[{ZONE}] || ']'"


def unquoted(text: str) -> str:
    """A text without the apostrophe that keeps a spreadsheet from reading a number."""
    return f"nullif(ltrim({text}, chr(39)), '')"


def ticked(text: str) -> str:
    """Whether a box says anything: neither empty nor plainly no."""
    return f"coalesce(lower({text}) not in ({_list(_NO)}), false)"


def choice(text: str) -> str:
    """The status of a consent that a ticked box gives; a word that is no plain yes stays."""
    return f"case when lower({text}) in ({_list(_YES)}) then 'granted' else {text} end"


def _list(words: tuple[str, ...]) -> str:
    return ", ".join(map(literal, words))
