"""The command line from outside: one demo home for the session, and ways to run commands.

Whatever asks for the demo's home waits for a whole run of 2,000 people, so it is one of the tests
of `make faults`.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

REGULARS = str(Path(sys.executable).with_name("regulars"))
REPOSITORY = Path(__file__).resolve().parents[2]
PEOPLE = "2000"


@dataclass(frozen=True)
class Finished:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


Regulars = Callable[..., Finished]


def environment(**extra: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGULARS_")}
    kept.pop("DAGSTER_HOME", None)
    return {**kept, "COLUMNS": "140", **extra}


def run_command(*arguments: str | Path, timeout: float = 540, **extra: str) -> Finished:
    result = subprocess.run(
        [REGULARS, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=timeout,
        cwd=REPOSITORY,
        env=environment(**extra),
        check=False,
    )
    return Finished(result.returncode, result.stdout, result.stderr)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Before tests are chosen by their marks."""
    for item in items:
        if "demo_home" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.faults)


@pytest.fixture(scope="session")
def regulars() -> Regulars:
    return run_command


@dataclass(frozen=True)
class DemoHome:
    """A finished demo and what it printed."""

    root: Path
    said: str

    def query(self, sql: str) -> list[tuple]:
        with duckdb.connect(str(self.root / "published.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    root = tmp_path_factory.mktemp("demo") / "home"
    done = run_command("demo", "--people", PEOPLE, "--home", root)
    assert done.code == 0, done.out + done.err
    return DemoHome(root, done.out)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real orders that the repository does not carry."""
    place = Path(os.environ.get("REGULARS_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not place.exists():
        pytest.skip(f"the UCI Online Retail files are not at {place}")
    return place
