"""Every check of a candidate, in one list: what a run and the bench both hold it against.

Belongs here: which checks there are, the names they are told under, and what a person's release
covers. Does not belong here: any check's own rule, recording the outcome
(orchestration/published/audit.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ingestion.config import Settings
from orchestration.home.layout import Home
from orchestration.ops.store import Store
from orchestration.published.candidate import Candidate
from orchestration.published.checks import CheckResult
from orchestration.quality.breaker import check_sizes
from orchestration.quality.dbt_results import dbt_checks
from orchestration.quality.drift import check_drift
from orchestration.quality.identity import NAME as IDENTITY_DRIFT
from orchestration.quality.identity import check_identity
from orchestration.quality.releases import apply_releases, baseline_of, find_releases
from orchestration.quality.run import find_suites, run_quality
from orchestration.quality.segment_traits import check_segment_traits, judge_segments
from orchestration.quality.segment_words import check_segment_words
from orchestration.run.dbt import target_path

# The kinds of result that are told as one check each; the others are told by suite.
_KINDS = ("contract", "breaker", "dbt", IDENTITY_DRIFT)


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


def check_names(settings: Settings, tables: Sequence[str]) -> list[str]:
    """The checks that results are told as: one per suite, and one each for what is judged besides.

    Args:
        settings: the shop's.
        tables: the published tables, as `schema.table`.
    """
    suites = find_suites(settings, tables)
    return [*_KINDS, *dict.fromkeys(suite.name for suite in suites)]


def by_check(results: Iterable[CheckResult]) -> dict[str, list[CheckResult]]:
    """The results under the names of `check_names`."""
    grouped: dict[str, list[CheckResult]] = defaultdict(list)
    for result in results:
        name = result.kind if result.kind in _KINDS else result.name.partition(".")[0]
        grouped[name].append(result)
    return dict(grouped)
