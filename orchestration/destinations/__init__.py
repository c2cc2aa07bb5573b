"""Destinations: one file each, found by its name.

Belongs here: adapters to the systems that reach a channel, and finding them. Does not belong here:
who may be sent anything (`orchestration.activation`).

To add one, add `orchestration/destinations/<kind>.py` with a function
`create(name: str, options: dict, home: Home) -> Destination`, and name the kind in
`regulars.toml`. The contract suite in tests/orchestration/destinations covers it from then on.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from ingestion import config
from ingestion.errors import UsageError
from orchestration.destinations.base import Destination
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.messages.templates import load_templates

if TYPE_CHECKING:
    from orchestration.fakes.pretend import Account

# Of a destination in the pretend shop's home: its own account with that vendor, a kept fake.
PRETEND_URL = "http://127.0.0.1"
_NOT_A_KIND = frozenset(
    {
        *("audience_tables", "base", "feed_file", "http", "normalising", "one_by_one", "options"),
        *("push_encryption", "tables"),
    }
)


@cache  # it lists a folder, and is asked for every pair of segment and destination
def kinds() -> tuple[str, ...]:
    """The kinds of destination there are, by file name."""
    return tuple(
        sorted(module.name for module in iter_modules(__path__) if module.name not in _NOT_A_KIND)
    )


def sends_messages(kind: str) -> bool:
    """Whether the kind sends messages (`base.SendsMessages`) and keeps no audience."""
    return bool(_said_by(kind, "SENDS_MESSAGES", False))


def traits_of(kind: str, usual: Sequence[str]) -> Sequence[str]:
    """The traits of a person that a kind is sent unless the settings say which: its `TRAITS`."""
    traits: Sequence[str] = _said_by(kind, "TRAITS", usual)
    return traits


def open_destination(name: str, settings: config.Destination, home: Home) -> Destination:
    """The adapter for the destination that the settings call `name`.

    Raises:
        UsageError: its kind or one of its options is unknown.
    """
    if settings.kind not in kinds():
        raise UsageError(
            f"The destination `{name}` has an unknown kind `{settings.kind}`.",
            f"Use one of {', '.join(kinds())}.",
        )
    module = import_module(f"{__name__}.{settings.kind}")
    destination: Destination = module.create(name, _options(settings, home), home)
    return destination


def finds_by(kind: str) -> tuple[str, ...]:
    """The types of identifiers, beside addresses, by which a kind finds people it may know.

    Where a person has them they stand in each row, several with spaces between them.
    """
    return tuple(_said_by(kind, "FINDS_BY", ()))


def messages_on_add(settings: config.Destination, segment: str) -> bool:
    """Whether being added there is being contacted, by it or by what begins then.

    It decides what a first activation does (`activation.first_activation`). A kind whose module has
    a function `messages_on_add(options, segment)` knows it; the settings may say it of any.
    """
    if settings.messages_on_add or sends_messages(settings.kind):
        return True
    own = _said_by(settings.kind, "messages_on_add", None)
    return own is not None and bool(own(settings.options, segment))


def check_destinations(settings: config.Settings, home: Home) -> None:
    """Open every destination that is on, which reaches nobody: a typo is known before any work.

    Where one sends messages, the shop's templates are read too.

    Raises:
        UsageError: a kind or an option is unknown or wrong (named), a template may not be, or the
            pretend shop would send out of its own home.
    """
    demo = is_demo(home)
    if any(each.enabled and sends_messages(each.kind) for each in settings.destinations.values()):
        load_templates()
    for name, destination in sorted(settings.destinations.items()):
        if not destination.enabled:
            continue
        opened = open_destination(name, destination, home)
        if demo and not opened.stays_in(home.root):
            raise UsageError(
                "The pretend shop delivers into its own folder and to doubles on this machine only;"
                f" the destination `{name}` goes somewhere else. Nothing was sent.",
                f"Take its address out of the settings, or set `enabled = false` for `{name}`.",
            )


def pretend_account(settings: config.Destination, home: Home) -> Account | None:
    """The pretend shop's own account that a destination means; None where it means another's."""
    if settings.options.get("base_url") != PRETEND_URL or not is_demo(home):
        return None
    from orchestration.fakes.pretend import account_for  # noqa: PLC0415 - a shop does without

    return account_for(settings.kind, home.demo)


def _said_by(kind: str, name: str, otherwise: Any) -> Any:
    """What the module of a kind says under a name; an unknown kind says nothing."""
    module = import_module(f"{__name__}.{kind}") if kind in kinds() else None
    return getattr(module, name, otherwise)


def _options(settings: config.Destination, home: Home) -> dict[str, Any]:
    account = pretend_account(settings, home)
    if account is None:
        return settings.options
    os.environ.update(account.credentials)
    return {**settings.options, "base_url": account.address, "allow_private": True}
