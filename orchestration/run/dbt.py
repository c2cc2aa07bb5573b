"""How dbt is run: its project, its command, its variables, its manifest.

Belongs here: everything about calling dbt that is not a Dagster object. Does not belong here:
models (dbt_project) and the assets made of them (defs/transformation.py).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from ingestion.config import Segment, Settings
from ingestion.duckdb import connect
from ingestion.errors import (
    MemoryLimitError,
    RegularsError,
    UsageError,
    tells_of_a_full_disk,
    tells_of_too_little_memory,
)
from orchestration.home.layout import Home
from orchestration.home.lock import hold
from orchestration.run.rfm_settings import check_cuts, check_group_map
from orchestration.segments.files import segment_names
from orchestration.segments.rendering import DBT_PROJECT, SEGMENT
from orchestration.words.rfm_groups import group_names

__all__ = ["DBT_PROJECT", "SEGMENT", "segment_names"]

_OUT_OF_SYNC = "incremental model are out of sync"
WATCHED = ("*.sql", "*.yml", "*.csv", "*.py")
# They try the models on made-up rows of a shop in pounds; `make test` runs them.
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
PARSE_SECONDS = 300.0  # how long another process may take to parse before this one gives up
# A threshold that is worked out from the shop's own repeats (dbt_project/macros/rhythm.sql)
AUTO = "auto"
AUTO_KIND = f"a whole number above zero, or `{AUTO}`"


@dataclass(frozen=True)
class Manifest:
    """What others want to know of the parsed project.

    `models` are (schema, name); `segments` is what each segment's file says of itself, by name;
    `columns` are the described columns of each model.
    """

    models: tuple[tuple[str, str], ...] = ()
    segments: dict[str, dict[str, Any]] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)


def dbt_executable() -> str:
    """The dbt beside this Python, so that an inactive virtual environment works too."""
    return str(Path(sys.executable).with_name("dbt"))


def project_vars(settings: Settings) -> str:
    """The shop's settings, the segments there are and the names of its RFM groups, as JSON.

    A model can list no folder and read no seed while dbt reads the project, so both are read here:
    a new file is a new segment. Stable from run to run, so dbt need not parse again.
    """
    listed = {"segments": segment_names(), "rfm_groups": group_names()}
    return json.dumps({**settings.dbt_vars(), **listed}, sort_keys=True)


def check_settings(settings: Settings) -> None:
    """Hold the settings against the project: what dbt would ignore, what delivery would miss.

    Raises:
        UsageError: a threshold, a segment, a place it goes to or a column sent along is unknown,
            or a threshold is of another type (named); or cut points or the group map of RFM cannot
            be used.
    """
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
    # The shop's own facts stand under [shop], not here.
    known = {k: v for k, v in project["vars"].items() if k not in Settings().dbt_vars()}
    for name, value in settings.models.items():
        if name not in known:
            raise UsageError(
                f"The settings have an unknown threshold `models.{name}`; "
                f"known: {', '.join(sorted(known))}.",
                "Mend it in regulars.toml and run again.",
            )
        kind = _kind(known[name])
        if kind == AUTO_KIND:
            is_right = value == AUTO or (type(value) is int and value > 0)
        else:
            is_right = _kind(value) == kind
        if not is_right:
            raise UsageError(
                f"The setting `models.{name}` must be {kind}, such as {known[name]}.",
                "Mend it in regulars.toml and run again.",
            )
    check_cuts(settings.models, known["rfm_buckets"])
    check_group_map()
    for name, segment in settings.segments.items():
        if name not in segment_names():
            raise UsageError(
                f"The settings name a segment `segments.{name}` that there is not; "
                f"there are: {', '.join(segment_names())}.",
                "Mend it in regulars.toml and run again.",
            )
        _check_places(name, segment, settings)
    _check_columns(settings)


def _check_places(name: str, segment: Segment, settings: Settings) -> None:
    for destination in segment.destinations or []:
        if destination not in settings.destinations:
            raise UsageError(
                f"`segments.{name}.destinations` names `{destination}`, which the settings do not "
                f"have; they have: {', '.join(sorted(settings.destinations)) or 'none'}.",
                f"Add [destinations.{destination}] to regulars.toml, or mend the name.",
            )


def _check_columns(settings: Settings) -> None:
    known = _columns_of("marts/customers/dim_customers")
    for name, destination in settings.destinations.items():
        columns = destination.options.get("columns")
        for column in columns if isinstance(columns, list) else ():  # else the adapter tells
            if destination.enabled and column not in known:
                raise UsageError(
                    f"`destinations.{name}.options.columns` names `{column}`, which is no column "
                    f"of marts.dim_customers; there are: {', '.join(known)}.",
                    "Mend it in regulars.toml and run again.",
                )


def _columns_of(model: str) -> list[str]:
    """The columns of a model, as its description lists them."""
    described = yaml.safe_load((DBT_PROJECT / f"models/{model}.yml").read_text("utf-8"))
    return [column["name"] for column in described["models"][0]["columns"]]


def _kind(value: Any) -> str:
    """What a setting is, in words; whole and other numbers are one kind, true and false another."""
    if value == AUTO:
        return AUTO_KIND
    words = {bool: "true or false", int: "a number", float: "a number", str: "a text"}
    return words.get(type(value), "a list" if isinstance(value, list) else "a table")


def vars_argument(settings: Settings) -> list[str]:
    """`--vars` for every dbt command of this shop."""
    return ["--vars", project_vars(settings)]


def target_path(home: Home) -> Path:
    """Where dbt keeps its manifest and its parse cache for this home."""
    return home.dbt / "target"


def manifest_path(home: Home, settings: Settings) -> Path:
    """The project's manifest, parsed anew when a model, setting or seed is newer than it.

    Several processes load the definitions at once (Dagster's servers, a run's steps), and every
    dbt command writes the manifest of `target_path` in place. So one process parses while the
    others wait, and what they read is a copy that is whole from its first moment.

    Raises:
        RegularsError: dbt cannot parse the project.
    """
    manifest = home.dbt / "manifest.json"
    stamp = home.dbt / "manifest_vars.json"
    variables = project_vars(settings)
    if _is_fresh(manifest, stamp, variables):
        return manifest
    home.create()
    with hold(home.dbt / "manifest.lock", wait_seconds=PARSE_SECONDS):
        if _is_fresh(manifest, stamp, variables):
            return manifest
        stamp.unlink(missing_ok=True)  # killed from here on, the next process parses anew
        run_dbt(home, settings, "parse")
        coming = manifest.with_suffix(".coming")
        shutil.copyfile(target_path(home) / "manifest.json", coming)
        coming.replace(manifest)
        stamp.write_text(_stamp(manifest, variables), "utf-8")
    return manifest


def _is_fresh(manifest: Path, stamp: Path, variables: str) -> bool:
    """Whether the manifest is whole, of these variables and of the project as it is now."""
    try:
        is_whole = stamp.read_text("utf-8") == _stamp(manifest, variables)
        return is_whole and manifest.stat().st_mtime >= _newest_source()
    except (FileNotFoundError, UnicodeDecodeError):
        return False


def _stamp(manifest: Path, variables: str) -> str:
    """What is kept beside a manifest: its size, so that a cut one is noticed, and its variables."""
    return f"{manifest.stat().st_size}\n{variables}"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; an empty one where dbt has not parsed anything yet."""
    if not path.exists():
        return Manifest()
    nodes = json.loads(path.read_text("utf-8"))["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    segments = {node["name"]: node["config"].get("meta", {}).get("segment") for node in models}
    return Manifest(
        tuple(sorted((node["schema"], node["name"]) for node in models)),
        {name.removeprefix(SEGMENT): meta for name, meta in sorted(segments.items()) if meta},
        {
            node["name"]: {
                name: column.get("description", "")
                for name, column in node.get("columns", {}).items()
            }
            for node in models
        },
    )


def row_counts(home: Home) -> dict[str, int]:
    """Rows per table of the warehouse, by table name; nothing when there is no warehouse yet."""
    if not home.warehouse.exists():
        return {}
    with connect(home.warehouse, read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE'"
        ).fetchall()
        counts = {}
        for schema, name in tables:
            row = connection.execute(f'select count(*) from "{schema}"."{name}"').fetchone()
            counts[name] = int(row[0]) if row else 0
    return counts


def column_types(home: Home) -> dict[str, list[tuple[str, str]]]:
    """Names and types of the columns of every table and view of the warehouse, in their order."""
    if not home.warehouse.exists():
        return {}
    columns: dict[str, list[tuple[str, str]]] = {}
    with connect(home.warehouse, read_only=True) as connection:
        for table, column, kind in connection.execute(
            "select table_name, column_name, data_type from information_schema.columns"
            " order by table_schema, table_name, ordinal_position"
        ).fetchall():
            columns.setdefault(table, []).append((column, kind))
    return columns


def failure_sentence(home: Home) -> str:
    """What failed in the last dbt command, by name and count; never a row's content."""
    try:
        results = json.loads((target_path(home) / "run_results.json").read_text("utf-8"))
    except (OSError, ValueError):
        return f"dbt stopped before it ran a model; see {home.dbt / 'logs' / 'dbt.log'}."
    broken = [
        result
        for result in results["results"]
        if result["status"] in ("error", "fail", "runtime error")
    ]
    if any(_OUT_OF_SYNC in (result.get("message") or "") for result in broken):
        return (
            "The columns of a table that grows from run to run have changed with this version."
            " Run once with --full-refresh: it is built anew from raw and nothing is lost."
        )
    if any(tells_of_a_full_disk(result.get("message") or "") for result in broken):
        return (
            "The disk is full. Make room and run again; nothing was published and nothing is lost."
        )
    if any(tells_of_too_little_memory(result.get("message") or "") for result in broken):
        return MemoryLimitError().sentences
    if sentence := _said_by_a_macro(broken):
        return f"{sentence.rstrip('.')}. Nothing was published."
    failed = [(result["unique_id"].split("."), result.get("failures")) for result in broken]
    names = [
        f"{parts[0]} {parts[2]}" + (f" ({failures} rows)" if failures else "")
        for parts, failures in failed
    ]
    return (
        f"{len(names)} dbt node(s) failed: {'; '.join(names[:5])}. "
        f"Nothing was published; see {home.dbt / 'logs' / 'dbt.log'}."
    )


def _said_by_a_macro(broken: list[dict[str, Any]]) -> str:
    """What a macro said of a seed that cannot be used; it names the line, never a row."""
    for result in broken:
        kind, _, rest = (result.get("message") or "").partition("\n")
        if kind.startswith("Compilation Error"):
            return rest.strip().partition("\n")[0].strip()
    return ""


def _newest_source() -> float:
    folders = ("models", "macros", "seeds", "tests", "snapshots")
    files = [
        file
        for folder in folders
        for kind in WATCHED
        for file in (DBT_PROJECT / folder).rglob(kind)
    ]
    files += [DBT_PROJECT / "dbt_project.yml", DBT_PROJECT / "profiles.yml"]
    return max(file.stat().st_mtime for file in files)


def run_dbt(
    home: Home,
    settings: Settings,
    *arguments: str,
    logs: Path | None = None,
    target: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run one dbt command on a home, quietly.

    Args:
        home: where it works.
        settings: the shop's.
        arguments: the command and its options.
        logs: the folder of dbt's log, where the home's own will not last.
        target: the folder of its manifest and results, where the home's own is another's.
        environment: variables that it has besides.

    Raises:
        RegularsError: dbt failed; its last words, and where the whole log is.
    """
    logs = logs or home.dbt / "logs"
    command = [
        dbt_executable(),
        "--no-use-colors",
        *arguments,
        *("--project-dir", str(DBT_PROJECT), "--profiles-dir", str(DBT_PROJECT)),
        *("--target-path", str(target or target_path(home)), "--log-path", str(logs)),
        *vars_argument(settings),
    ]
    result = subprocess.run(
        command,
        env={**os.environ, "REGULARS_HOME": str(home.root), **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise RegularsError(
            f"dbt cannot {'read' if arguments[0] == 'parse' else 'build'} the models: "
            + _last_error(result.stdout + result.stderr),
            f"Mend the file it names; the whole log is {logs / 'dbt.log'}.",
        )


def _last_error(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line, following in pairwise(lines):
        if "Compilation Error in model" in line:
            return following
    return " ".join(lines[-4:])
