"""Segments: all of them in one list, and one with its size over time, reach, funnel and members,
which an editor may take along as a file.

Belongs here: the two views and the file. Does not belong here: what makes somebody a member
(dbt_project), and who of them may be sent something (plans).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from io import BytesIO

from ingestion.duckdb import name
from ingestion.errors import UsageError
from orchestration.activation.people import targets_in
from orchestration.destinations.tables import write_table
from orchestration.published.reader import open_published
from orchestration.serve.pages.page import (
    ROWS,
    Asked,
    Change,
    Document,
    Form,
    MissingError,
    Page,
    View,
)
from orchestration.serve.pages.queries import ask
from orchestration.serve.pages.works import judged

DOWNLOAD = "/segments/download"
COLUMNS = (
    *("customer_id", "first_name", "last_name", "email"),
    *("order_count", "lifetime_net_sales", "reason"),
)
EVERYBODY = 2**62


def read_all(asked: Asked) -> Mapping[str, object]:
    """Every segment with its size, money, reach and movement."""
    values = asked.rows("segments_value", segment=None)
    return {
        "segments": asked.rows("segments", as_of=asked.build.as_of),
        "values": {row["segment"]: row for row in values},
    }


def read_one(asked: Asked) -> Mapping[str, object]:
    """One segment.

    Raises:
        MissingError: there is no segment of that name, or its build is of an earlier version.
    """
    segment = asked.row("segment", segment=asked.parameters["segment"])
    if not segment:
        raise MissingError("There is no segment of that name in this build.", "/segments has all.")
    named = segment["segment"]
    part = asked.part(segment["people"])
    reach: dict[str, int] = {}
    reasons: Counter[str] = Counter()
    for row in asked.rows("segment_reach", segment=named, purpose=segment["purpose"]):
        reach[row["channel"]] = reach.get(row["channel"], 0)
        if row["is_contactable"]:
            reach[row["channel"]] += row["people"]
        elif row["channel"] == segment["channel"]:
            reasons[row["reason"]] += row["people"]
    targets = targets_in(asked.connection, asked.settings)
    return {
        "segment": segment,
        "targets": [target for target in targets if target.segment == named],
        "value": asked.row("segments_value", segment=named),
        "experiments": judged(asked.rows("segment_experiments", segment=named)),
        "history": asked.rows("segment_history", segment=named, as_of=asked.build.as_of),
        "reach": reach,
        "reasons": reasons.most_common(),
        "funnel": asked.rows("segment_funnel", segment=named),
        "overlap": asked.rows("segment_overlap", segment=named),
        "members": asked.rows(
            "segment_members",
            table=f"segments.{name('seg_' + named)}",
            limit=ROWS,
            offset=part.offset,
        ),
        "part": part,
        "download": DOWNLOAD,
    }


def download(change: Change) -> Document:
    """All members with their reasons as CSV; who may be sent something is in the plans.

    Raises:
        UsageError: the pages are masked, so names are not for whoever looks at them.
        MissingError: there is no segment of that name, or its build is of an earlier version.
    """
    if change.is_masked:
        raise UsageError(
            "These pages are masked, and the file would have names.",
            "`regulars serve` without --masked has it.",
        )
    segment = change.fields["segment"]
    with open_published(change.home) as connection:
        known = connection.execute(
            "select 1 from marts.dim_segments where segment = ?", [segment]
        ).fetchone()
        if known is None:
            raise MissingError(
                "There is no segment of that name in this build.", "/segments has all."
            )
        table = f"segments.{name('seg_' + segment)}"
        rows = ask(connection, "segment_members", table=table, limit=EVERYBODY, offset=0)
    if rows is None:
        raise MissingError(
            "This build has no such table: it is of an earlier version.", "The next run makes it."
        )
    with BytesIO() as stream:
        write_table(stream, "csv", COLUMNS, rows)
        return Document(stream.getvalue(), "text/csv", f"{segment}.csv")


PAGE = Page(
    "Segments",
    "/segments",
    (
        View("/segments", "segments_page.html.j2", read_all),
        View("/segments/{segment}", "segment.html.j2", read_one),
    ),
    (Form(DOWNLOAD, "segment.html.j2", "segment download", ("segment",), download, ("segment",)),),
)
