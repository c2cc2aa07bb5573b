"""A process that can reach no network and no file but those it is given to read (RELIABILITY SEC4).

Belongs here: taking these rights away from the process that asks for it, for ever. Does not belong
here: what it then does.

Linux only: Landlock leaves reading of the given files and folders, a seccomp filter refuses
sockets, other programs and looking into other processes. Neither needs any right. Where the kernel
lacks one of them, that one does not hold, and the caller is told. Called before the first thread
begins: Landlock holds for the calling thread and what it begins later.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from ingestion.config import REPOSITORY

_PATIENCE = 20  # seconds for a process that only tries
NETWORK, FILES = "network", "files"
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _BENEATH = 1, 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# Rights over files that Landlock of each version can take away: their number.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_NEWEST_RIGHTS = 16
# By architecture: its number for filters, and the calls that are refused: socket, connect, bind,
# sendto, execve, execveat, ptrace, process_vm_readv and _writev, kill, io_uring_setup.
_CALLS = {
    "x86_64": (0xC000003E, (41, 42, 49, 44, 59, 322, 101, 310, 311, 62, 425)),
    "aarch64": (0xC00000B7, (198, 203, 200, 206, 221, 281, 117, 270, 271, 129, 425)),
}
_OTHER_ABI = 0x40000000  # of x86_64, whose calls have other numbers
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050001


def confine(readable: Iterable[Path]) -> set[str]:
    """Take away the network and all files but the readable ones; which of the two now hold.

    Args:
        readable: files and folders that can still be read; those that are missing are left out.
    """
    if platform.system() != "Linux":
        return set()
    system = ctypes.CDLL(None, use_errno=True)
    if system.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0):
        return set()
    held = set()
    if _without_files(system, readable):
        held.add(FILES)
    if _without_network(system):
        held.add(NETWORK)
    return held


def confinable() -> set[str]:
    """Which of the two a process of this machine can have taken away, tried by one of its own."""
    own = f"from {__name__} import confine; held = confine([]); print(*held)"
    try:
        done = subprocess.run(
            [sys.executable, "-c", own],
            capture_output=True,
            text=True,
            cwd=REPOSITORY,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return {NETWORK, FILES} & set(done.stdout.split())


def _without_files(system: ctypes.CDLL, readable: Iterable[Path]) -> bool:
    version = system.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    rights = (1 << _RIGHTS.get(version, _NEWEST_RIGHTS)) - 1
    handled = struct.pack("Q", rights)
    rules = system.syscall(_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if rules < 0:
        return False
    for path in readable:
        if path.exists():
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            allowed = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
            system.syscall(_ADD_RULE, rules, _BENEATH, struct.pack("=Qi", allowed, descriptor), 0)
            os.close(descriptor)
    is_held: bool = system.syscall(_RESTRICT_SELF, rules, 0) == 0
    os.close(rules)
    return is_held


def _without_network(system: ctypes.CDLL) -> bool:
    known = _CALLS.get(platform.machine())
    if known is None:
        return False
    program = _program(*known)
    steps = ctypes.create_string_buffer(program, len(program))
    count = len(program) // 8
    filter_program = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", count, ctypes.addressof(steps))
    )
    return bool(system.prctl(_SECCOMP, _FILTER, filter_program, 0, 0) == 0)


def _program(architecture: int, calls: tuple[int, ...]) -> bytes:
    """The filter: another architecture and these calls are refused, everything else passes."""
    refused = len(calls) + 1  # steps from the first comparison to the last one's refusal
    steps = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 0, refused + 2, architecture),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, refused, 0, _OTHER_ABI),
        *((_EQUAL, len(calls) - number, 0, call) for number, call in enumerate(calls)),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)
