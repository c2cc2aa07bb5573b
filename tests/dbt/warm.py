"""dbt kept warm: imported once, the project read once per set of variables, each command a fork.

Starting dbt and reading the project cost more than most worlds of these tests take to build. The
server is a process of its own without threads, so that it may fork; each command runs in a fork,
with the home's own paths in place of those that the project was read with.

Belongs here: running dbt as its command line would. Does not belong here: what is built.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = REPOSITORY / "dbt_project"
# Sources name the home's path when the project is read
ANY_HOME = "/the-home-of-the-test"
# dbt's two logs take a fifth of a small build's time, and the manifest it writes another eighth
UNLOGGED = ("--log-level", "none", "--log-level-file", "none")


def run_dbt(home: Path, *arguments: str, variables: str = "{}") -> subprocess.CompletedProcess[str]:
    """What `dbt ARGUMENTS` does in a home, whatever comes of it."""
    request = json.dumps({"home": str(home), "arguments": arguments, "variables": variables})
    server = _server()
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(request + "\n")
    server.stdin.flush()
    answer = server.stdout.readline()
    assert answer, "the dbt server is gone; its words are above"
    told = json.loads(answer)
    return subprocess.CompletedProcess(["dbt", *arguments], told["code"], told["said"], "")


@functools.cache
def _server() -> subprocess.Popen[str]:
    """One server per test process; it ends when its input does."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.dbt.warm"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=os.environ | {"REGULARS_HOME": ANY_HOME, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever dbt prints while it reads the project is no answer
    with tempfile.TemporaryDirectory() as scratch:
        for line in sys.stdin:
            request = json.loads(line)
            code, said = _answer(Path(scratch), **request)
            answers.write(json.dumps({"code": code, "said": said}) + "\n")
            answers.flush()


def _answer(scratch: Path, home: str, arguments: list[str], variables: str) -> tuple[int, str]:
    manifest = _parsed(scratch, variables)
    with tempfile.TemporaryFile("w+") as output:
        child = os.fork()
        if child == 0:
            for stream in (1, 2):
                os.dup2(output.fileno(), stream)
            code = 2
            try:
                code = _run(manifest, Path(home), [*arguments, "--vars", variables])
            finally:
                sys.stdout.flush()
                os._exit(code)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read()


_MANIFESTS: dict[str, Any] = {}


def _parsed(scratch: Path, variables: str) -> Any:
    """The project as it is read with these variables."""
    if variables not in _MANIFESTS:
        from dbt.cli.main import dbtRunner

        places = _places(scratch / str(len(_MANIFESTS)))
        done = dbtRunner().invoke(["--quiet", "parse", *places, "--vars", variables])
        if not done.success:
            raise SystemExit(f"dbt cannot read the project: {done.exception}")
        _MANIFESTS[variables] = done.result
        gc.collect()
        gc.freeze()  # so that forks share it
    return _MANIFESTS[variables]


def _run(manifest: Any, home: Path, arguments: list[str]) -> int:
    """Run one command in this process, and be as good as dbt's exit code."""
    from dbt.cli.main import dbtRunner

    os.environ["REGULARS_HOME"] = str(home)
    for source in manifest.sources.values():
        for facts in (source.meta, source.source_meta, source.config.meta):
            if place := facts.get("external_location"):
                facts["external_location"] = place.replace(ANY_HOME, str(home))
    words = [*UNLOGGED, *arguments, *_places(home / "dbt")]
    done = dbtRunner(manifest=manifest, callbacks=[_show]).invoke(words)
    if done.exception:
        print(done.exception)
        return 2
    return 0 if done.success else 1


def _show(event: Any) -> None:
    """Print what dbt finds wrong."""
    if event.info.level in ("warn", "error"):
        print(event.info.msg)


def _places(work: Path) -> list[str]:
    return [
        *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
        *("--target-path", str(work / "target"), "--log-path", str(work / "logs")),
    ]


if __name__ == "__main__":
    _serve()
