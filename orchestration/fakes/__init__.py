"""Fakes: stateful local doubles of vendors' APIs, to try deliveries without an account.

Belongs here: finding them by name. Does not belong here: the doubles that sources read from
(`ingestion.demo`), which hold a whole pretend shop and take nothing.

To add one, add `orchestration/fakes/<vendor>.py` or a folder of that name, with a function
`create(seed: int, clock: Clock) -> Fake`. Its rules are a table, which docs/fakes.md shows.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ingestion.errors import UsageError
from orchestration.fakes.server import Clock, Fake, utc_now

_NOT_A_FAKE = frozenset({"faults", "kept", "pretend", "rules", "server", "shop", "vendor"})


def names() -> tuple[str, ...]:
    """The fakes there are, by the name of their file or folder."""
    return tuple(
        sorted(module.name for module in iter_modules(__path__) if module.name not in _NOT_A_FAKE)
    )


def open_fake(name: str, seed: int = 0, clock: Clock = utc_now) -> Fake:
    """A fake without content.

    Args:
        name: one of `names`.
        seed: of everything in it that is left to chance.
        clock: tells its time, with its zone.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in names():
        raise UsageError(f"There is no fake `{name}`.", f"Use one of {', '.join(names())}.")
    fake: Fake = import_module(f"{__name__}.{name}").create(seed, clock)
    return fake
