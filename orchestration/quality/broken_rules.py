"""Which rules were broken where dbt's test of many of them failed, in words.

Belongs here: asking the failed tests once more and naming what they say. Does not belong here: what
a rule is (dbt_project/tests). Such a test gives names of rules and counts; no row is read.

Data flow: dbt's last results and manifest, warehouse.duckdb (read-only) -> a sentence.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

from orchestration.home.layout import Home
from orchestration.quality.dbt_record import RESULTS
from orchestration.quality.warehouse import as_models_read_it
from orchestration.run.dbt import target_path

NAMED = 5


def broken_rules(home: Home) -> str:
    """The broken rules of dbt's last results, each with its table; empty where none is told."""
    target = target_path(home)
    nodes = _read(target / "manifest.json").get("nodes", {})
    rules: list[str] = []
    with suppress(duckdb.Error), as_models_read_it(home) as connection:
        for result in _read(target / RESULTS).get("results", []):
            node = nodes.get(result["unique_id"], {})
            if result["status"] == "fail" and result.get("compiled_code"):
                table = str(node.get("attached_node") or "").rpartition(".")[2]
                rules += (
                    f"{table}: {rule}" if table else rule
                    for rule in _rules(connection, result["compiled_code"])
                )
    more = [f"and {len(rules) - NAMED} more"] * (len(rules) > NAMED)
    return f"Broken rules: {'; '.join(rules[:NAMED] + more)}." if rules else ""


def _rules(connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """What a test gives, where it gives rules and not rows of the table."""
    with suppress(duckdb.Error):
        rows = connection.execute(f"select rule, row_count from ({sql}) order by all").fetchall()
        return [f"{rule} ({count:,})" for rule, count in rows]
    return []


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
