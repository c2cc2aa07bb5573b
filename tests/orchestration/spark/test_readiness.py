"""What is missing for Spark is one sentence each, without Java, Spark or a master being there."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from ingestion.config import Engine
from ingestion.errors import RegularsError
from orchestration.home.layout import Home
from orchestration.spark import readiness
from orchestration.spark.store import SparkStore

OURS = "4.3.0"


@pytest.fixture(autouse=True)
def _spark_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(readiness, "version", lambda _package: OURS)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    java(tmp_path, monkeypatch, "17.0.15")


def java(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """A program `java` on the PATH that says it is of this version; none without one."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "java").unlink(missing_ok=True)
    if version:
        (programs / "java").write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
        (programs / "java").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}/bin")
    monkeypatch.setattr(
        readiness.shutil, "which", lambda name: str(programs / name) if version else None
    )


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("", "Spark needs Java 17 or later, and there is none on the PATH."),
        ("11.0.2", "Spark needs Java 17 or later; this is 11."),
        ("1.8.0_392", "Spark needs Java 17 or later; this is 8."),
    ],
)
def test_a_java_that_spark_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, words: str
) -> None:
    java(tmp_path, monkeypatch, version)
    with pytest.raises(RegularsError) as error:
        readiness.require(Engine(name="spark"), Home(tmp_path))
    assert (error.value.message, error.value.exit_code) == (words, 1)
    assert "openjdk-17-jre-headless" in error.value.hint


@pytest.mark.parametrize("version", ["17.0.15", "21"])
def test_a_java_that_spark_can_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    java(tmp_path, monkeypatch, version)
    assert readiness.java() == f"Java {version.split('.', maxsplit=1)[0]}."


def test_a_java_home_without_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    with pytest.raises(RegularsError, match="there is none at JAVA_HOME"):
        readiness.java()


def test_the_extra_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def version(package: str) -> str:
        if package == "pyspark":
            raise PackageNotFoundError
        return OURS

    monkeypatch.setattr(readiness, "version", version)
    with pytest.raises(RegularsError, match="pyspark is missing") as error:
        readiness.require(Engine(name="spark"), Home(tmp_path))
    assert "make install-spark" in error.value.hint


def test_nobody_answers_at_the_master(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    engine = Engine(name="spark", master=f"spark://127.0.0.1:{port}")
    with pytest.raises(RegularsError, match=f"No Spark master answers at spark://127.0.0.1:{port}"):
        readiness.require(engine, Home(tmp_path))


def test_a_port_that_cannot_be() -> None:
    with pytest.raises(RegularsError, match="No Spark master answers"):
        readiness.master("spark://127.0.0.1:99999")


class _Page(BaseHTTPRequestHandler):
    """A master's page as Spark writes it, of another version."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'<a href="/"><span class="version" style="x">3.5.1</span></a>')

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


def test_the_page_of_another_spark_is_named(
    monkeypatch: pytest.MonkeyPatch, listening: int
) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    threading.Thread(target=server.handle_request, daemon=True).start()
    monkeypatch.setattr(readiness, "PAGE_PORT", server.server_port)
    with pytest.raises(RegularsError, match=r"is of Spark 3\.5\.1; this environment has 4\.3\.0"):
        readiness.master(f"spark://127.0.0.1:{listening}")
    server.server_close()


def test_a_master_without_a_page_answers(monkeypatch: pytest.MonkeyPatch, listening: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        monkeypatch.setattr(readiness, "PAGE_PORT", closed.getsockname()[1])
    address = f"spark://127.0.0.1:{listening}"
    assert readiness.master(address) == f"{address} answers."


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "The disk of Spark's catalogue folder"), (errno.EACCES, "cannot be written")],
)
def test_a_catalogue_folder_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, words: str
) -> None:
    def create(_store: SparkStore) -> SparkStore:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(SparkStore, "create", create)
    engine = Engine(name="spark", catalogue=str(tmp_path / "elsewhere"))
    with pytest.raises(RegularsError, match=words) as error:
        readiness.require(engine, Home(tmp_path))
    assert str(tmp_path / "elsewhere") in error.value.message


def test_nothing_is_missing_where_all_is_there(tmp_path: Path) -> None:
    findings = readiness.look(Engine(name="spark", master="local[2]"), Home(tmp_path))
    assert [(finding.name, finding.problem) for finding in findings] == [
        ("spark java", None),
        ("spark extra", None),
        ("spark catalogue", None),
        ("spark master", None),
    ]
    assert (tmp_path / "spark").stat().st_mode & 0o77 == 0
