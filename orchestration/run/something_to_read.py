"""Whether there is anything to read, before anything is begun.

Belongs here: that one question, for every command that reads; it loads no more than the sources.
Does not belong here: what is read (ingestion) and the run (run.py).
"""

from __future__ import annotations

from ingestion.config import Settings
from ingestion.errors import NoInputError
from ingestion.registry import reads_a_shop
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home


def require_input(home: Home, settings: Settings, asked: str) -> None:
    """Whether there is anything to read: files, an API, the pretend shop, or what was read before.

    Raises:
        NoInputError: nothing at all.
    """
    is_shop = reads_a_shop(settings, asked) or home.raw.exists() or home.inbox.is_dir()
    if not (is_shop or is_demo(home)):
        raise NoInputError(
            "There is nothing to read: no --input, no `input` in regulars.toml, no API that is on.",
            "Give `--input DIR`, or see the whole thing with `regulars demo`.",
        )
