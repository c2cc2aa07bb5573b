"""The calendar: the occasions that the shop sells for, per country.

Format: the single file `calendar.csv`. Key: the whole row.
Lateness: none; the file is read again whenever it changes, and then it is the whole truth: an
occasion that is taken out of it leaves raw. A file with a bad line, without its header or not there
at all ends no occasion.
Bad day: an occasion that is none of the known ones, a missing date, or an end before the start:
quarantine, by line.
Data flow: DIR/calendar.csv -> raw_calendar.occasions
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, RowCheck, TableSpec
from ingestion.vocabulary import OCCASIONS

# `Valentine's Day` and `mothers-day` are the list's words in another spelling.
SPELT = "regexp_replace(replace(replace(lower(trim({v})), '''', ''), '’', ''), '[ -]+', '_', 'g')"

CALENDAR = TableSpec(
    name="occasions",
    description="One row per occasion, country and year.",
    columns=(
        Column("occasion", required=True, expected=True, allowed=OCCASIONS, transform=SPELT),
        Column("starts_on", "date", required=True, expected=True),
        Column("ends_on", "date", required=True, expected=True),
        Column("country"),
    ),
    row_checks=(RowCheck("ends_before_it_starts", "ends_on", "ends_on < starts_on"),),
)

SOURCE = FolderSource(
    "calendar",
    "Occasions that the shop sells for.",
    (CALENDAR,),
    location="calendar.csv",
    is_whole=True,
)
