"""`regulars preview`: a kind of message as somebody would get it, before anything is sent.

Belongs here: layout. Does not belong here: wording (`orchestration.messages`) and for whom it is
shown (`activation.sample`).
"""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console

from ingestion.settings_file import load_settings
from orchestration.activation.sample import Shown, show
from orchestration.activation.trying import try_out
from orchestration.home.layout import Home
from orchestration.messages.compose import PUSH_BYTES
from orchestration.who.subject import find_subject
from orchestration.words.amounts import counted

SAMPLE = "sample"
_ALPHABETS = {"gsm7": "GSM-7", "ucs2": "UCS-2"}


def print_preview(
    home: Home,
    kind: str,
    channel: str,
    who: str,
    out: Console,
    *,
    send: bool = False,
    to: str = "",
    at: datetime | None = None,
) -> None:
    """Print the templates of a kind, filled for one person whose names are masked.

    With `send` each is sent to the shop's test recipients too, or to one of them.

    Raises:
        UsageError: there is no such kind, channel or template, or the person gets none of it.
        NotFoundError: nobody is known by `who`.
    """
    settings = load_settings()
    ids: tuple[str, ...] = ()
    if who != SAMPLE:
        subject = find_subject(home, who)
        ids = (subject.customer_id, *subject.ids)
    samples = show(home, settings, kind, channel, ids)
    for shown in samples:
        for line in _lines(shown, is_asked=bool(ids)):
            out.print(line)
    if send:
        moment = at or datetime.now(UTC).replace(tzinfo=None)
        for tried in try_out(home, settings, samples, to, at=moment):
            reason = "" if tried.reason == "sent" else f" ({tried.reason})"
            out.print(f"{tried.file} to {tried.recipient}: {tried.status}{reason}")


def _lines(shown: Shown, *, is_asked: bool) -> list[str]:
    somebody = "they get it" if is_asked else f"a member of {shown.segment} gets it"
    whose = somebody if shown.segment else "somebody with made-up values gets it"
    lines = [f"messages/{shown.file}, as {whose}:"]
    message = shown.written.message
    if message is None:
        lines.append(f"  no message: {shown.written.problem}")
    elif isinstance(message, str):
        lines += [f"  {line}" for line in message.splitlines()]
    else:
        lines += [f"  {name}: {text}" for name, text in message.items()]
    if shown.length is not None:
        lines.append(f"  {_length(shown)}")
    elif shown.size:
        lines.append(f"  {shown.size:,} bytes of at most {PUSH_BYTES:,}")
    if shown.lacking:
        lines.append(f"  they do not have: {', '.join(shown.lacking)}")
    return lines


def _length(shown: Shown) -> str:
    length = shown.length
    assert length is not None  # noqa: S101 - the caller asks where there is one
    parts = counted(length.parts, "parts")
    units = f"{length.units:,} places in {_ALPHABETS[length.alphabet]}"
    because = f" because of {' '.join(shown.outside)}" if shown.outside else ""
    return f"{units}{because}: {parts}, each paid for"
