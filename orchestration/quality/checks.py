"""Every check of a candidate, in one list: what a run and the bench both hold it against.

Belongs here: which checks there are, and what a person's release covers. Does not belong here: any
check's own rule, recording the outcome (orchestration/published/audit.py).
"""

from __future__ import annotations

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.ops.store import Store
from orchestration.published.candidate import Candidate
from orchestration.published.checks import CheckResult
from orchestration.quality.breaker import check_sizes
from orchestration.quality.dbt_results import dbt_checks
from orchestration.quality.drift import check_drift
from orchestration.quality.identity import check_identity
from orchestration.quality.releases import apply_releases, baseline_of, find_releases
from orchestration.quality.run import run_quality
from orchestration.quality.segment_traits import check_segment_traits, judge_segments
from orchestration.quality.segment_words import check_segment_words
from orchestration.run.dbt import target_path


def check_candidate(
    home: Home, candidate: Candidate, settings: Settings, store: Store
) -> list[CheckResult]:
    """dbt's results, contract, Great Expectations, what is empty, sizes, traits and identity."""
    judged = judge_segments(home)
    releasable = [*run_quality(candidate, settings), *check_drift(home, settings, store)]
    return [
        *dbt_checks(target_path(home)),
        *apply_releases(releasable, find_releases(store, baseline_of(home))),
        *check_sizes(home, candidate, settings, store),
        *check_segment_traits(judged),
        *check_segment_words(judged, settings),
        *check_identity(home, candidate, settings.identity),
    ]
