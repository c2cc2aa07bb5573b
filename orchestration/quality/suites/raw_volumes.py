"""Raw volumes: every row that came in has an outcome, few are bad, no source fell silent.

Table: ops.run_sources (one row per run, source and raw table), of which the current run is judged
against earlier runs. Belongs here: the conservation law and the quarantine limits.
"""

from __future__ import annotations

from collections.abc import Sequence

from ingestion.config import Settings
from orchestration.quality.expectations import Suite, none

# A source that brought rows in each of so many earlier runs and now brings none is worth a word;
# it does not stop the run, because what it brought before is still there.
USUAL_RUNS = 3


def suites(settings: Settings, _tables: Sequence[str]) -> list[Suite]:
    """The suite of raw volumes, with the shop's own quarantine limits."""
    limits = settings.quarantine
    query = f"""
        with current_run as (select run_id from ops.build),
        per_source as (
            select
                s.run_id, s.source, r.as_of,
                sum(s.rows_received) as received,
                sum(s.rows_quarantined) as quarantined,
                sum(s.rows_received - s.rows_loaded - s.rows_quarantined - s.rows_duplicate) as lost
            from {{table}} s join ops.runs r on r.run_id = s.run_id
            group by all
        ),
        earlier as (
            select source, list(received order by as_of desc, run_id)[1:{USUAL_RUNS}] as received
            from per_source where run_id not in (from current_run) group by source
        ),
        now as (from per_source where run_id in (from current_run))
        select
            coalesce(sum(abs(now.lost)), 0)::bigint as lost_rows,
            count(*) filter (where now.received < 0 or now.quarantined < 0) as negative_counts,
            count(*) filter (where now.quarantined > {limits.max_rows}
                and now.quarantined > {limits.max_share} * now.received) as sources_over_quarantine,
            count(*) filter (where now.received = 0 and len(earlier.received) = {USUAL_RUNS}
                and list_min(earlier.received) > 0) as silent_sources
        from now left join earlier on earlier.source = now.source
    """
    look = "Look at `regulars quarantine list` and at the run's log."
    return [
        Suite(
            "raw_volumes",
            "ops.run_sources",
            query,
            (
                none(
                    "lost_rows",
                    "{observed} rows were received but neither loaded, quarantined nor counted as"
                    " duplicates.",
                    f"Nothing may be lost silently. {look}",
                ),
                none("negative_counts", "{observed} sources report negative counts.", look),
                none(
                    "sources_over_quarantine",
                    f"{{observed}} sources have more than {limits.max_rows:,} rows and"
                    f" {limits.max_share:.1%} of their input in quarantine.",
                    f"{look} Mend the input, or raise [quarantine] in regulars.toml.",
                ),
                none(
                    "silent_sources",
                    "{observed} sources brought nothing, although each of their last"
                    f" {USUAL_RUNS} runs brought rows.",
                    "Check that they still deliver; `regulars doctor` names them.",
                    severity="warning",
                ),
            ),
        )
    ]
