"""Drawing the page: figures in, one HTML file out.

Belongs here: putting figures and template together and writing the file, also when they cannot be
put together. Does not belong here: reading figures (figures, segments, health) or words (words).

Data flow: published.duckdb, and counts of the ledger in ops -> published/report.html.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
from jinja2.sandbox import SandboxedEnvironment

from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.home.whole_file import whole_file
from orchestration.ops.permission.untold import Untold
from orchestration.published.reader import open_published
from orchestration.report import figures, health, paths, permission, segments
from orchestration.report.ledger import Delivery, read_deliveries, read_untold
from orchestration.report.today import read_today
from orchestration.words import amounts, codes, pages
from orchestration.words.rfm_groups import group_words

TEMPLATES = Path(__file__).parent / "templates"

# Stands where the page would, so that nobody takes an older build's page for this one's.
UNDRAWN = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>The report could not be drawn</title></head>
<body>
<h1>The report of the latest build could not be drawn</h1>
<p>The build itself is published: <code>regulars sql</code> reads its tables.
<code>regulars report</code> draws this page again and says what is wrong.</p>
</body>
</html>
"""


def build_report(home: Home, shop_name: str = "", timezone: str = "UTC") -> Path:
    """Draw the report of the published file and put it beside the Parquet copies.

    A page that cannot be drawn is replaced by one that says so: the page of an older build would
    look like this one's.

    Args:
        home: whose published file is drawn.
        shop_name: the shop's name for the heading, if it has one.
        timezone: whose days "the last 30 days" and months are.

    Returns:
        The path of the page.

    Raises:
        RegularsError: nothing is published yet, or the page cannot be drawn.
    """
    try:
        with open_published(home) as connection:
            untold = read_untold(home, connection)
            degraded = health.read_degraded(home, figures.read_build(connection, timezone).as_of)
            page = render(
                connection, read_deliveries(home, connection), shop_name, timezone, untold, degraded
            )
        _write(home, page)
    except Exception as error:
        _replace_by_a_sentence(home)
        if isinstance(error, RegularsError):
            raise
        # The kind of error only: its text may carry a value.
        raise RegularsError(
            f"The report could not be drawn ({type(error).__name__}); all else is as it was.",
            "REGULARS_TRACEBACK=1 regulars report shows where (it may quote rows).",
        ) from (error if os.environ.get("REGULARS_TRACEBACK") else None)
    return home.report


def report_or_sentence(home: Home, shop_name: str, timezone: str) -> tuple[Path | None, str]:
    """Draw the report, for a run that has published already: what is wrong is said, not raised.

    Returns:
        The page, or none and why, with what to do.
    """
    try:
        return build_report(home, shop_name, timezone), ""
    except RegularsError as error:
        return None, error.sentences


def _replace_by_a_sentence(home: Home) -> None:
    if not home.published_dir.exists():
        return
    try:
        _write(home, UNDRAWN)
    except OSError:  # such as a full disk; an older page must not stay either
        with suppress(OSError):
            home.report.unlink(missing_ok=True)


def _write(home: Home, page: str) -> None:
    home.published_dir.mkdir(exist_ok=True, mode=0o700)
    with whole_file(home.report) as stream:
        stream.write(page.encode())


def render(
    connection: duckdb.DuckDBPyConnection,
    deliveries: list[Delivery],
    shop_name: str = "",
    timezone: str = "UTC",
    untold: Sequence[Untold] = (),
    degraded: Sequence[str] = (),
) -> str:
    """The page of an open published file."""
    build = figures.read_build(connection, timezone)
    sources = health.read_sources(connection, build)
    freshness = health.read_freshness(connection)
    grid = figures.read_grid(connection)
    thresholds = figures.read_thresholds(connection)
    template = drawing(build.currency).get_template("report.html.j2")
    return template.render(
        shop_name=shop_name,
        build=build,
        head=figures.read_headline(connection, build),
        months=figures.read_months(connection, build),
        stages=figures.read_stages(connection),
        grid=grid,
        recency=figures.read_spans(connection, "r_score", "recency_days"),
        frequency=figures.read_spans(connection, "f_score", "frequency"),
        thresholds=thresholds,
        stage_words=codes.stages({each.name: each.value for each in thresholds}),
        groups=figures.read_rfm_groups(connection),
        paths=paths.read_paths(connection),
        segments=segments.read_segments(connection, build),
        today=read_today(connection),
        answers=permission.read_answers(connection),
        pressure=permission.read_pressure(connection),
        deliveries=deliveries,
        untold=untold,
        degraded=degraded,
        sources=sources,
        earlier_rows=health.read_earlier(connection)[0],
        freshness=freshness,
        identity=health.read_identity(connection),
        caveats=health.read_caveats(connection, freshness),
    )


def drawing(currency: str, *own: Path) -> SandboxedEnvironment:
    """Renders templates with the words and formats of the report.

    Args:
        currency: what amounts are in.
        own: folders of templates that come before the report's.
    """
    environment = pages.environment(*own, TEMPLATES)
    environment.filters.update(
        {
            "count": amounts.count,
            "few": amounts.few,
            "moment": amounts.moment,
            "age": amounts.age,
            "label": codes.label,
            "money": lambda value, digits=0: amounts.money(value, currency, digits),
        }
    )
    constants: dict[str, Any] = {
        "share": amounts.share,
        "change": amounts.change,
        "group_words": group_words(),
        "threshold_words": codes.THRESHOLDS,
        "counted": amounts.counted,
        "basis": codes.basis,
        "why_not": codes.why_not,
        "few_buyers": codes.few_buyers,
        "typical": amounts.typical,
        "orders_between": amounts.orders_between,
        "days_between": amounts.days_between,
        "reason_words": codes.REASONS,
        "refusal_words": codes.REFUSALS,
        "channel_words": codes.CHANNELS,
        "subjects": permission.SUBJECTS,
        "subject_words": codes.ASKED,
        "FEW": amounts.FEW,
    }
    environment.globals.update(constants)
    return environment
