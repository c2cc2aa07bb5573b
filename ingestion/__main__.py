"""One source into a raw store of its own, without Dagster or dbt: `python -m ingestion SOURCE`.

Belongs here: the loop of whoever writes a source. Does not belong here: a shop's run
(`regulars run`), which is locked, remembered and followed by the models.
"""

from __future__ import annotations

import argparse
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from ingestion.errors import RegularsError
from ingestion.input_folder import open_input
from ingestion.memory import bound
from ingestion.pipelines import RunContext, run_source
from ingestion.registry import SOURCES
from ingestion.settings_file import load_settings
from ingestion.settings_place import memory_limit


def main(arguments: list[str] | None = None) -> int:
    """Read the source that the arguments name; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m ingestion", description=__doc__)
    parser.add_argument("source", choices=SOURCES)
    parser.add_argument("--out", type=Path, required=True, help="gets raw.duckdb")
    parser.add_argument("--as-of", type=datetime.fromisoformat, required=True, help='"now", in UTC')
    parser.add_argument("--input", default="", help="the folder of docs/formats.md")
    chosen = parser.parse_args(arguments)
    try:
        _read(chosen.source, chosen.input, chosen.out, chosen.as_of)
    except RegularsError as error:
        print(f"{error.message}\n{error.hint}".strip(), file=sys.stderr)
        return error.exit_code
    return 0


def _read(source: str, location: str, out: Path, as_of: datetime) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".spill-", dir=out) as spill:
        bound(memory_limit(), lambda: Path(spill))
        _load(source, location, out, as_of)


def _load(source: str, location: str, out: Path, as_of: datetime) -> None:
    settings = load_settings()
    folder = open_input(location, settings) if location else None
    run_id = as_of.isoformat()
    context = RunContext(out / "raw.duckdb", out / "dlt", run_id, as_of, settings, folder)
    for count in run_source(source, context):
        print(
            f"{count.source}/{count.table}: {count.received:,} received, {count.loaded:,} loaded, "
            f"{count.quarantined:,} quarantined, {count.duplicate:,} duplicate"
        )
        for remark in count.remarks():
            print(f"  {remark}")


if __name__ == "__main__":
    sys.exit(main())
