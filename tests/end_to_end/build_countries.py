"""Build the models of every country's shop in one process: `python -m ...build_countries FOLDER`.

dbt parses the project once for all of them; each build gets its own copy of what was parsed, since
a build writes into it. Sources name the home's path when they are parsed, so every shop is built in
one and the same home, which then moves to its own name.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from orchestration.run.dbt import project_vars
from tests.dbt.world import PROJECT, World
from tests.end_to_end.countries import AS_OF, COUNTRIES, Country, fill

WITHOUT_TESTS = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")


def main(folder: Path) -> None:
    """Leave a home with a warehouse per country in the folder, under its name."""
    home, parsed = folder / "home", None
    os.environ["REGULARS_HOME"] = str(home)
    for country in COUNTRIES:
        fill(World(home, str(AS_OF)), country)
        parsed = parsed or dbtRunner().invoke(_words("parse", folder, country)).result
        runner = dbtRunner(manifest=parsed.deepcopy())
        done = runner.invoke([*_words("build", folder, country), *WITHOUT_TESTS])
        if not done.success:
            raise SystemExit(f"{country.name}: {done.exception or 'dbt failed'}")
        DuckDBConnectionManager.close_all_connections()
        home.rename(folder / country.name)


def _words(command: str, folder: Path, country: Country) -> list[str]:
    return [
        "--no-use-colors", "--log-level", "warn", command,
        "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
        "--target-path", str(folder / "target"), "--log-path", str(folder / "logs"),
        "--vars", project_vars(country.settings),
    ]  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]))
