"""The accounts that the pretend shop has with vendors: a fake of each, kept in its folder.

Belongs here: where a fake of the pretend shop is reached, and that it is there when it is called.
Does not belong here: which destinations there are and what they send (`destinations`), keeping the
state (`kept`).
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import uvicorn

from orchestration.fakes import names, open_fake
from orchestration.fakes.kept import Kept, KeptClock
from orchestration.fakes.server import Fake, answering
from orchestration.fakes.shop import has_profiles, profiles_of

SEED = 20_260_601
_OF_THE_CALLS = ("calls", "refused", "faults", "most_at_once")


@dataclass(frozen=True, slots=True)
class Account:
    """A fake of the pretend shop: its address while this process lives, and its credentials."""

    name: str
    address: str
    credentials: Mapping[str, str]


def account_for(kind: str, folder: Path) -> Account | None:
    """The pretend shop's account with the vendor of a kind of destination; None if it has none.

    It is served from the first call on; until then there is a socket that waits for it.

    Args:
        kind: of a destination; its fake has the same name, or that of its first word.
        folder: the pretend shop's.
    """
    name = next((each for each in names() if kind in (each, f"{each}_ads")), None)
    return _account(name, folder, os.getpid()) if name else None


def holding(account: Account) -> Mapping[str, Any]:
    """What the account holds, asked from the fake: counts, and counts by name."""
    with urlopen(f"{account.address}/_state", timeout=30) as answer:  # noqa: S310 - our own
        state: dict[str, Any] = json.load(answer)
    return {key: value for key, value in state.items() if key not in _OF_THE_CALLS}


@cache
def _account(name: str, folder: Path, _process: int) -> Account:
    clock = KeptClock()
    fake = open_fake(name, SEED, clock)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        select.select([listener], [], [])
        config = uvicorn.Config(
            _kept(fake, clock, folder), log_level="critical", access_log=False, lifespan="off"
        )
        uvicorn.Server(config).run(sockets=[listener])

    threading.Thread(target=serve, name=f"fake-{name}", daemon=True).start()
    port = listener.getsockname()[1]
    return Account(name, f"http://127.0.0.1:{port}", fake.credentials)


def _kept(fake: Fake, clock: KeptClock, folder: Path) -> Kept:
    people = folder / "api"
    fake.begin_with(profiles_of(people) if has_profiles(people) else ())
    accounts = folder / "accounts"
    accounts.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Kept(answering(fake), clock, accounts / f"{fake.name}.jsonl")
