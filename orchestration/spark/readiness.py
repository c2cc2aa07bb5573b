"""Whether Spark can be begun here: Java, the extra, the master, the catalogue folder.

Belongs here: what can be known in a second or two, each a sentence with what to do. Does not belong
here: what only a session can know (session.py).
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ingestion.config import Engine
from ingestion.errors import RegularsError, tells_of_a_full_disk
from orchestration.home.layout import Home
from orchestration.spark.store import SparkStore, spark_store

JAVA = 17
PACKAGES = ("pyspark", "dbt-spark")
PAGE_PORT = 8080  # where a master shows its page unless it was told another
ANSWER_SECONDS = 5.0
_NAMES_IT = re.compile(rb'class="version"[^>]*>\s*([0-9][0-9.]*)')


@dataclass(frozen=True)
class Finding:
    """One thing that Spark needs. `problem` is empty where it is there."""

    name: str
    sentence: str
    problem: RegularsError | None = None


def look(engine: Engine, home: Home) -> list[Finding]:
    """Everything that Spark needs here, in the order in which it needs it."""
    questions: tuple[tuple[str, Callable[[], str]], ...] = (
        ("java", java),
        ("extra", extra),
        ("catalogue", lambda: catalogue(spark_store(home, engine))),
        ("master", lambda: master(engine.master)),
    )
    return list(_answers(questions))


def require(engine: Engine, home: Home) -> None:
    """Refuse to begin what Spark could not end.

    Raises:
        RegularsError: the first thing that is missing.
    """
    for finding in look(engine, home):
        if finding.problem:
            raise finding.problem


def _answers(questions: tuple[tuple[str, Callable[[], str]], ...]) -> Iterator[Finding]:
    for name, question in questions:
        try:
            yield Finding(f"spark {name}", question())
        except RegularsError as error:
            yield Finding(f"spark {name}", error.message, error)


def java() -> str:
    """Which Java there is.

    Raises:
        RegularsError: none, or one that is too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home) / "bin/java") if home else shutil.which("java")
    words = _java_says(program) if program else ""
    matched = re.search(r'version "(?:1\.)?(\d+)', words)
    hint = f"Install Java {JAVA} (on Debian: apt-get install openjdk-{JAVA}-jre-headless)."
    if not matched:
        where = "at JAVA_HOME" if home else "on the PATH"
        raise RegularsError(f"Spark needs Java {JAVA} or later, and there is none {where}.", hint)
    if int(matched.group(1)) < JAVA:
        raise RegularsError(f"Spark needs Java {JAVA} or later; this is {matched.group(1)}.", hint)
    return f"Java {matched.group(1)}."


def _java_says(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "-version"], capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def extra() -> str:
    """Which Spark this environment has.

    Raises:
        RegularsError: none.
    """
    installed = []
    for package in PACKAGES:
        try:
            installed.append(f"{package} {version(package)}")
        except PackageNotFoundError as error:
            raise RegularsError(
                f"Spark is not installed in this environment: {package} is missing.",
                "Run `make install-spark`, and `.venv-spark/bin/regulars` from then on.",
            ) from error
    return f"{', '.join(installed)}."


def catalogue(store: SparkStore) -> str:
    """Whether the folder can be written.

    Raises:
        RegularsError: it cannot, or its disk is full.
    """
    try:
        store.create()
        with tempfile.TemporaryFile(dir=store.root) as file:
            file.write(b"0" * 65_536)
    except OSError as error:
        if tells_of_a_full_disk(str(error)):
            raise RegularsError(
                f"The disk of Spark's catalogue folder {store.root} is full.",
                "Make room and run again; nothing is lost, the last published file stands.",
            ) from error
        raise RegularsError(
            f"Spark's catalogue folder {store.root} cannot be written ({error.strerror}).",
            "Mend `catalogue` under [engine] in regulars.toml, or the folder's permissions.",
        ) from error
    return f"Tables in {store.root}."


def master(address: str) -> str:
    """Whether the master answers, and where its page tells, whether it is of our Spark.

    Raises:
        RegularsError: nobody answers there, or it is of another Spark.
    """
    if address.startswith("local"):
        return f"In this process ({address})."
    host, _, port = address.removeprefix("spark://").rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise RegularsError(
            f"No Spark master answers at {address}.",
            "Start it, or mend `master` under [engine] in regulars.toml.",
        ) from error
    theirs = version_on_page(f"http://{host}:{PAGE_PORT}/")
    with suppress(PackageNotFoundError):
        ours = version("pyspark")
        if theirs and theirs != ours:
            raise other_version(address, theirs, ours)
    return f"{address} answers" + (f", Spark {theirs}." if theirs else ".")


def version_on_page(page: str) -> str:
    """Which Spark a master's page names; empty where there is no such page."""
    try:
        with urllib.request.urlopen(page, timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - http://
            matched = _NAMES_IT.search(answer.read(200_000))
    except (OSError, ValueError):
        return ""
    return matched.group(1).decode() if matched else ""


def other_version(address: str, theirs: str, ours: str) -> RegularsError:
    """Of a master, or of workers, of another Spark."""
    return RegularsError(
        f"The master at {address} is of Spark {theirs}; this environment has {ours}.",
        "Start the master and its workers from this environment (docs/scale.md).",
    )
