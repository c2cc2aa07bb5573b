"""All suites over one candidate, in one step, because Great Expectations takes seconds to import.

Belongs here: finding the suites, running their queries and expectations, telling "raised" from
"failed". Does not belong here: what is expected (orchestration/quality/suites) and the breaker.

Results carry counts and sentences only: the result format is BOOLEAN_ONLY, because the default one
holds the raw failing values (RELIABILITY X13).
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any

import duckdb
import pandas as pd

from ingestion.config import Settings
from ingestion.duckdb import name
from orchestration.published.candidate import Candidate
from orchestration.published.checks import CheckResult
from orchestration.published.reader import open_locked
from orchestration.quality import suites as suites_package
from orchestration.quality.contract import check_contract
from orchestration.quality.expectations import Expectation, Suite

_OF_EACH_ROW = "ExpectColumnValuesTo"


def run_quality(candidate: Candidate, settings: Settings) -> list[CheckResult]:
    """Check a candidate against the public contract and every suite.

    The size breaker (orchestration/quality/breaker.py) and dbt's own tests come on top.
    """
    with open_locked(candidate.path) as connection:
        results = check_contract(connection)
        results += run_suites(
            connection, find_suites(settings, [table.full_name for table in candidate.tables])
        )
    return results


def find_suites(settings: Settings, tables: Sequence[str]) -> list[Suite]:
    """The suites of every module in `suites/`: adding one is adding a file with `suites(…)`."""
    suites: list[Suite] = []
    for module in sorted(pkgutil.iter_modules(suites_package.__path__), key=lambda m: m.name):
        code = importlib.import_module(f"{suites_package.__name__}.{module.name}")
        suites.extend(code.suites(settings, tables))
    return suites


def run_suites(connection: duckdb.DuckDBPyConnection, suites: Iterable[Suite]) -> list[CheckResult]:
    """Run suites on an open database.

    Suites that expect the same of every row, as those of segments do, are validated together; where
    that does not pass, each by itself.
    """
    validate = _validator()
    results: dict[int, list[CheckResult]] = {}
    alike: dict[str, list[tuple[int, Suite, pd.DataFrame]]] = defaultdict(list)
    for number, suite in enumerate(suites):
        results[number] = []
        try:
            frame = connection.execute(_query(suite)).df()
        except duckdb.Error as error:
            results[number] = [_not_run(suite, error)]
            continue
        kind = _expected(suite) if _is_of_each_row(suite) else str(number)
        alike[kind].append((number, suite, frame))
    for group in alike.values():
        together = validate(group[0][1], pd.concat([frame for *_, frame in group]))
        is_each = len(group) == 1 or all(each is not None and each.success for each in together)
        for number, suite, frame in group:
            outcomes = together if is_each else validate(suite, frame)
            results[number] = [
                _result(suite, expectation, outcome, frame)
                for expectation, outcome in zip(suite.expectations, outcomes, strict=True)
            ]
    return [result for each in results.values() for result in each]


def _expected(suite: Suite) -> str:
    """What a suite expects, whatever it says where that is not met."""
    return repr([(each.type, sorted(each.arguments.items())) for each in suite.expectations])


def _is_of_each_row(suite: Suite) -> bool:
    """Whether its expectations hold for several frames at once just if they hold for each."""
    return all(
        each.type.startswith(_OF_EACH_ROW) and "mostly" not in each.arguments
        for each in suite.expectations
    )


def _validator() -> Callable[[Suite, pd.DataFrame], list[Any]]:
    """What holds a frame against a suite: the outcome of each expectation; None where none came."""
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    source = context.data_sources.add_pandas("candidate")
    numbers = count()

    def validate(suite: Suite, frame: pd.DataFrame) -> list[Any]:
        name_here = f"{next(numbers)}_{suite.name}"
        asset = source.add_dataframe_asset(name_here)
        batch = asset.add_batch_definition_whole_dataframe("whole").get_batch(
            batch_parameters={"dataframe": frame}
        )
        outcome = batch.validate(
            gx.ExpectationSuite(
                name=name_here,
                expectations=[
                    getattr(gx.expectations, expectation.type)(
                        **expectation.arguments, meta={"number": position}
                    )
                    for position, expectation in enumerate(suite.expectations)
                ],
            ),
            result_format="BOOLEAN_ONLY",
        )
        by_number = {r.expectation_config.meta["number"]: r for r in outcome.results}
        return [by_number.get(position) for position in range(len(suite.expectations))]

    return validate


def _great_expectations() -> Any:
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations  # noqa: PLC0415 - 5 CPU seconds; only a run that checks pays

        importlib.import_module("great_expectations.expectations")
    return great_expectations


def _query(suite: Suite) -> str:
    table = name(*suite.table.split("."))
    return suite.query.replace("{table}", table)


def _result(
    suite: Suite, expectation: Expectation, outcome: Any, frame: pd.DataFrame
) -> CheckResult:
    raised = outcome is None or _raised(outcome.exception_info)
    observed = _observed(frame, expectation)
    written = "some" if observed is None else f"{observed:,.0f}"
    sentence = expectation.sentence.replace("{observed}", written)
    return CheckResult(
        kind="suite",
        name=f"{suite.name}.{expectation.name}",
        table=suite.table,
        passed=not raised and bool(outcome.success),
        severity=expectation.severity,
        observed=observed,
        sentence="The check itself could not be carried out." if raised else sentence,
        hint="Run `regulars doctor`; the table may lack a column." if raised else expectation.hint,
        raised=raised,
    )


def _raised(info: dict[str, Any] | None) -> bool:
    """Exception facts come flat, or nested by metric."""
    if not info:
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(bool(each.get("raised_exception")) for each in info.values())


def _not_run(suite: Suite, error: duckdb.Error) -> CheckResult:
    return CheckResult(
        kind="suite",
        name=f"{suite.name}.query",
        table=suite.table,
        passed=False,
        sentence=f"The check of {suite.table} could not be carried out ({type(error).__name__}).",
        hint="The table or one of its columns is missing; compare it with DESIGN's public tables.",
        raised=True,
    )


def _observed(frame: pd.DataFrame, expectation: Expectation) -> float | None:
    """The number behind a check on a one-row frame of counts; nothing for other frames."""
    column = expectation.arguments.get("column")
    if len(frame) != 1 or column not in frame or not pd.api.types.is_numeric_dtype(frame[column]):
        return None
    value = float(frame[column].iloc[0])
    return None if pd.isna(value) else value
