"""The process that answers one question of `regulars sql`, and can reach the asked file alone.

Belongs here: the two ends of that process. Does not belong here: what may be asked
(`published/reader`), how an answer looks (`answer`), what is taken away (`home/confinement`).

The question goes in as JSON, the answer comes out as the text to print, or as an error's sentences.
It is a fresh interpreter, so that no file, connection or secret of the asking process is in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
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


def answer_apart(question: Mapping[str, Any]) -> str:
    """The text of the answer, made in a process of its own.

    Args:
        question: the arguments of `orchestration.commands.answer.answer`, as JSON has them.

    Raises:
        UsageError: the question is none, or wrong.
        RegularsError: it took too long or too much, or the file cannot be read.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(question).encode(),
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
    question = json.loads(sys.stdin.buffer.read())
    confine(readable_for(Path(question["file"])))
    from orchestration.commands.answer import answer

    try:
        content: dict[str, Any] = {"text": answer(**question)}
    except RegularsError as error:
        is_usage = isinstance(error, UsageError)
        content = {"is_usage": is_usage, "message": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(content))


if __name__ == "__main__":
    main()
