"""A standalone master with two workers on this machine, started from the package of pyspark.

Belongs here: its processes, and killing one of them. Does not belong here: what is built there
(build.py).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

BEGIN_SECONDS = 60.0
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Cluster:
    """Where the master answers, and the workers' processes."""

    master: str
    workers: tuple[subprocess.Popen[bytes], ...]


@contextmanager
def cluster(folder: Path, *, workers: int = 2, memory: str = "3g") -> Iterator[Cluster]:
    """A master and its workers, one core each, until the block ends.

    Args:
        folder: for their logs and what they put aside.
        workers: how many.
        memory: of each, for its executor.
    """
    port, page = free_port(), free_port()
    master = f"spark://{HOST}:{port}"
    processes = [
        _start(folder, "master", "master.Master", "--port", str(port), "--webui-port", str(page))
    ]
    try:
        _wait_for(port)
        for number in range(workers):
            words = ("--cores", "1", "--memory", memory, "--webui-port", "0", master)
            processes.append(_start(folder, f"worker-{number}", "worker.Worker", *words))
        yield Cluster(master, tuple(processes[1:]))
    finally:
        for process in processes:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, name: str, kind: str, *words: str) -> subprocess.Popen[bytes]:
    import pyspark  # the extra `spark`

    spark_home = Path(pyspark.__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            [
                spark_home / "bin/spark-class",
                *(f"org.apache.spark.deploy.{kind}", "--host", HOST, *words),
            ],
            env=os.environ
            | {
                "SPARK_HOME": str(spark_home),
                "SPARK_LOCAL_DIRS": str(folder / "scratch"),
                "SPARK_WORKER_DIR": str(folder / name),
                "PYSPARK_PYTHON": sys.executable,
            },
            stdout=log,
            stderr=log,
        )


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + BEGIN_SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
