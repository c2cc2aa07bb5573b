"""A confined process reaches no network, no file but the given ones, no other process (SEC4).

Each attempt runs in the same child, which must be refused all and still answer a question.
"""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from orchestration.home.confinement import confinable

pytestmark = pytest.mark.skipif(platform.system() != "Linux", reason="Linux alone can do this")

CHILD = """
import ctypes, json, os, shutil, socket, sys, threading, urllib.request
from pathlib import Path
import duckdb
from orchestration.commands.answering import readable_for
from orchestration.home.confinement import confine

file, beside = Path(sys.argv[1]), Path(sys.argv[2])
port, parent = int(sys.argv[3]), int(sys.argv[4])
held = confine(readable_for(file))


def ask(sql):
    with duckdb.connect(str(file), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def in_thread(attempt):
    done = []
    def work():
        try:
            done.append(attempt())
        except BaseException as error:
            done.append(error)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


ATTEMPTS = {
    "read a file": lambda: beside.read_text(),
    "read a password file": lambda: Path("/etc/passwd").read_text(),
    "read its environment": lambda: Path(f"/proc/{parent}/environ").read_bytes(),
    "read memory": lambda: open(f"/proc/{parent}/mem", "rb").read(1),
    "list a folder": lambda: os.listdir(beside.parent),
    "list the root": lambda: os.listdir("/"),
    "write beside": lambda: beside.with_name("new").write_text("x"),
    "write to the file": lambda: open(file, "ab"),
    "cut the file": lambda: os.truncate(file, 0),
    "remove the file": lambda: file.unlink(),
    "rename the file": lambda: file.rename(file.with_name("other")),
    "copy the file": lambda: shutil.copy(file, beside.with_name("copy")),
    "link to the file": lambda: os.link(file, beside.with_name("link")),
    "link by name": lambda: os.symlink(file, beside.with_name("symlink")),
    "make a folder": lambda: beside.with_name("folder").mkdir(),
    "make a pipe": lambda: os.mkfifo(beside.with_name("pipe")),
    "write to tmp": lambda: Path("/tmp/regulars-escape").write_text("x"),
    "TCP": lambda: socket.create_connection(("127.0.0.1", port), timeout=2),
    "UDP": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "IPv6": lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM),
    "a local socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "HTTP": lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2),
    "another program": lambda: os.execv("/bin/sh", ["sh", "-c", "exit 0"]),
    "another interpreter": lambda: os.execv(sys.executable, [sys.executable, "-c", ""]),
    "end its parent": lambda: os.kill(parent, 15),
    "trace its parent": lambda: 1 / (ctypes.CDLL(None).ptrace(16, parent, 0, 0) == 0),
    "read from a thread": lambda: in_thread(lambda: beside.read_text()),
    "TCP from a thread": lambda: in_thread(
        lambda: socket.create_connection(("127.0.0.1", port), timeout=2)),
    "DuckDB reads": lambda: ask(f"select * from read_text('{beside}')"),
    "DuckDB lists": lambda: ask(f"select * from glob('{beside.parent}/*')")[0],
    "DuckDB writes": lambda: ask(f"copy (select 1) to '{beside.with_name('out.csv')}'"),
    "DuckDB attaches": lambda: ask(f"attach '{beside.with_name('out.duckdb')}'"),
    "DuckDB installs": lambda: ask("install httpfs"),
    "DuckDB fetches": lambda: ask(f"select * from read_csv('http://127.0.0.1:{port}/a.csv')"),
}
done = []
for name, attempt in ATTEMPTS.items():
    try:
        attempt()
    except Exception:
        continue
    done.append(name)
print(json.dumps({"held": sorted(held), "done": done, "rows": ask("select n from t order by n"),
                  "attempts": len(ATTEMPTS)}))
"""


def test_a_confined_process_escapes_by_no_way_and_still_answers(tmp_path: Path) -> None:
    """DuckDB is opened without any of its own locks here: the process alone has to hold."""
    file, beside = tmp_path / "asked" / "a.duckdb", tmp_path / "other" / "secret.txt"
    for each in (file, beside):
        each.parent.mkdir()
    beside.write_text("secret")
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table t as select range as n from range(3)")
    before = file.read_bytes()
    with listening() as port:
        child = subprocess.run(
            [sys.executable, "-c", CHILD, str(file), str(beside), str(port), str(os.getpid())],
            capture_output=True,
            timeout=120,
            check=False,
        )
    said = json.loads(child.stdout)
    if said.get("held") != ["files", "network"]:
        pytest.skip("this kernel has no Landlock or no filters")
    assert said["done"] == []
    assert said["rows"] == [[0], [1], [2]]
    assert said["attempts"] == 35
    assert file.read_bytes() == before
    assert [each.name for each in beside.parent.iterdir()] == ["secret.txt"]


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine on which somebody would answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_what_can_be_given_up_is_tried_by_a_process_of_its_own() -> None:
    held = confinable()
    assert held <= {"files", "network"}
    assert Path("/etc/passwd").read_bytes(), "this process gave up nothing"
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
