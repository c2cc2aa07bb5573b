"""`regulars mcp`: the tools for an assistant, where the extra `mcp` is installed.

Belongs here: saying what to install. Does not belong here: the tools and the protocol
(`tools`, `server`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from importlib.util import find_spec

from ingestion.errors import UsageError
from orchestration.home.layout import Home


def answer_assistant(home: Home, now: Callable[[], datetime], *, masked: bool) -> None:
    """Answer the assistant at the other end of this process's input and output until it leaves.

    Args:
        home: the shop's home.
        now: the moment that the gate is asked about, naive UTC.
        masked: show the copy without personal data instead of the published file.

    Raises:
        UsageError: the optional extra is not installed.
    """
    if find_spec("mcp") is None:
        raise UsageError(
            "The package `mcp`, by which assistants ask, is not installed.",
            "Install the extra: `pip install -e '.[mcp]'`.",
        )
    from orchestration.commands.assistant.server import serve_assistant
    from orchestration.commands.assistant.tools import Asked

    serve_assistant(Asked(home, masked, now))
