"""Whatever form an answer has, the process that makes it has given up its rights before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ingestion.config import REPOSITORY
from orchestration.commands.answering import DRAFT, ROWS, TABLE
from orchestration.home.confinement import FILES, confinable

pytestmark = pytest.mark.slow

CHILD = """
from pathlib import Path
from orchestration.commands import answer, answering
from orchestration.commands.assistant import apart


def read(file, beside):
    parts = [Path(file).read_text()]
    try:
        parts.append(Path(beside).read_text())
    except PermissionError:
        parts.append("refused")
    return " ".join(parts)


answer.answer = apart.rows_of = apart.draft_of = read
answering.main()
"""


@pytest.mark.parametrize("form", [TABLE, ROWS, DRAFT])
def test_only_the_asked_file_is_read(tmp_path: Path, form: str) -> None:
    if FILES not in confinable():
        pytest.skip("this kernel cannot take files away")
    for name in ("asked", "beside"):
        (tmp_path / name).write_text(name, "utf-8")
    question = {"file": str(tmp_path / "asked"), "beside": str(tmp_path / "beside")}
    done = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps({"form": form, "question": question}),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        check=True,
    )
    assert json.loads(done.stdout) == {"text": "asked refused"}
