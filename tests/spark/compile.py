"""The project compiled for the target `spark`, without Spark, Java or a database.

The project is read once and compiled twice: as a first run would run it, and, where a model's SQL
depends on what is there already, as a later run would. A process of its own does it, because it
puts the stand-in for pyspark (`stub/`) before everything else.

Belongs here: how the SQL is had. Does not belong here: what may stand in it (judge.py).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from ingestion.config import REPOSITORY, Settings
from orchestration.run.dbt import project_vars

PROJECT = REPOSITORY / "dbt_project"
STUB = Path(__file__).parent / "stub"
FORMS = ("first", "later")
# Macros that answer from what earlier runs left: a model that calls one has two forms
ASKS_THE_PAST = ("macro.regulars.is_incremental", "macro.regulars.left_by_last_run")
# Settings that put more SQL into the models than the defaults do
SETTINGS = {
    "shop_hosts": ["shop.example"],
    "internal_email_domains": ["shop.example"],
    "internal_ips": ["192.0.2.1"],
    "mailbox_hints": True,
    "double_opt_in": True,
}

# By (model or test of dbt's, form): its SQL
Compiled = dict[tuple[str, str], str]


def compile_for_spark(work: Path) -> tuple[dict[str, Any], Compiled]:
    """The manifest, and the SQL of every model in each of its forms and of every test of dbt's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.spark.compile", str(work)],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(STUB), "REGULARS_HOME": str(work)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    manifest = json.loads((work / "first/manifest.json").read_text("utf-8"))
    return manifest, {
        (path.stem, form): path.read_text("utf-8")
        for form in FORMS
        for path in (work / form / "compiled/regulars").rglob("*.sql")
    }


def with_two_forms(nodes: dict[str, Any], macros: dict[str, Any]) -> list[str]:
    """Names of the models whose SQL depends on what earlier runs left."""
    return sorted(
        node["name"]
        for node in nodes.values()
        if node["resource_type"] == "model" and _calls(node, macros) & set(ASKS_THE_PAST)
    )


def _calls(node: dict[str, Any], macros: dict[str, Any]) -> set[str]:
    """Every macro that a model calls, itself or through others."""
    found: set[str] = set()
    waiting = list(node["depends_on"]["macros"])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += macros[name]["depends_on"]["macros"]
    return found


def main(work: Path) -> None:
    """Compile both forms below `work`."""
    read = _dbt(work / "read", "parse", FORMS[0], None)
    chosen: list[str] = []
    for form in FORMS:
        _dbt(work / form, "compile", form, read.deepcopy(), *chosen)
        if form == FORMS[0]:
            manifest = json.loads((work / form / "manifest.json").read_text("utf-8"))
            twice = with_two_forms(manifest["nodes"], manifest["macros"])
            chosen = ["--indirect-selection", "empty", "--select", *twice]  # without their tests


def _dbt(target: Path, command: str, form: str, manifest: Any, *arguments: str) -> Any:
    """What a dbt command answers; the project is read only where no manifest is given."""
    from dbt.cli.main import dbtRunner

    variables = {**json.loads(project_vars(Settings())), **SETTINGS, "offline_compile": form}
    words = [
        *("--quiet", "--no-use-colors", "--log-level-file", "none", command, *arguments),
        *("--target", "spark", "--vars", json.dumps(variables), "--target-path", str(target)),
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
    ]
    done = dbtRunner(manifest=manifest).invoke(words)
    if not done.success:
        raise SystemExit(f"dbt cannot {command} the project for Spark: {done.exception}")
    return done.result


if __name__ == "__main__":
    main(Path(sys.argv[1]))
