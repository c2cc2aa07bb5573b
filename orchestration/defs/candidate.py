"""The candidate: the next published file, built aside.

Belongs here: Dagster's view of writing it. Does not belong here: building one
(orchestration/published), what judges it (audit.py).
"""

import dagster as dg
import duckdb

from orchestration.activation.contact_tables import add_contact_tables
from orchestration.activation.people import targets_in
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import CANDIDATE, PUBLISH
from orchestration.defs.resources import RunResource
from orchestration.defs.transformation import MODELS
from orchestration.published.candidate import build_candidate
from orchestration.published.segment_code import add_segment_code
from orchestration.quality.dbt_record import record_of
from orchestration.quality.earlier_code import compare_code
from orchestration.quality.segment_traits import add_segment_traits, judge_segments


@dg.asset(
    key=CANDIDATE,
    deps=MODELS,
    group_name=PUBLISH,
    kinds={"duckdb"},
    pool="duckdb",
    description="The next published file, built aside; checks judge this very file.",
)
@errors_as_data
def candidate(run: RunResource) -> dg.MaterializeResult[None]:
    """Copy the public tables out of the warehouse, where they belong together; decide the day."""
    current = run.current
    record_of(current.home).require_whole()
    double_opt_in = current.settings.double_opt_in
    judged = judge_segments(current.home)
    compared = compare_code(current.home, current.store, current.settings.shop.timezone)

    def further(connection: duckdb.DuckDBPyConnection) -> None:
        add_segment_traits(connection, judged)
        add_segment_code(connection, compared)
        pairs = targets_in(connection, current.settings)
        add_contact_tables(
            connection, current.store, current.as_of, double_opt_in=double_opt_in, pairs=pairs
        )

    current.candidate = build_candidate(current.home, current, further=further)
    return dg.MaterializeResult(
        metadata={
            "build": current.candidate.build_id,
            "tables": len(current.candidate.tables),
            "rows": sum(table.rows for table in current.candidate.tables),
        }
    )
