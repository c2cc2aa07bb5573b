"""The SQL that reads a text as a moment or a day, in every form that systems write.

ISO 8601 in all its spellings, epoch seconds to microseconds, the dates of mail headers (RFC 2822),
twelve-hour clocks, English names of months, what JavaScript and Java write of a zone. 03/04/2026 is
the third of April to some and the fourth of March to others, so a day and a month in figures are
read by a pattern, by what their whole column shows (`DayOrder`), or where only one of the two
numbers can be a month; else not at all. 14/02/26 may besides begin with its year, so a moment whose
year has two digits is read only where its column shows that it does not. Of a day alone, such as a
birthday, two digits do not say the century either.

Belongs here: forms of times. Does not belong here: which moments are too early or too late, and
what becomes of a row whose time cannot be read (`fields.py`).
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Literal

from ingestion.duckdb import let, literal

# Which comes first where day and month are figures: said by no pattern, shown by a column's values.
# With `yy` it shows as well that two digits at the end are the year.
DayOrder = Literal["", "dmy", "mdy", "dmyy", "mdyy"]

ZONE = r"(Z|z|UTC|UT|GMT|[+-]\d\d:?\d\d|[+-]\d\d)"
CLOCK = r"(?:\d:\d\d(?::\d\d(?:[.,]\d+)?)?|T\d\d|T\d{4}|T\d{6})"
HALF_DAY = r"\s*([AaPp])\.?[Mm]\.?$"
WEEKDAY = r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s+"
DAYS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d %Y", "%B %d %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_DAY, _MONTH, _ONLY_DAY = r"(\d\d?)", r"(\d\d?)", r"(1[3-9]|2\d|3[01])"
_ONLY_MONTH, _YEAR = r"(0?[1-9]|1[0-2])", r"(\d{4})($|\D)"
# As figures with points, slashes or hyphens, and what makes year, month and day of them.
FIGURES: dict[DayOrder, tuple[tuple[str, str], ...]] = {
    "dmy": ((rf"^{_DAY}[./-]{_MONTH}[./-]{_YEAR}", r"\3-\2-\1\4"),),
    "mdy": ((rf"^{_MONTH}[./-]{_DAY}[./-]{_YEAR}", r"\3-\1-\2\4"),),
    "": (
        (rf"^{_ONLY_DAY}[./-]{_ONLY_MONTH}[./-]{_YEAR}", r"\3-\2-\1\4"),
        (rf"^{_ONLY_MONTH}[./-]{_ONLY_DAY}[./-]{_YEAR}", r"\3-\1-\2\4"),
    ),
}
# The year's century, as POSIX has it but for 69.
_CENTURIES = (("20", r"([0-6]\d)($|\D)"), ("19", r"([7-9]\d)($|\D)"))
FIGURES["dmyy"] = FIGURES["dmy"] + tuple(
    (rf"^{_DAY}[./-]{_MONTH}[./-]{year}", rf"{century}\3-\2-\1\4") for century, year in _CENTURIES
)
FIGURES["mdyy"] = FIGURES["mdy"] + tuple(
    (rf"^{_MONTH}[./-]{_DAY}[./-]{year}", rf"{century}\3-\1-\2\4") for century, year in _CENTURIES
)
DAY_IN_FIGURES = r"^\s*\d\d?[./-]\d\d?[./-](\d{4}|\d\d)(\D|$)"
_SHORT_YEAR = r"^\d\d?[./-]\d\d?[./-]\d\d($|\D)"
_SHORT_DAY_FIRST = rf"^{_ONLY_DAY}[./-]{_ONLY_MONTH}[./-]\d\d($|\D)"
_SHORT_MONTH_FIRST = rf"^{_ONLY_MONTH}[./-]{_ONLY_DAY}[./-]\d\d($|\D)"
# A year of one digit, or a day above 31 or of zeros: nobody's year stands first here.
_NO_YEAR_FIRST = r"^(\d[./-]\d\d?[./-]\d\d|\d\d?[./-]\d\d?[./-](3[2-9]|[4-9]\d|00))($|\D)"
_EITHER = rf"^{_ONLY_MONTH}[./-]{_ONLY_MONTH}[./-]{_YEAR}"
# No place on earth is further from UTC than fourteen hours, and no hour has more than 59 minutes.
_NO_OFFSET = (
    r"(:\d\d|T\d\d|T\d{4}|T\d{6})([.,]\d+)?\s*(GMT|UTC)?"
    r"[+-]((1[5-9]|[2-9]\d)(:?\d\d)?|\d\d:?[6-9]\d)(\s*[\[(].*)?$"
)
COMPACT = ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M")


def moment(text: str, pattern: str, zone: str, day_zone: str, order: DayOrder = "") -> str:
    """SQL: the moment in UTC, or NULL.

    Args:
        text: SQL of the text, trimmed and not empty.
        pattern: a strptime pattern that the text follows, instead of the forms above.
        zone: time zone of times written without an offset.
        day_zone: time zone of days written without a time.
        order: which comes first of a day and a month in figures.
    """
    if pattern:
        return _by_pattern(text, pattern, zone)
    offset = rf"regexp_matches({text}, ':\d\d(\.\d+)?(Z|z|\s*UTC|\s*GMT|[+-]\d\d(:?\d\d)?)$')"
    # A plain cast to TIMESTAMP silently drops the offset, so offsets go through TIMESTAMPTZ.
    plain = (
        f"case when {offset} then try_cast({text} as timestamptz) at time zone 'UTC' "
        f"else {_local_to_utc(text, f'try_cast({text} as timestamp)', zone, day_zone)} end"
    )
    slow = let("t", _named_zone_apart(text), _any_form("t", zone, day_zone, order))
    return (
        # A cast takes the first of 02/03/26 for the year 2.
        f"case when regexp_matches({text}, {literal(_SHORT_YEAR)}) "
        f"then {slow if order.endswith('yy') else 'null'} "
        # Most times end in Z, and need no other regular expression.
        rf"when suffix({text}, 'Z') then coalesce(try_cast({text} as timestamp), {slow}) "
        rf"when regexp_full_match({text}, '\d{{9,10}}(\.\d+)?') "
        rf"then make_timestamp(try_cast(round(try_cast({text} as double) * 1000000) as bigint)) "
        rf"when regexp_full_match({text}, '\d{{12,13}}') "
        rf"then make_timestamp(try_cast({text} as bigint) * 1000) "
        rf"when regexp_full_match({text}, '\d{{15,16}}') "
        rf"then make_timestamp(try_cast({text} as bigint)) "
        rf"when regexp_matches({text}, {literal(_NO_OFFSET)}) then null "
        rf"else coalesce({plain}, {slow}) end"
    )


def day(text: str, pattern: str, order: DayOrder = "") -> str:
    """SQL: the day as it is written, whatever the time and the offset beside it, or NULL."""
    if pattern:
        return f"try_strptime({text}, {literal(pattern)})::date"
    clean = f"regexp_replace({_named_zone_apart(text)}, '\\[.*$', '')"
    # Whose birthday 14/02/26 is may be a hundred years old, or a baby.
    full: DayOrder = "dmy" if order == "dmyy" else "mdy" if order == "mdyy" else order
    written = let("t", clean, f"try_cast({_written('t', _zone('t'), full)} as date)")
    return f"coalesce(try_cast({text} as date), {written})"


def may_be_two_days(text: str) -> str:
    """SQL: whether the text begins with figures of which several may be the day, or the year."""
    return f"regexp_matches(trim({text}), {literal(f'{_EITHER}|{_SHORT_YEAR}')})"


@dataclass(frozen=True)
class DayEvidence:
    """How many texts of a column show what comes first of a day and a month in figures, apart by
    whether their year has four digits or two; and how many show that no year comes first."""

    day_first: int = 0
    month_first: int = 0
    short_day_first: int = 0
    short_month_first: int = 0
    no_year_first: int = 0

    def __add__(self, other: DayEvidence) -> DayEvidence:
        """The evidence of both."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return DayEvidence(*(one + another for one, another in pairs))

    @property
    def order(self) -> DayOrder:
        """What all of it shows; empty where it shows nothing, or both."""
        # The second of 02/14/26 can be no month, the first of 14/02/26 may be a year.
        short_days = self.short_day_first if self.no_year_first else 0
        days, months = self.day_first + short_days, self.month_first + self.short_month_first
        if bool(days) == bool(months) or (months and self.short_day_first):
            return ""
        if days:
            return "dmyy" if short_days else "dmy"
        return "mdyy" if self.short_month_first else "mdy"


def day_evidence(values: str) -> str:
    """The query for what the texts in column `value` of the query `values` show, as the fields of
    `DayEvidence` in their order."""
    patterns = (
        *(pattern for pattern, _ in FIGURES[""]),
        *(_SHORT_DAY_FIRST, _SHORT_MONTH_FIRST, _NO_YEAR_FIRST),
    )
    counts = ", ".join(
        f"count(*) filter (where regexp_matches(trim(value), {literal(pattern)}))"
        for pattern in patterns
    )
    return f"select {counts} from ({values})"


def _by_pattern(text: str, pattern: str, zone: str) -> str:
    read = f"try_strptime({text}, {literal(pattern)})"
    is_wrong = f"regexp_matches({text}, {literal(_NO_OFFSET)})"
    if "%z" in pattern or "%Z" in pattern:
        # the row says its own offset
        return f"case when not {is_wrong} then {read} at time zone 'UTC' end"
    return _to_utc(read, zone)


def _named_zone_apart(text: str) -> str:
    """SQL: the text without a zone's name in round brackets, which only repeats the offset before
    it, as JavaScript writes it; one in square brackets, as Java does, stays."""
    bare = rf"regexp_replace({text}, '\s*\([^()]*\)$', '')"
    return rf"regexp_replace({bare}, '(?:GMT|UTC)([+-]\d)', '\1')"


def _any_form(text: str, zone: str, day_zone: str, order: DayOrder) -> str:
    """SQL: the moment in UTC of a text that no cast reads."""
    named = rf"regexp_extract({text}, '\[([A-Za-z0-9_/+-]+)\]$', 1)"
    bare = rf"regexp_replace({text}, '\[[^\[\]]*\]$', '')"
    return let("z", named, let("b", bare, _bare_form("b", "z", zone, day_zone, order)))


def _bare_form(text: str, named: str, zone: str, day_zone: str, order: DayOrder) -> str:
    minutes = (
        "case when o in ('', 'Z', 'z', 'UTC', 'UT', 'GMT') then 0 "
        "else try_cast(o[1] || '1' as integer) * (try_cast(o[2:3] as integer) * 60 "
        "+ coalesce(try_cast(replace(o[4:], ':', '') as integer), 0)) end"
    )
    local = _local_to_utc(text, "w", zone, day_zone)
    in_named = f"try_cast(w::varchar || ' ' || {named} as timestamptz) at time zone 'UTC'"
    shifted = (
        f"case when o <> '' then w - to_minutes({minutes}) "
        f"when {named} <> '' then {in_named} "
        f"else {local} end"
    )
    return let("o", _zone(text), let("w", _written(text, "o", order), shifted))


def _zone(text: str) -> str:
    """SQL: the offset or zone that stands after a time of day; empty without one."""
    return f"regexp_extract({text}, '{CLOCK}\\s*(?:[AaPp]\\.?[Mm]\\.?)?\\s*{ZONE}$', 1)"


def _written(text: str, zone: str, order: DayOrder) -> str:
    """SQL: date and time as they are written, the zone left out."""
    plain = f"trim({text}[:length({text}) - length({zone})])"
    for pattern, instead in (
        (WEEKDAY, ""),
        (r"([:\d]\d),(\d{1,9})$", r"\1.\2"),  # a decimal comma
        (HALF_DAY, r" \1M"),
        (r"^(\d{4})[./](\d\d?)[./](\d\d?)", r"\1-\2-\3"),
        *FIGURES[order],
        (r"^(\d{4}-\d\d?-\d\d?)T", r"\1 "),
        (r"^(\d{4}-\d\d?-\d\d?) (\d\d)$", r"\1 \2:00"),
    ):
        plain = f"regexp_replace({plain}, {literal(pattern)}, {literal(instead)})"
    plain = rf"regexp_replace({plain}, '[\s,]+', ' ', 'g')"
    forms = ", ".join(literal(date + clock) for date in DAYS for clock in CLOCKS)
    compact = ", ".join(literal(form) for form in COMPACT)
    read = (
        rf"case when regexp_full_match(p, '\d{{8}}(T\d{{4}}(\d\d)?)?') "
        rf"then try_strptime(p, [{compact}]) "
        rf"else coalesce(try_cast(p as timestamp), try_strptime(p, [{forms}])) end"
    )
    return let("p", plain, read)


def _local_to_utc(text: str, naive: str, zone: str, day_zone: str) -> str:
    if zone == day_zone:
        return _to_utc(naive, zone)
    has_clock = f"contains({text}, ':')"
    return f"case when {has_clock} then {_to_utc(naive, zone)} else {_to_utc(naive, day_zone)} end"


def _to_utc(naive: str, zone: str) -> str:
    if zone == "UTC":
        return naive
    return f"timezone({literal(zone)}, {naive}) at time zone 'UTC'"
