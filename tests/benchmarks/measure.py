"""Runs one step as a child process and says what it took.

Belongs here: CPU, wall clock and memory of a process with everything it started, and a description
of the machine. Does not belong here: what a step does (steps) or how figures are told (bench).
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.config import REPOSITORY


@dataclass(frozen=True)
class Cost:
    """CPU seconds (user and system, children included), wall seconds, peak memory of the biggest
    process in megabytes.
    """

    cpu: float
    wall: float
    peak_mb: float

    def __add__(self, other: Cost) -> Cost:
        """Two steps one after the other."""
        return Cost(self.cpu + other.cpu, self.wall + other.wall, max(self.peak_mb, other.peak_mb))


class StepFailedError(Exception):
    """A step ended with an error; its output is the message."""


def measure(arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> Cost:
    """Run a module of ours in a fresh interpreter, wait for it and take its bill."""
    return measure_command([sys.executable, "-m", *arguments], log, environment)


def measure_command(command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Cost:
    """Run any program, wait for it and take its bill."""
    with log.open("wb") as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=REPOSITORY,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = log.read_text("utf-8", errors="replace")[-4000:]
        raise StepFailedError(f"{' '.join(command)} ended with {process.returncode}:\n{tail}")
    return Cost(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024)


def machine() -> str:
    """What the figures were taken on, in one line, without naming the machine."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{len(os.sched_getaffinity(0))} cores ({_processor()}), {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"DuckDB {duckdb.__version__}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"
