"""`regulars fakes`: the local doubles of vendors' APIs, until Ctrl-C, and what they enforce.

Belongs here: starting them and saying how they are reached. Does not belong here: what they answer
(`orchestration.fakes`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from copy import deepcopy
from shlex import quote

from ingestion.errors import UsageError
from orchestration.fakes import names, open_fake
from orchestration.fakes.faults import KINDS, parsed
from orchestration.fakes.rules import as_table
from orchestration.fakes.server import Fake, served_fake
from orchestration.fakes.shop import ShopProfile, has_profiles, profiles_of
from orchestration.home.layout import Home

Say = Callable[[str], None]


def serve_fakes(
    wanted: Sequence[str], faults: Sequence[str], port: int, seed: int, say: Say, home: Home | None
) -> None:
    """Serve fakes until the process is interrupted.

    Args:
        wanted: their names, all if there are none; a fault among them counts as one.
        faults: what is to go wrong, as `--fault` says it.
        port: of the first; each further one has the next.
        seed: of ids, of the time that jobs take and of faults.
        say: takes a line for the terminal.
        home: a pretend shop's, whose people the fakes then have.

    Raises:
        UsageError: there is no such fake or fault, a port is taken, or the home is none of a
            pretend shop.
    """
    people = _people(home) if home else []
    with running(wanted, faults, port, seed, people) as fakes:
        for fake, address in fakes:
            say(f"{fake.name:<12}{address}   holds: {address}/_state")
            for variable, value in fake.credentials.items():
                say(f"{'':<12}export {variable}={quote(value)}")
            say(f"{'':<12}options: base_url = {address!r}, allow_private = true")
        say("Ctrl-C ends them, and what they hold is gone.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


@contextmanager
def running(
    wanted: Sequence[str],
    faults: Sequence[str],
    port: int,
    seed: int,
    people: Sequence[ShopProfile] = (),
) -> Iterator[list[tuple[Fake, str]]]:
    """The fakes and their addresses, for as long as the block lasts; arguments as above."""
    planned = parsed([*faults, *(word for word in wanted if _is_fault(word))])
    chosen = [word for word in wanted if not _is_fault(word)] or list(names())
    with ExitStack() as stack:
        fakes = [open_fake(name, seed) for name in dict.fromkeys(chosen)]
        for fake in fakes:
            fake.begin_with(people)
            fake.faults.plan(*deepcopy(planned))
        yield [
            (fake, _serve(stack, fake, port and port + number)) for number, fake in enumerate(fakes)
        ]


def rules(name: str) -> list[str]:
    """The table of what a fake enforces, as Markdown.

    Raises:
        UsageError: there is no such fake.
    """
    return as_table(open_fake(name).rules)


def _people(home: Home) -> list[ShopProfile]:
    folder = home.demo / "api"
    if not has_profiles(folder):
        raise UsageError(
            f"{home.root} holds no pretend shop.",
            "Make one with `regulars demo`, or leave --home out.",
        )
    return profiles_of(folder)


def _serve(stack: ExitStack, fake: Fake, port: int) -> str:
    try:
        return stack.enter_context(served_fake(fake, port))
    except OSError as error:
        raise UsageError(
            f"Port {port} of this machine is taken.", "Choose another with --port."
        ) from error


def _is_fault(word: str) -> bool:
    return word.partition(":")[0] in KINDS
