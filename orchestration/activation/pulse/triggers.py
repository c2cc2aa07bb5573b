"""Segments that turn on what people did in the last days, judged again on an overlay.

Belongs here: which segments those are, by the conditions in their files; their members and stays
as a run of this moment would make them. Does not belong here: what a condition means
(dbt_project/macros/conditions), who is sent to.

Data flow: published tables with new events (overlay.py), stays as the store knows
them -> segments.seg_* and marts.fct_segment_memberships of the overlay, and the stays that changed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa
from sqlalchemy import Connection, select

from ingestion.duckdb import literal, name
from orchestration.activation.pulse.overlay import LAID, RENEWED, make_table, rows_in
from orchestration.ops import schema
from orchestration.ops.shapes import arrow_columns, arrow_schema
from orchestration.ops.store import fetch_columns
from orchestration.published.reader import BASE
from orchestration.segments.files import is_a_call, leaves, segment_names, segment_text
from orchestration.segments.rendering import DBT_PROJECT, SEGMENT, Project

# What new events, or the hours that pass, change: tables of conditions of a trigger.
TURNING = frozenset({*RENEWED, "fct_checkouts", "fct_product_states"})
_RESULTS, _STAYS = "int_condition_results", "int_segment_stays"
_CONDITIONS, _RECORDED = "fct_segment_conditions", "stg_ops__segment_memberships"
_MODELS = {
    path.stem: path
    for folder in ("intermediate/conditions", "intermediate/segments", "marts/segments")
    for path in (DBT_PROJECT / "models" / folder).glob("*.sql")
}


@dataclass(frozen=True)
class Trigger:
    """A segment that turns on what people did in the last days: its name, SQL and meta."""

    segment: str
    sql: str
    meta: dict[str, Any]


@dataclass(frozen=True)
class Turned:
    """What a pulse made of the triggers. `entered` and `left`: people by segment; `stays`: rows of
    the store's table that are new or another; `changed`: people who entered or left, or of whom the
    reason or the context is another."""

    entered: dict[str, int]
    left: dict[str, int]
    stays: pa.Table
    changed: frozenset[str] = frozenset()


class Triggers:
    """The triggers of one overlay.

    Args:
        connection: opened on the overlay for writing, its base attached.
        variables: the settings' variables, as dbt gets them.
        as_of: the moment that is judged, naive UTC.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, variables: Mapping[str, Any], as_of: datetime
    ) -> None:
        """Read the segments' files; run nothing yet.

        Raises:
            SegmentFaultError: a file says something that there is not.
        """
        self._connection = connection
        self._variables, self._as_of = variables, as_of
        rows = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where database_name = $base and schema_name in ('marts', 'segments')",
            {"base": BASE},
        ).fetchall()
        self._tables = {table: name(schema_name, table) for schema_name, table in rows}
        names = segment_names()
        self._project = self._project_of(names)
        self.chosen = self._choose(names)

    @property
    def names(self) -> tuple[str, ...]:
        """The triggers, each after those that are conditions of it."""
        return tuple(self.chosen)

    def judge(self, store: Connection) -> Turned:
        """Write members and stays of this moment into the overlay."""
        nodes = {
            f"model.regulars.{SEGMENT}{each.segment}": {"config": {"meta": each.meta}}
            for each in self.chosen.values()
        }
        self._project.nodes = nodes
        make_table(self._connection, _RESULTS, self._project.render_file(_MODELS[_RESULTS]))
        entered, left, changed = {}, {}, set[str]()
        for each in self.chosen.values():
            came, went, others = self._renew_members(each)
            entered[each.segment], left[each.segment] = came, went
            changed |= others
        return Turned(entered, left, self._renew_stays(store, nodes), frozenset(changed))

    def _choose(self, names: Collection[str]) -> dict[str, Trigger]:
        """Segments with a window of days and a condition on what turns, or on such a segment."""
        anywhere = Project({**self._variables, "segments": sorted(names)}, self._as_of)
        texts = {
            segment: text
            for segment in names
            if f"{SEGMENT}{segment}" in self._tables and is_a_call(text := segment_text(segment))
        }
        metas = {
            segment: anywhere.render(SEGMENT + segment, text)[1] for segment, text in texts.items()
        }
        order: list[str] = []
        while further := [
            segment
            for segment, meta in metas.items()
            if segment not in order and self._turns(meta, order)
        ]:
            order += further
        return {
            segment: Trigger(segment, *self._project.render(SEGMENT + segment, texts[segment]))
            for segment in order
        }

    @staticmethod
    def _turns(meta: Mapping[str, Any], chosen: Collection[str]) -> bool:
        if not (meta.get("segment") or {}).get("window_days"):
            return False
        return any(
            leaf.get("source") in TURNING or leaf.get("segment") in chosen
            for leaf in leaves(meta.get("rule", []))
        )

    def _renew_members(self, trigger: Trigger) -> tuple[int, int, set[str]]:
        """Put the members of this moment in place of those published; how many enter and leave, and
        of whom the row is another."""
        table = self._tables[f"{SEGMENT}{trigger.segment}"]
        make_table(self._connection, "members_now", trigger.sql)
        counts = [
            rows_in(
                self._connection,
                f"(select customer_id from {a} except select customer_id from {b})",
            )
            for a, b in (("members_now", table), (table, "members_now"))
        ]
        row = "select customer_id, reason, context from"
        rows = self._connection.execute(
            f"select customer_id from ({row} members_now except {row} {table})"
            f" union select customer_id from ({row} {table} except {row} members_now)"
        ).fetchall()
        self._lay(table, trigger.segment, "from members_now")
        return counts[0], counts[1], {who for (who,) in rows}

    def _renew_stays(self, store: Connection, nodes: dict[str, Any]) -> pa.Table:
        """Stays as the project's own model makes them from those of the store."""
        stays, connection = schema.segment_memberships, self._connection
        query = select(stays).where(stays.c.segment.in_(list(self.names)))
        known = fetch_columns(store, query, arrow_columns(stays))
        connection.register("recorded_stays", known)
        make_table(self._connection, _RECORDED, "from recorded_stays")
        project = self._project_of(self.names)
        project.nodes = nodes
        make_table(self._connection, _STAYS, project.render_file(_MODELS[_STAYS]))
        make_table(self._connection, _CONDITIONS, project.render_file(_MODELS[_CONDITIONS]))
        memberships = project.render_file(_MODELS["fct_segment_memberships"])
        make_table(self._connection, "stays_now", memberships)
        table = self._tables["fct_segment_memberships"]
        those = ", ".join(map(literal, self.names))
        self._lay(
            table,
            "fct_segment_memberships",
            "from stays_now",
            f"from {BASE}.{table} where segment not in ({those}) union all by name ",
        )
        shape = arrow_schema(stays)
        return (
            connection.execute(
                f"select {', '.join(shape.names)} from stays_now"
                f" except select {', '.join(shape.names)} from recorded_stays order by all"
            )
            .to_arrow_table()
            .cast(shape)
        )

    def _project_of(self, names: Collection[str]) -> Project:
        own = {each: each for each in (_RESULTS, _STAYS, _CONDITIONS, _RECORDED)}
        variables = {**self._variables, "segments": sorted(names)}
        return Project(variables, self._as_of, {**self._tables, **own})

    def _lay(self, view: str, laid: str, rows: str, rest: str = "") -> None:
        """Let a published table have these rows in place of its own, or of some of them."""
        own = name(LAID, laid)
        self._connection.execute(f"create table {own} as {rows}")
        self._connection.execute(f"create or replace view {view} as {rest}from {own}")
