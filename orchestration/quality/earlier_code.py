"""Whom the code before a change makes members of today's data, segment by segment.

Belongs here: which earlier code the code of a segment is compared with, and running it on the
warehouse that the new code was run on. Does not belong here: the tables of the outcome
(orchestration/published/segment_code.py), what a plan makes of it (activation/code_effect.py).

The code of a segment is the SQL that dbt made of its file, with the settings' thresholds and with
the SQL of its conditions and of segments that it is made of in it; the models above them count as
data. It is compared with the code
that the segment's audiences were last sent by: of a segment that nobody has sent since, with what
the published file compares it with. Old code is run where the text differs, and only there.

Kept code is written anew by a parser. So where code has changed, the code of today is run as it is
kept, too: if that does not make the very segment that stands there, no effect is told.

Data flow: compiled SQL of dbt's last build, published.duckdb, sync_runs -> warehouse.duckdb
(read-only, and no file but those that models read) -> `ComparedCode`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from sqlalchemy import select

from ingestion.duckdb import literal, name
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.run_context import last_context
from orchestration.ops.store import Store
from orchestration.published.reader import read_build
from orchestration.published.segment_code import (
    CHANGED,
    EFFECT_SHAPE,
    NEW,
    NOT_RUN,
    SAME,
    ComparedCode,
    SegmentCode,
    as_first,
    published_codes,
)
from orchestration.quality.condition_sql import Expander, compiled_sql
from orchestration.quality.lineage import LineageError
from orchestration.quality.warehouse import as_models_read_it
from orchestration.run.dbt import SEGMENT, read_manifest, target_path

AS_OF = "{as_of}"  # stands in kept code for the moment that follows the run

_DIFFERENCES = """
    with earlier as (
        select customer_id, reason, context from ({code}
        )
        qualify row_number() over (partition by customer_id order by reason, context) = 1
    )
    select
        {segment} as segment,
        coalesce(earlier.customer_id, now_.customer_id)::varchar as customer_id,
        earlier.customer_id is not null as was_member,
        earlier.reason::varchar as reason,
        earlier.context::varchar as context
    from earlier
    full outer join {table} as now_ on earlier.customer_id = now_.customer_id
    where earlier.customer_id is null or now_.customer_id is null
        or earlier.reason is distinct from now_.reason
        or earlier.context is distinct from now_.context
"""
_NOBODY = "select null as customer_id, null as reason, null as context where false"


def compare_code(home: Home, store: Store, zone: str = "UTC") -> ComparedCode:
    """The code of the segments of the last build beside the code that they were last sent by.

    `zone`: the shop's, in which the run's moment has its date.
    """
    context = last_context(home.ops_export)
    if context is None:
        return ComparedCode(())
    codes = kept_codes(home, context.as_of, zone)
    before = published_codes(home)
    if not before:
        alone = (SegmentCode(segment, code, None, NEW) for segment, code in codes.items())
        return ComparedCode(as_first(alone))
    compared = against(codes, before, _sent_since(home, store))
    return run_earlier(home, compared, context.as_of)


def against(
    codes: Mapping[str, str], before: Mapping[str, SegmentCode], sent: Collection[str]
) -> tuple[SegmentCode, ...]:
    """Each code beside the one it is compared with.

    Args:
        codes: the SQL of each segment now.
        before: what the published file says of each segment.
        sent: segments of which something was sent from that file.
    """
    return tuple(_beside(segment, code, before, sent) for segment, code in sorted(codes.items()))


def _beside(
    segment: str, code: str, before: Mapping[str, SegmentCode], sent: Collection[str]
) -> SegmentCode:
    known = before.get(segment)
    earlier = None if known is None else known.code if segment in sent else known.earlier_code
    comparison = NEW if earlier is None else SAME if earlier == code else CHANGED
    return SegmentCode(segment, code, earlier, comparison)


def run_earlier(home: Home, codes: Collection[SegmentCode], as_of: datetime) -> ComparedCode:
    """Run the earlier code of each segment whose code is another now, as of the same moment.

    Code that does not run on today's tables is no error: nothing is known of its effect then.
    """
    if all(each.comparison == SAME for each in codes):
        return ComparedCode(tuple(codes))
    outcomes, effects = [], []
    with as_models_read_it(home) as connection:
        for each in codes:
            if each.comparison not in (CHANGED, NEW):
                outcomes.append(each)
                continue
            concerned = _effects_of_change(connection, each, as_of)
            effects += [] if concerned is None else [concerned]
            outcomes.append(replace(each, comparison=NOT_RUN) if concerned is None else each)
    return ComparedCode(tuple(outcomes), pa.concat_tables([EFFECT_SHAPE.empty_table(), *effects]))


def kept_codes(home: Home, as_of: datetime, zone: str = "UTC") -> dict[str, str]:
    """The code of each segment of the last build, whatever the moment of its run."""
    target = target_path(home)
    compiled = {
        model: without_moment(sql, as_of, zone)
        for model, sql in compiled_sql(target / "compiled").items()
    }
    expander = Expander(compiled)
    codes = {}
    for segment in read_manifest(target / "manifest.json").segments:
        sql = compiled.get(f"{SEGMENT}{segment}")
        if sql is not None:
            with suppress(LineageError):  # it cannot be kept, so nothing is known of its effect
                codes[segment] = expander.expand(sql)
    return codes


def without_moment(sql: str, as_of: datetime, zone: str = "UTC") -> str:
    """Compiled SQL as it is kept, whatever the run's moment; `with_moment` is the reverse."""
    moment = f"timestamp '{AS_OF}'"
    day = as_of.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()
    date = f"cast(timezone('{zone}', timezone('UTC', {moment})) as date)"
    return sql.replace(f"timestamp '{_moment(as_of)}'", moment).replace(f"date '{day}'", date)


def with_moment(code: str, as_of: datetime) -> str:
    """Kept SQL as it runs at a moment."""
    return code.replace(f"'{AS_OF}'", f"'{_moment(as_of)}'")


def _moment(as_of: datetime) -> str:
    """The moment as dbt_project/macros/as_of.sql writes it."""
    seconds, _, fraction = as_of.isoformat(sep=" ").partition(".")
    return f"{seconds}{'.' * bool(fraction)}{fraction.rstrip('0')}"


def _sent_since(home: Home, store: Store) -> set[str]:
    """Segments of which something was sent to any destination from what is published."""
    _, run_id, _ = read_build(home.published)
    table = schema.sync_runs.c
    with store.read() as connection:
        return set(
            connection.execute(
                select(table.segment).where(table.run_id == run_id).distinct()
            ).scalars()
        )


def _effects_of_change(
    connection: duckdb.DuckDBPyConnection, each: SegmentCode, as_of: datetime
) -> pa.Table | None:
    """Whom the change concerns; None where it cannot be known."""
    try:
        if _differences(connection, each.segment, each.code, as_of).num_rows:
            return None
        return _differences(connection, each.segment, each.earlier_code, as_of)
    except duckdb.Error:  # its words may hold values; that it does not run says enough
        return None


def _differences(
    connection: duckdb.DuckDBPyConnection, segment: str, code: str | None, as_of: datetime
) -> pa.Table:
    """What code makes of the data, where that is not what stands in the segment."""
    sql = _DIFFERENCES.format(
        code=_NOBODY if code is None else with_moment(code, as_of),
        segment=literal(segment),
        table=name("segments", f"{SEGMENT}{segment}"),
    )
    return connection.execute(sql).to_arrow_table().cast(EFFECT_SHAPE)
