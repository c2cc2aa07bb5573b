"""Typing and checks of single values, as the SQL that fields.py writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

import duckdb
import pyarrow as pa
import pytest

from ingestion.landing.batch import RawBatch
from ingestion.landing.fields import Column, TableSpec
from ingestion.landing.judging import judged_rows
from ingestion.landing.times import DayEvidence, day_evidence


def judge(column: Column, text: str) -> tuple[Any, str | None]:
    """The typed value and the reason, read from a CSV-like column."""
    spec = TableSpec("t", "One row per test.", (column, Column("other")))
    table = pa.table({"_file": ["f"], "_line": [1], "c0": [text], "c1": ["x"]})
    batch = RawBatch(table, (column.name, "other"))
    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        connection.register("chunk", table)
        row = connection.execute(
            f'select "{column.name}", _problem[1] from ({judged_rows(spec, batch)})'
        ).fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02 03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02", datetime(2026, 1, 2)),
        ("2026-01-02T03:04:05.678901+05:45", datetime(2026, 1, 1, 21, 19, 5, 678901)),
        ("2026-01-02T03:04:05-0500", datetime(2026, 1, 2, 8, 4, 5)),
        ("2026-01-02T03:04:05+05", datetime(2026, 1, 1, 22, 4, 5)),
        ("2026-01-02 03:04:05 UTC", datetime(2026, 1, 2, 3, 4, 5)),
        ("1767323045", datetime(2026, 1, 2, 3, 4, 5)),
        ("1767323045.5", datetime(2026, 1, 2, 3, 4, 5, 500000)),
        ("1767323045678", datetime(2026, 1, 2, 3, 4, 5, 678000)),
        ("1767323045678901", datetime(2026, 1, 2, 3, 4, 5, 678901)),
        ("2026-01-02T03:04Z", datetime(2026, 1, 2, 3, 4)),
        ("2026-01-02 03:04+01:00", datetime(2026, 1, 2, 2, 4)),
        ("2026-01-02 03:04:05 +0100", datetime(2026, 1, 2, 2, 4, 5)),
        ("2026-01-02 23:30:00 -05:00", datetime(2026, 1, 3, 4, 30)),
        ("2026-01-02T03:04:05,123Z", datetime(2026, 1, 2, 3, 4, 5, 123000)),
        ("2026-01-02T03:04", datetime(2026, 1, 2, 3, 4)),
        ("20260102T030405Z", datetime(2026, 1, 2, 3, 4, 5)),
        ("20260102", datetime(2026, 1, 2)),
        ("2026/01/02 03:04:05", datetime(2026, 1, 2, 3, 4, 5)),
        ("Fri, 02 Jan 2026 03:04:05 GMT", datetime(2026, 1, 2, 3, 4, 5)),
        ("Fri, 2 Jan 2026 03:04:05 -0130", datetime(2026, 1, 2, 4, 34, 5)),
        ("2026-01-02 10:00 AM", datetime(2026, 1, 2, 10)),
        ("2026-01-02 10:00:05 p.m. +0100", datetime(2026, 1, 2, 21, 0, 5)),
        ("2 Jan 2026 12:05 am", datetime(2026, 1, 2, 0, 5)),
        ("January 2, 2026", datetime(2026, 1, 2)),
    ],
)
def test_times_become_utc(text: str, expected: datetime) -> None:
    assert judge(Column("at", "timestamp"), text) == (expected, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2011-01-15 12:00:00", datetime(2011, 1, 15, 12)),
        ("2011-06-15 12:00:00", datetime(2011, 6, 15, 11)),
        ("2011-03-27 00:59:59", datetime(2011, 3, 27, 0, 59, 59)),
        ("2011-03-27 02:00:00", datetime(2011, 3, 27, 1)),
        ("2011-10-30 00:59:59", datetime(2011, 10, 29, 23, 59, 59)),
        ("2011-10-30 02:00:00", datetime(2011, 10, 30, 2)),
        ("2011-06-15T12:00:00Z", datetime(2011, 6, 15, 12)),
    ],
)
def test_a_zone_without_offset_follows_its_clock_changes(text: str, expected: datetime) -> None:
    column = Column("at", "timestamp", zone="Europe/London")
    assert judge(column, text) == (expected, None)


def test_a_pattern_reads_other_dates() -> None:
    column = Column("at", "timestamp", pattern="%d/%m/%Y %H:%M", required=True)
    assert judge(column, "02/01/2026 03:04") == (datetime(2026, 1, 2, 3, 4), None)
    assert judge(column, "2026-01-02")[1] == "wrong_type"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 10:11:12 +0100", datetime(2026, 1, 5, 9, 11, 12)),
        ("2026-01-05 23:30:00 -05:00", datetime(2026, 1, 6, 4, 30)),
    ],
)
def test_a_pattern_with_an_offset_takes_the_rows_own(
    text: str, expected: datetime, zone: str
) -> None:
    column = Column("at", "timestamp", pattern="%Y-%m-%d %H:%M:%S %z", zone=zone)
    assert judge(column, text) == (expected, None)


@pytest.mark.parametrize("text", ["03/04/2026 10:00", "5.2.2026", "12-11-2026"])
def test_a_day_and_month_in_figures_are_not_guessed(text: str) -> None:
    assert judge(Column("at", "timestamp", required=True), text) == (None, "ambiguous_date")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15/02/2026", datetime(2026, 2, 15)),
        ("02/15/2026 10:00", datetime(2026, 2, 15, 10)),
        ("31.12.2025 23:59:59 +0100", datetime(2025, 12, 31, 22, 59, 59)),
        ("31-1-2026, 9:05 pm", datetime(2026, 1, 31, 21, 5)),
        ("31/31/2026", None),
        ("31/02/2026", None),
        ("46027.5", None),
    ],
)
def test_a_day_in_figures_is_read_where_it_can_be_one_only(
    text: str, expected: datetime | None
) -> None:
    reason = None if expected else "wrong_type"
    assert judge(Column("at", "timestamp", required=True), text) == (expected, reason)


@pytest.mark.parametrize(
    ("order", "expected"), [("dmy", datetime(2026, 4, 3)), ("mdy", datetime(2026, 3, 4))]
)
def test_a_day_in_figures_follows_its_column(order: Any, expected: datetime) -> None:
    column = Column("at", "timestamp", required=True, day_order=order)
    assert judge(column, "03/04/2026") == (expected, None)
    assert judge(replace(column, type="date"), "3.4.2026")[0] == expected.date()


@pytest.mark.parametrize(
    ("order", "text", "expected"),
    [
        ("mdyy", "02/03/26", datetime(2026, 2, 3)),
        ("mdyy", "2/3/26 10:00 PM", datetime(2026, 2, 3, 22)),
        ("mdyy", "02/03/1998", datetime(1998, 2, 3)),
        ("dmyy", "02.03.99 10:00", datetime(1999, 3, 2, 10)),
        ("dmyy", "31/12/69", datetime(2069, 12, 31)),
    ],
)
def test_a_year_of_two_digits_follows_its_column(order: Any, text: str, expected: datetime) -> None:
    column = Column("at", "timestamp", required=True, day_order=order)
    assert judge(column, text) == (expected, None)


@pytest.mark.parametrize("order", ["", "dmy", "mdy"])
@pytest.mark.parametrize("text", ["02/03/26", "26-02-14 10:00", "14/02/26", "02/14/26"])
def test_a_year_of_two_digits_is_not_guessed(order: Any, text: str) -> None:
    column = Column("at", "timestamp", required=True, day_order=order)
    assert judge(column, text) == (None, "ambiguous_date")


def test_two_digits_do_not_say_the_century_of_a_birthday() -> None:
    for order in ("dmyy", "mdyy"):
        column = Column("at", "date", required=True, day_order=cast(Any, order))
        assert judge(column, "02/03/26")[1] == "date_out_of_range"


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["02/14/26", "02/03/26"], "mdyy"),
        (["02/14/26", "14/02/26"], ""),
        (["14/02/26", "15/02/26"], ""),  # may be days of 2014 and 2015
        (["14/02/26", "3/02/26"], "dmyy"),
        (["14/02/99"], "dmyy"),
        (["26-02-14", "26-02-15"], ""),
        (["26/02/14", "02/14/2026"], ""),
        (["02/03/26"], ""),
        (["14/02/2026", "03/02/26"], "dmy"),
        (["02/14/2026"], "mdy"),
    ],
)
def test_what_a_column_of_days_in_figures_shows(texts: list[str], order: str) -> None:
    values = " union all ".join(f"select '{text}' as value" for text in texts)
    with duckdb.connect() as connection:
        row = connection.execute(day_evidence(values)).fetchone() or ()
    assert DayEvidence(*row).order == order


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon Jan 05 2026 10:00:00 GMT+0100 (CET)", datetime(2026, 1, 5, 9)),
        ("Mon Jan 05 2026 10:00:00 GMT-0500 (Eastern Standard Time)", datetime(2026, 1, 5, 15)),
        ("2026-01-05T10:00:00[Europe/Paris]", datetime(2026, 1, 5, 9)),
        ("2026-07-05T10:00[Europe/Paris]", datetime(2026, 7, 5, 8)),
        ("2026-01-05T10:00:00+01:00[Europe/Paris]", datetime(2026, 1, 5, 9)),
        ("2026-01-05T10:00:00Z[UTC]", datetime(2026, 1, 5, 10)),
        ("2026-01-05T10:00:00+14:00", datetime(2026, 1, 4, 20)),
        ("2026-01-05T10:00:00[Nowhere/City]", None),
        ("2026-01-05T10:00:00+99:00", None),
        ("2026-01-05 10:00:00 -1500", None),
        ("2026-01-05T10:00:00+05:75", None),
    ],
)
def test_zones_as_other_systems_write_them(text: str, expected: datetime | None) -> None:
    reason = None if expected else "wrong_type"
    assert judge(Column("at", "timestamp", required=True), text) == (expected, reason)


def test_a_pattern_takes_no_offset_that_is_none() -> None:
    column = Column("at", "timestamp", required=True, pattern="%Y-%m-%d %H:%M:%S %z")
    assert judge(column, "2026-01-05 10:11:12 +9900") == (None, "wrong_type")


def test_a_day_begins_at_the_shops_midnight() -> None:
    column = Column("at", "timestamp", zone="UTC", own_day_zone="America/New_York")
    assert judge(column, "2026-01-05") == (datetime(2026, 1, 5, 5), None)
    assert judge(column, "2026-01-05 00:00") == (datetime(2026, 1, 5), None)


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        ("timestamp", "yesterday", "wrong_type"),
        ("timestamp", "2026-02-30T00:00:00Z", "wrong_type"),
        ("timestamp", "0001-01-01T00:00:00Z", "date_out_of_range"),
        ("timestamp", "9999-12-31T00:00:00Z", "date_out_of_range"),
        ("timestamp", "1989-12-31T23:59:59Z", "date_out_of_range"),
        ("timestamp", "2101-01-01T00:00:00Z", "date_out_of_range"),
        ("timestamp", "infinity", "date_out_of_range"),
        ("timestamp", "12", "wrong_type"),
        ("timestamp", "99999999999999999999", "wrong_type"),
        ("date", "11/12/2020", "ambiguous_date"),
        ("date", "0001-01-01", "date_out_of_range"),
        ("money", "NaN", "not_a_number"),
        ("money", "-Infinity", "not_a_number"),
        ("money", "1e40", "number_out_of_range"),
        ("money", "99999999999999", "number_out_of_range"),
        ("price", "-1000000000000", "number_out_of_range"),
        ("money", "12kg", "wrong_type"),
        ("money", "1.250", "ambiguous_number"),
        ("integer", "1,250", "ambiguous_number"),
        ("integer", "5.5", "wrong_type"),
        ("integer", "1e30", "number_out_of_range"),
        ("boolean", "maybe", "wrong_type"),
        ("text", "a\x00b", "nul_character"),
        ("text", "x" * 1_048_576, "value_too_long"),
    ],
)
def test_what_cannot_be_read_has_a_reason(kind: Any, text: str, reason: str) -> None:
    assert judge(Column("v", kind, required=True), text)[1] == reason
    assert judge(Column("v", kind), text) == (None, None)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("money", "12.5", Decimal("12.5000")),
        ("money", "12,50", Decimal("12.5000")),
        ("money", "£12", Decimal("12.0000")),
        ("integer", "5,0", 5),
        ("money", " -3 ", Decimal("-3.0000")),
        ("money", "2.5500000000000003", Decimal("2.5500")),
        ("money", "1e3", Decimal("1000.0000")),
        ("money", "", None),
        ("rate", "0.00000001", Decimal("0.00000001")),
        ("integer", "5.0", 5),
        ("integer", "-7", -7),
        ("boolean", "TRUE", True),
        ("boolean", "0", False),
        ("boolean", "", None),
        ("date", "1970-01-02", None),
        ("text", " kept as written ", " kept as written "),
        ("text", "", None),
    ],
)
def test_good_values(kind: Any, text: str, expected: Any) -> None:
    value, reason = judge(Column("v", kind), text)
    if kind == "date":
        assert (value, reason) == (None, None)
        old = Column("v", "date", first_day="1880-01-01")
        assert judge(old, text) == (date(1970, 1, 2), None)
    else:
        assert (value, reason) == (expected, None)


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        (Column("v", required=True), "", "missing_value"),
        (Column("v", required=True), "   ", "missing_value"),
        (Column("v", allowed=("a", "b"), restricts=True), "c", "unknown_value"),
        (Column("v", allowed=("a", "b")), "c", None),
        (Column("v", allowed=("a", "b")), " A ", None),
        (Column("v", currency=True), "gbp", None),
        (Column("v", currency=True, restricts=True), "GBX", "unknown_currency"),
        (Column("v", "money", minimum=0, required=True), "-0.01", "negative_value"),
        (Column("v", "money", minimum=0), "0", None),
        (
            Column("v", "rate", minimum=0, exclusive=True, required=True),
            "0",
            "number_out_of_range",
        ),
    ],
)
def test_checks(column: Column, text: str, reason: str | None) -> None:
    assert judge(column, text)[1] == reason


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/London"])
def test_the_machines_zone_changes_nothing(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("TZ", zone)
    expected = (datetime(2026, 6, 30, 22, 0), None)
    assert judge(Column("at", "timestamp"), "2026-07-01T03:45:00+05:45") == expected
