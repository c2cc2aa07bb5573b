"""The process that answers one question of `regulars sql`, and can reach the asked file alone.

An assistant's questions and drafts are answered by it as well. Belongs here: the two ends of that
process. Does not belong here: what may be asked (`published/reader`), how an answer looks
(`answer`, `assistant/apart`), what is taken away (`home/confinement`).

The question goes in as JSON, the answer comes out as the text to print, or as an error's sentences.
It is a fresh interpreter, so that no file, connection or secret of the asking process is in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ingestion.config import REPOSITORY
from ingestion.errors import RegularsError, UsageError
from orchestration.home.confinement import confine
from orchestration.published.reader import QUERY_SECONDS

_KEPT = frozenset({"LD_LIBRARY_PATH", "TZ"})  # of the environment, which may hold secrets
# Zones, and how much memory there is, without which DuckDB ends.
_SYSTEM = ("/usr/share/zoneinfo", "/proc/self/cgroup", "/sys/fs/cgroup")
_PATIENCE = 30.0  # seconds beyond the question's own, for the interpreter to begin
TABLE, ROWS, DRAFT = "table", "rows", "draft"  # forms of an answer


def answer_apart(question: Mapping[str, Any], form: str = TABLE) -> str:
    """The text of the answer, made in a process of its own.

    Args:
        question: the arguments of the function of `_answerer`, as JSON has them.
        form: of the answer: TABLE, ROWS or DRAFT.

    Raises:
        UsageError: the question is none, or wrong.
        RegularsError: it took too long or too much, or the file cannot be read.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps({"form": form, "question": dict(question)}).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env={"PYTHONUTF8": "1"}
            | {name: os.environ[name] for name in _KEPT & os.environ.keys()},
            timeout=QUERY_SECONDS + _PATIENCE,
            check=False,
        )
        content = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise RegularsError(
            "The process that answers the question ended without an answer.",
            "Narrow the question down and ask again.",
        ) from error
    if "text" in content:
        return str(content["text"])
    kind = UsageError if content["is_usage"] else RegularsError
    raise kind(content["message"], content["hint"])


def readable_for(file: Path) -> list[Path]:
    """What an interpreter needs to read to answer a question about a file."""
    libraries = {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    code = {REPOSITORY / name for name in ("ingestion", "orchestration", "pyproject.toml")}
    return sorted({*map(Path, (*libraries, *_SYSTEM)), *code, file.resolve()})


def main() -> None:
    """Read the question, give up every right, answer."""
    asked = json.loads(sys.stdin.buffer.read())
    question = asked["question"]
    project = [REPOSITORY / "dbt_project"] if asked["form"] == DRAFT else []
    confine([*readable_for(Path(question["file"])), *project])
    try:
        content: dict[str, Any] = {"text": _answerer(asked["form"])(**question)}
    except RegularsError as error:
        is_usage = isinstance(error, UsageError)
        content = {"is_usage": is_usage, "message": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(content))


def _answerer(form: str) -> Callable[..., str]:
    """What makes an answer of this form; loaded when the rights are given up."""
    if form == TABLE:
        from orchestration.commands.answer import answer

        return answer
    from orchestration.commands.assistant import apart

    return apart.rows_of if form == ROWS else apart.draft_of


if __name__ == "__main__":
    main()
