"""A whole run speaks to this machine alone (RELIABILITY SEC7): no telemetry, nothing fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Loaded by every Python that the run starts: notes and refuses whatever leads out of the machine.
WATCH = """
import os, socket, sys

def watch(event, arguments):
    if event == "socket.connect":
        place = arguments[1]
    elif event == "socket.getaddrinfo":
        place = arguments[:2]
    else:
        return
    if not isinstance(place, tuple):
        return  # a socket in the file system
    host = place[0].decode() if isinstance(place[0], bytes) else place[0]
    if host in (None, "", "localhost", "::1", "0.0.0.0") or str(host).startswith("127."):
        return
    with open(os.environ["REGULARS_TEST_CONNECTIONS"], "a") as out:
        out.write(f"{event} {host}\\n")
    raise OSError(101, "Network is unreachable")

sys.addaudithook(watch)
"""

pytestmark = pytest.mark.skipif(
    not os.environ.get("REGULARS_SOAK"), reason="a whole demo; run by `make soak`"
)


def test_the_demo_opens_no_connection_but_to_this_machine(tmp_path: Path) -> None:
    """Without a network besides, where the system lets us: not all that runs is Python."""
    watch = tmp_path / "watch"
    watch.mkdir()
    (watch / "sitecustomize.py").write_text(WATCH)
    noted = tmp_path / "connections"
    regulars = str(Path(sys.executable).with_name("regulars"))
    command = [regulars, "demo", "--people", "100", "--home", str(tmp_path / "home")]
    alone = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "alone"]
    if shutil.which("unshare") and shutil.which("ip"):
        tried = subprocess.run([*alone, "true"], capture_output=True, check=False)
        command = [*alone, *command] if tried.returncode == 0 else command
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONPATH": str(watch), "REGULARS_TEST_CONNECTIONS": str(noted)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert not noted.exists(), noted.read_text()


def test_the_watch_sees_a_connection(tmp_path: Path) -> None:
    """What the test above rests on."""
    (tmp_path / "sitecustomize.py").write_text(WATCH)
    noted = tmp_path / "connections"
    probe = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    subprocess.run(
        [sys.executable, "-c", probe],
        env=os.environ | {"PYTHONPATH": str(tmp_path), "REGULARS_TEST_CONNECTIONS": str(noted)},
        capture_output=True,
        check=False,
    )
    assert "192.0.2.1" in noted.read_text()
