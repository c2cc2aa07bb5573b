"""The SQL that reads a text as a moment or a day, in every form that systems write.

ISO 8601 in all its spellings, epoch seconds to microseconds, the dates of mail headers (RFC 2822),
twelve-hour clocks, English names of months. 03/04/2026 is the third of April to some and the fourth
of March to others, so days and months in figures are read by a pattern or not at all.

Belongs here: forms of times. Does not belong here: which moments are too early or too late, and
what becomes of a row whose time cannot be read (`fields.py`).
"""

from __future__ import annotations

from ingestion.duckdb import let, quote

ZONE = r"(Z|z|UTC|UT|GMT|[+-]\d\d:?\d\d|[+-]\d\d)"
CLOCK = r"(?:\d:\d\d(?::\d\d(?:[.,]\d+)?)?|T\d\d|T\d{4}|T\d{6})"
HALF_DAY = r"\s*([AaPp])\.?[Mm]\.?$"
WEEKDAY = r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s+"
DAYS = ("%Y-%m-%d", "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%b %d %Y", "%B %d %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
COMPACT = ("%Y%m%d", "%Y%m%dT%H%M%S", "%Y%m%dT%H%M")


def moment(text: str, pattern: str, zone: str, day_zone: str) -> str:
    """SQL: the moment in UTC, or NULL.

    Args:
        text: SQL of the text, trimmed and not empty.
        pattern: a strptime pattern that the text follows, instead of the forms above.
        zone: time zone of times written without an offset.
        day_zone: time zone of days written without a time.
    """
    if pattern:
        return _by_pattern(text, pattern, zone)
    offset = rf"regexp_matches({text}, ':\d\d(\.\d+)?(Z|z|\s*UTC|\s*GMT|[+-]\d\d(:?\d\d)?)$')"
    # A plain cast to TIMESTAMP silently drops the offset, so offsets go through TIMESTAMPTZ.
    plain = (
        f"case when {offset} then try_cast({text} as timestamptz) at time zone 'UTC' "
        f"else {_local_to_utc(text, f'try_cast({text} as timestamp)', zone, day_zone)} end"
    )
    slow = let("t", text, _any_form("t", zone, day_zone))
    return (
        # Most times end in Z, and need no regular expression.
        rf"case when suffix({text}, 'Z') then coalesce(try_cast({text} as timestamp), {slow}) "
        rf"when regexp_full_match({text}, '\d{{9,10}}(\.\d+)?') "
        rf"then make_timestamp(try_cast(round(try_cast({text} as double) * 1000000) as bigint)) "
        rf"when regexp_full_match({text}, '\d{{12,13}}') "
        rf"then make_timestamp(try_cast({text} as bigint) * 1000) "
        rf"when regexp_full_match({text}, '\d{{15,16}}') "
        rf"then make_timestamp(try_cast({text} as bigint)) "
        rf"else coalesce({plain}, {slow}) end"
    )


def day(text: str, pattern: str) -> str:
    """SQL: the day as it is written, whatever the time and the offset beside it, or NULL."""
    if pattern:
        return f"try_strptime({text}, {quote(pattern)})::date"
    written = let("t", text, f"try_cast({_written('t', _zone('t'))} as date)")
    return f"coalesce(try_cast({text} as date), {written})"


def _by_pattern(text: str, pattern: str, zone: str) -> str:
    read = f"try_strptime({text}, {quote(pattern)})"
    if "%z" in pattern or "%Z" in pattern:
        return f"{read} at time zone 'UTC'"  # the row says its own offset
    return _to_utc(read, zone)


def _any_form(text: str, zone: str, day_zone: str) -> str:
    """SQL: the moment in UTC of a text that no cast reads."""
    minutes = (
        "case when o in ('', 'Z', 'z', 'UTC', 'UT', 'GMT') then 0 "
        "else try_cast(o[1] || '1' as integer) * (try_cast(o[2:3] as integer) * 60 "
        "+ coalesce(try_cast(replace(o[4:], ':', '') as integer), 0)) end"
    )
    local = _local_to_utc(text, "w", zone, day_zone)
    shifted = f"case when o = '' then {local} else w - to_minutes({minutes}) end"
    return let("o", _zone(text), let("w", _written(text, "o"), shifted))


def _zone(text: str) -> str:
    """SQL: the offset or zone that stands after a time of day; empty without one."""
    return f"regexp_extract({text}, '{CLOCK}\\s*(?:[AaPp]\\.?[Mm]\\.?)?\\s*{ZONE}$', 1)"


def _written(text: str, zone: str) -> str:
    """SQL: date and time as they are written, the zone left out."""
    plain = f"trim({text}[:length({text}) - length({zone})])"
    for found, instead in (
        (WEEKDAY, ""),
        (r"([:\d]\d),(\d{1,9})$", r"\1.\2"),  # a decimal comma
        (HALF_DAY, r" \1M"),
        (r"^(\d{4})[./](\d\d?)[./](\d\d?)", r"\1-\2-\3"),
        (r"^(\d{4}-\d\d?-\d\d?)T", r"\1 "),
        (r"^(\d{4}-\d\d?-\d\d?) (\d\d)$", r"\1 \2:00"),
    ):
        plain = f"regexp_replace({plain}, {quote(found)}, {quote(instead)})"
    plain = rf"regexp_replace({plain}, '[\s,]+', ' ', 'g')"
    forms = ", ".join(quote(date + clock) for date in DAYS for clock in CLOCKS)
    compact = ", ".join(quote(form) for form in COMPACT)
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
    return f"timezone({quote(zone)}, {naive}) at time zone 'UTC'"
