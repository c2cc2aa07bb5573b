"""The shop's templates: `messages/<kind>.<channel>.j2` beside its settings.

Belongs here: finding, reading and checking them. Does not belong here: rendering (`sandbox`) and
what a message is made of (`compose`).

`<kind>.<channel>.plain.j2` is what goes out instead where the person may not be told what the other
uses. A text message is the whole file; a push notice has the lines `title:`, `body:` and `url:`,
each rendered on its own, so that no value can begin another line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ingestion.errors import UsageError
from ingestion.settings_place import config_path
from ingestion.vocabulary import MESSAGE_KINDS, or_list
from orchestration.messages.sandbox import check_source

SMS, PUSH = "sms", "push"
CHANNELS = (SMS, PUSH)
ENDING = ".j2"
PLAIN = "plain"
TEXT = "text"  # the one part of a text message
FIELDS = ("title", "body", "url")  # the parts of a push notice
REQUIRED = ("title", "body")
VARIABLES = frozenset({"shop", "stop", "first_name", "last_name", "country_code", "reason"})


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """One file. `parts`: the template of each part of the message, by name."""

    kind: str
    channel: str
    is_plain: bool
    parts: Mapping[str, str]
    used: frozenset[str]


def messages_folder() -> Path:
    """Where the shop's templates lie: beside its settings file."""
    return config_path().parent / "messages"


def file_name(kind: str, channel: str, *, is_plain: bool = False) -> str:
    """The name of a template's file."""
    return f"{kind}.{channel}{f'.{PLAIN}' if is_plain else ''}{ENDING}"


def load_templates(folder: Path | None = None) -> dict[str, MessageTemplate]:
    """All templates of a folder, by file name; none where there is no folder.

    Raises:
        UsageError: a file is named after no kind of message or channel, or its template may not be.
    """
    return {each.name: _load(each) for each in _files(folder or messages_folder())}


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(each for each in folder.iterdir() if each.name.endswith(ENDING))


def _load(path: Path) -> MessageTemplate:
    kind, channel, is_plain = _named(path)
    try:
        source = path.read_text("utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"messages/{path.name} cannot be read ({type(error).__name__}).", "Write it as UTF-8."
        ) from error
    where = f"messages/{path.name}"
    split = {TEXT: source} if channel == SMS else _fields(source, where)
    used = [check_source(part, VARIABLES, where) for part in split.values()]
    return MessageTemplate(
        kind, channel, is_plain, MappingProxyType(split), frozenset().union(*used)
    )


def _named(path: Path) -> tuple[str, str, bool]:
    words = path.name.removesuffix(ENDING).split(".")
    is_plain = len(words) == 3 and words[2] == PLAIN
    if len(words) == 2 or is_plain:
        kind, channel = words[0], words[1]
        if kind in MESSAGE_KINDS and channel in CHANNELS:
            return kind, channel, is_plain
    raise UsageError(
        f"messages/{path.name} is named after no message.",
        f"Name it <kind>.<channel>{ENDING} or <kind>.<channel>.{PLAIN}{ENDING}; a kind is"
        f" {or_list(MESSAGE_KINDS)}, a channel {or_list(CHANNELS)}.",
    )


def _fields(source: str, where: str) -> dict[str, str]:
    """The parts of a push notice, one on each line."""
    fields: dict[str, str] = {}
    for line in source.splitlines():
        name, colon, rest = line.partition(":")
        if not line.strip():
            continue
        if not colon or name.strip() not in FIELDS or name.strip() in fields:
            raise UsageError(
                f"{where} has a line that is none of a push notice.",
                f"Write each of {or_list(tuple(f'`{each}:`' for each in FIELDS))} once, a line"
                " each.",
            )
        fields[name.strip()] = rest.strip()
    if lacking := [each for each in REQUIRED if not fields.get(each)]:
        raise UsageError(f"{where} has no `{lacking[0]}:`.", "Write it on a line of its own.")
    return fields
