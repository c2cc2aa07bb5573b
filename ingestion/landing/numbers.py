"""The SQL that reads a text as a number, and what of a file decides how its numbers are written.

12,50 and 1.234,50 are numbers of one half of the world, 12.50 and 1,234.50 of the other; 1.250 is
both. Which sign is the decimal one is decided for a whole file, by its values that can be read one
way only, or said in the mapping; what nothing decides is never guessed.

Belongs here: signs, currencies and brackets around figures, the decision. Does not belong here:
what becomes of a row or file whose numbers cannot be read (`fields.py`, `survey.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ingestion.duckdb import let
from ingestion.landing.currencies import CURRENCIES

# How a column's numbers are read: with a decimal point, with a decimal comma, each value on its own
# where it can be read one way only, or as JSON has them, where a lone point is the decimal one.
NumberForm = Literal["point", "comma", "own", "json"]

_SIGNS = (
    r"[A-Z]{0,3}\p{Sc}",
    *sorted(CURRENCIES),
    *(r"[Kk]r\.?", "zł", "Kč", "Ft", r"Fr\.?", r"Rs\.?", "lei", r"лв\.?", r"руб\.?", r"R\$"),
)
_CURRENCY = f"(?:{'|'.join(_SIGNS)})?"
_FIGURES = r"(?:\d|[.,]\d)(?:[\d.,'’ ]*\d)?[.,]?"
_SHAPE = (
    rf"^{_CURRENCY} *(\()? *([+-]?) *{_CURRENCY} *([+-]?) *({_FIGURES})"
    rf" *{_CURRENCY} *(-?) *(\))? *{_CURRENCY}$"
)
_BLANKS = r"[\s\x{00A0}\x{202F}\x{2007}\x{2009}]"
# Figures and signs of Japanese and Arabic keyboards.
_WIDE = "０１２３４５６７８９．，－＋（）￥٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬"
_NARROW = "0123456789.,-+()¥01234567890123456789.,"
_PLAIN = r"[+-]?\d+"
_PLAIN_POINT = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_EXPONENT = r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+"


def _written_with(thousands: str, decimal: str) -> str:
    # Groups of two stand before the last one of three in India.
    groups = (rf"{thousands}\d{{2,3}})*{thousands}\d{{3}}", r" \d{3})+", r"['’]\d{3})+")
    grouped = "|".join(rf"[1-9]\d{{0,2}}(?:{group}" for group in groups)
    return rf"(?:{grouped}|\d+)?(?:{decimal}\d*)?"


_POINT = _written_with(",", r"\.")
_COMMA = _written_with(r"\.", ",")
_AMBIGUOUS = r"[1-9]\d{0,2}[.,]\d{3}"
_AMBIGUOUS_IN_JSON = r"[1-9]\d{0,2},\d{3}"


@dataclass(frozen=True)
class Evidence:
    """How many different values of a column can be read one way only, and how many both ways."""

    point: int = 0
    comma: int = 0
    ambiguous: int = 0

    @property
    def form(self) -> NumberForm:
        """What the column itself says; `own` where it says nothing or both."""
        if self.point and not self.comma:
            return "point"
        return "comma" if self.comma and not self.point else "own"


def plain_number(text: str, form: NumberForm) -> str:
    """SQL: the number as figures with a decimal point, or NULL where it cannot be read.

    Args:
        text: SQL of the text, trimmed and not empty.
        form: how the column's numbers are written.
    """
    fast = _PLAIN_POINT if form in ("point", "json") else f"{_PLAIN}|{_EXPONENT}"
    sign = "case when (f['o'] = '(') or '-' in (f['a'], f['b'], f['z']) then '-' else '' end"
    signs = "length(f['o'] || f['a'] || f['b'] || f['z'])"
    is_sound = f"(f['o'] = '') = (f['c'] = '') and {signs} <= 1"
    digits = f"case when {is_sound} then {sign} || ({_digits('n', form)}) end"
    body = let("f", _parts("t"), let("n", "f['n']", digits))
    slow = let("t", text, body)
    return f"case when regexp_full_match({text}, '{fast}') then {text} else {slow} end"


def is_ambiguous(text: str) -> str:
    """SQL: whether the text may mean two numbers."""
    return f"regexp_full_match({_figures(text)}, '{_AMBIGUOUS}')"


def evidence(values: str) -> str:
    """The query for an `Evidence` of the texts in column `value` of the query `values`."""
    point, comma = (f"regexp_full_match(n, '{form}')" for form in (_POINT, _COMMA))
    has_sign = "contains(value, '.') or contains(value, ',')"
    narrow = f"select {_narrow('value')} as value from ({values})"
    signed = f"select distinct trim(value) as value from ({narrow}) where {has_sign}"
    return f"""
        with figures as (select {_figures("value")} as n from ({signed}))
        select count(*) filter (where {point} and not {comma}),
            count(*) filter (where {comma} and not {point}),
            count(*) filter (where {point} and {comma} and regexp_full_match(n, '{_AMBIGUOUS}'))
        from figures where n <> ''
    """


def is_card_number(text: str) -> str:
    """SQL: whether a text is the number of a payment card: 13 to 19 digits, perhaps in groups, of
    which the last one checks the others (ISO/IEC 7812)."""
    digits = f"regexp_replace({text}, '[ -]', '', 'g')"
    digit = "cast(reverse(d)[i] as integer)"
    doubled = f"2 * {digit} - case when {digit} > 4 then 9 else 0 end"
    checked = (
        f"list_sum(list_transform(range(1, length(d) + 1), lambda i: "
        f"case when i % 2 = 0 then {doubled} else {digit} end)) % 10 = 0"
    ).replace("(d)", f"({digits})")
    looks = f"regexp_full_match({digits}, '[2-6][0-9]{{12,18}}')"
    return f"case when {looks} then {checked} else false end"


def _digits(name: str, form: NumberForm) -> str:
    point = f"regexp_replace({name}, '[^0-9.]', '', 'g')"
    comma = f"replace(regexp_replace({name}, '[^0-9,]', '', 'g'), ',', '.')"
    ways = {"point": ((_POINT, point),), "comma": ((_COMMA, comma),)}.get(
        form, ((_POINT, point), (_COMMA, comma))
    )
    both = {"own": _AMBIGUOUS, "json": _AMBIGUOUS_IN_JSON}.get(form)
    unclear = f"when regexp_full_match({name}, '{both}') then null " if both else ""
    whens = " ".join(f"when regexp_full_match({name}, '{way}') then {to}" for way, to in ways)
    return f"case when {name} = '' then null {unclear}{whens} end"


def _parts(text: str) -> str:
    """SQL: brackets, signs and figures of a text; all empty where it has another shape."""
    clean = f"replace(regexp_replace({_narrow(text)}, '{_BLANKS}+', ' ', 'g'), '−', '-')"
    # 12,- is a price without cents, not a number below zero.
    clean = f"trim(regexp_replace({clean}, '[.,][-–—]+', ''))"
    return f"regexp_extract({clean}, '{_quoted(_SHAPE)}', ['o', 'a', 'b', 'n', 'z', 'c'])"


def _narrow(text: str) -> str:
    return f"translate({text}, '{_WIDE}', '{_NARROW}')"


def _figures(text: str) -> str:
    return f"({_parts(text)})['n']"


def _quoted(pattern: str) -> str:
    return pattern.replace("'", "''")


_POINT, _COMMA = _quoted(_POINT), _quoted(_COMMA)
