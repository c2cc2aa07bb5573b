"""The report, drawn from what is published.

Belongs here: Dagster's view of drawing it. Does not belong here: the page (orchestration/report).
"""

import dagster as dg

from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import PUBLISH, PUBLISHED
from orchestration.defs.resources import RunResource


@dg.asset(
    key=[PUBLISH, "report"],
    deps=[PUBLISHED],
    group_name=PUBLISH,
    kinds={"html"},
    description="The HTML page of people, value, stages, segments and data health.",
)
@errors_as_data
def report(run: RunResource) -> dg.MaterializeResult[None]:
    """Draw the page from the published file; what is published stays so without its page."""
    from orchestration.report.build import report_or_sentence  # noqa: PLC0415 - only a run draws

    shop = run.current.settings.shop
    path, problem = report_or_sentence(run.current.home, shop.name, shop.timezone)
    if path is None:
        run.current.say(f"Published without its report. {problem}")
        return dg.MaterializeResult(metadata={"problem": problem})
    run.current.say(f"Drawn: {path}")
    return dg.MaterializeResult(metadata={"bytes": path.stat().st_size})
