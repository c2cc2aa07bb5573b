"""A segment tried on published tables: who would be in it, why, and what each condition keeps.

Belongs here: the segment's own SQL and the models of its conditions run on the tables of one
connection, into temporary ones. Does not belong here: opening the file, layout (commands/).

Data flow: a segment's text, published tables -> temporary tables `int_condition_results`, `trial`
and `trial_funnel` of the connection.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import duckdb

from ingestion.duckdb import dicts, literal
from ingestion.duckdb import name as quoted
from ingestion.errors import RegularsError, UsageError
from orchestration.published.reader import require_question
from orchestration.segments.files import MEND, leaves, sentence
from orchestration.segments.rendering import DBT_PROJECT, SEGMENT, Project, SegmentFaultError

RESULTS = "int_condition_results"
MEMBERS, FUNNEL = "trial", "trial_funnel"
SCHEMAS = ("marts", "segments")
_RESULTS_MODEL = DBT_PROJECT / f"models/intermediate/conditions/{RESULTS}.sql"
_FUNNEL_MODEL = DBT_PROJECT / "models/marts/segments/rpt_segment_funnel.sql"


class Trial:
    """Segments tried on the tables of one connection.

    Args:
        connection: opened on a published file, or on a warehouse.
        variables: the settings' variables, as dbt gets them.
        as_of: the moment of the run that made the tables; UTC.
        names: the segments there are, the one that is tried among them.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        variables: Mapping[str, Any],
        as_of: datetime,
        names: Iterable[str],
    ) -> None:
        """Find the tables; run nothing yet."""
        self._connection = connection
        rows = connection.execute(
            "select table_schema, table_name from information_schema.tables"
            " where list_contains($schemas, table_schema)",
            {"schemas": list(SCHEMAS)},
        ).fetchall()
        tables = {table: f"{quoted(schema)}.{quoted(table)}" for schema, table in rows}
        self._live = [table.removeprefix(SEGMENT) for table in tables if table.startswith(SEGMENT)]
        self.meta: dict[str, Any] = {}
        self.rule: list[dict[str, Any]] = []
        all_variables = {**variables, "segments": sorted(names)}
        self._project = Project(all_variables, as_of, {**tables, RESULTS: RESULTS})

    def run(self, segment: str, text: str) -> list[dict[str, Any]]:
        """Fill the temporary tables; returns the conditions in written order, none for plain SQL.

        Args:
            segment: its name.
            text: what its file says.

        Raises:
            UsageError: the file says something that there is not, or its SQL is none.
            RegularsError: the tables are of an earlier version.
        """
        try:
            sql, meta = self._project.render(SEGMENT + segment, text)
            self.meta = self._project.checked_meta(segment, meta)
        except SegmentFaultError as error:
            raise UsageError(sentence(error), MEND) from error
        require_question(sql)
        node = {"config": {"meta": meta}}
        self._project.nodes = {f"model.regulars.{SEGMENT}{segment}": node}
        self.rule = meta.get("rule", [])
        try:
            self._make(RESULTS, self._project.render_file(_RESULTS_MODEL))
        except (SegmentFaultError, duckdb.Error) as error:
            raise RegularsError(
                "What is published is of an earlier version, without all that conditions read.",
                "Run `regulars run` once, then try again.",
            ) from error
        try:
            self._make(MEMBERS, sql)
        except duckdb.Error as error:
            raise UsageError(
                f"The SQL of the segment {segment} cannot be run: {str(error).splitlines()[0]}.",
                "Mend the file and try again.",
            ) from error
        self._make(FUNNEL, self._project.render_file(_FUNNEL_MODEL))
        return list(leaves(self.rule))

    def live_segments(self) -> list[str]:
        """The segments that are published."""
        return sorted(self._live)

    def channels(self) -> tuple[str, ...]:
        """The channels of the segment that `run` was given, the first choice first."""
        return tuple(self._project.call("segment_channels", self.meta))

    def _make(self, table: str, sql: str) -> None:
        self._connection.execute(f"create or replace temp table {table} as {sql}")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a question of ours about what `run` made."""
        return dicts(self._connection.execute(sql))

    def answers(self, customer_id: str, conditions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Each condition with whether it is met by a person, what `run` found, and whether it is
        one that keeps them out."""
        results = {
            row["condition"]: row
            for row in self.rows(f"from {RESULTS} where customer_id = {literal(customer_id)}")
        }
        thresholds = {
            f"{{{row['threshold']}}}": str(row["threshold_value"])
            for row in self.rows("select threshold, threshold_value from marts.shop_rhythm")
        }
        answers = []
        for leaf in conditions:
            if "segment" in leaf:
                table = f"segments.{quoted(SEGMENT + leaf['segment'])}"
                asked = f"from {table} where customer_id = {literal(customer_id)}"
                is_met = bool(self.rows(f"select customer_id {asked}"))
            else:
                is_met = leaf["key"] in results
            words = leaf["words"] if leaf["is_wanted"] else leaf["negated"]
            for name, value in thresholds.items():
                words = words.replace(name, value)
            answers.append(
                {**leaf, **results.get(leaf["key"], {}), "words": words, "is_met": is_met}
            )
        met = {each["position"]: each["is_met"] for each in answers}
        missing = {
            leaf["position"]
            for step in self.rule
            if not _holds(step, met)
            for leaf in leaves([step])
        }
        return [{**each, "is_missing": each["position"] in missing} for each in answers]


def _holds(step: dict[str, Any], met: Mapping[int, bool]) -> bool:
    """Whether a step of a rule holds, by the places of the conditions that are met."""
    if "condition" in step:
        return met[step["position"]]
    [(word, steps)] = step.items()
    answers = [_holds(each, met) for each in steps]
    return all(answers) if word == "all_of" else any(answers) == (word == "any_of")
