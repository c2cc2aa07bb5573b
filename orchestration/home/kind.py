"""Whose data a home holds, a shop's or the pretend shop's, and that the two never mix.

Belongs here: the small file `home.json` that says it, and the refusals that follow from it. Does
not belong here: which home a command takes (home) and what is in its stores.

A home of the time before that file is told by what lies in it: the mark of the pretend shop's
world, or a store.
"""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ingestion.config import CONFIG_NAME
from ingestion.errors import RegularsError, UsageError
from orchestration.home.layout import SHOP_HOME, Home
from orchestration.home.memory import bound_memory

Kind = Literal["demo", "shop"]
WORLD = "world.json"  # what older versions wrote into the pretend shop's folder


@dataclass(frozen=True)
class Mark:
    """What a home says of itself. `world`: how the pretend shop was made."""

    kind: Kind
    world: Mapping[str, Any] = field(default_factory=dict)


def read_mark(home: Home) -> Mark | None:
    """Which kind of home this is; None where nothing was ever put into it.

    Raises:
        RegularsError: `home.json` cannot be read, so that nobody can know.
    """
    if home.mark.exists():
        return _read(home.mark)
    old = home.demo / WORLD
    if old.exists():
        return Mark("demo", {"cards": True} | _json(old))
    if any(path.exists() for path in (home.raw, home.ops, home.published)):
        return Mark("shop")
    return None


def is_demo(home: Home) -> bool:
    """Whether the home is the pretend shop's."""
    mark = read_mark(home)
    return mark is not None and mark.kind == "demo"


def first_moment(home: Home) -> datetime:
    """The moment as of which the pretend shop of this home was made, naive UTC.

    Raises:
        RegularsError: the home is not a pretend shop's.
    """
    mark = read_mark(home)
    if mark is None or mark.kind != "demo":
        raise RegularsError(f"{home.root} is not a pretend shop's home.")
    return datetime.fromisoformat(str(mark.world["as_of"]))


def claim(home: Home, kind: Kind, world: Mapping[str, Any] | None = None) -> None:
    """Make the home, and say for good whose it is.

    Raises:
        UsageError: it is the other kind's.
    """
    mark = read_mark(home)
    if mark is not None and mark.kind != kind:
        raise UsageError(*_refusal(home, mark.kind))
    home.create()
    if not home.mark.exists():
        content = {"kind": kind, **({"world": dict(world)} if world else {})}
        if mark is not None and mark.world:
            content = {"kind": kind, "world": dict(mark.world)}
        beside = home.mark.with_name(f"{home.mark.name}.part")
        beside.write_text(json.dumps(content) + "\n", "utf-8")
        beside.replace(home.mark)


def refuse_input(home: Home, asked: str) -> None:
    """The pretend shop's home reads the pretend shop's input, and no other.

    Raises:
        UsageError: a shop's own files were meant for the pretend shop's home.
    """
    if asked and is_demo(home) and asked != own_input(home):
        raise UsageError(*_refusal(home, "demo"))


def own_input(home: Home) -> str:
    """The folder of the pretend shop's files."""
    return str(home.demo / "input")


def own_settings(home: Home) -> Path:
    """The pretend shop's own settings file."""
    return home.demo / CONFIG_NAME


def take_settings(home: Home) -> None:
    """Let everything after this read the home's own settings, unless some were named, and keep to
    the memory that they allow.

    The processes that this one starts do too.
    """
    if not os.environ.get("REGULARS_CONFIG") and is_demo(home) and own_settings(home).exists():
        os.environ["REGULARS_CONFIG"] = str(own_settings(home))
    bound_memory(home)


def in_words(home: Home, moment: datetime | None = None) -> str:
    """`./demo (the pretend shop, as of 2026-07-01 00:00)`: which home a command works on.

    `moment`: where the pretend shop's clock stands.
    """
    here, mark = Path.cwd(), read_mark(home)
    inside = home.root.is_relative_to(here) and home.root != here
    path = f"./{home.root.relative_to(here)}" if inside else str(home.root)
    if mark is None:
        return f"{path} (empty)"
    if mark.kind == "shop":
        return f"{path} (your shop)"
    when = f", as of {moment:%Y-%m-%d %H:%M} UTC" if moment else ""
    return f"{path} (the pretend shop{when})"


def home_option(home: Home) -> str:
    """What a pasted command needs so that it finds this home; nothing where it would anyway."""
    is_usual = Home.locate().root == home.root
    return "" if is_usual else f" --home {shlex.quote(str(home.root))}"


def _refusal(home: Home, kind: Kind) -> tuple[str, str]:
    if kind == "demo":
        hint = "Give another folder with --home."
        if home.root == Path(SHOP_HOME).resolve():
            hint = f"An earlier version's demo made it: `mv {home.root} demo-before`, or: {hint}"
        return f"{home.root} holds the pretend shop, and other data would mix with it.", hint
    return (
        f"{home.root} holds a shop's own data, and the demo would mix with it.",
        "Give another folder with --home, or none: the demo's own is ./demo.",
    )


def _read(path: Path) -> Mark:
    content = _json(path)
    kind, world = content.get("kind"), content.get("world", {})
    if kind not in ("demo", "shop") or not isinstance(world, dict):
        raise RegularsError(*_unreadable(path))
    if kind == "demo" and "as_of" not in world:
        raise RegularsError(*_unreadable(path))
    return Mark(kind, world)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise RegularsError(*_unreadable(path))
    return content


def _unreadable(path: Path) -> tuple[str, str]:
    return (
        f"{path} cannot be read, so nobody can say whose data this home holds.",
        'Write {"kind": "shop"} into it if the data are your shop\'s; else take the home away.',
    )
