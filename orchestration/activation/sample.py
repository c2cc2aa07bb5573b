"""A message as one person would get it: for `preview`, before anything is sent to anybody.

Belongs here: whom it is shown for, and what of them stands in it. Does not belong here: the
wording (`orchestration.messages`), layout (the command), permission: nothing leaves.

Names are masked letter by letter, so that a shown text is as long as the real one; its length and
parts are those of the real one. Where nobody is in a segment of the kind, made-up values stand in.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.vocabulary import LEVELS, MESSAGE_KINDS, or_list
from orchestration.activation.people import Target, load_people
from orchestration.home.layout import Home
from orchestration.messages.compose import NAMES, Message, Writer, Written, notice_bytes, writer
from orchestration.messages.lengths import TextLength, outside_gsm, text_length
from orchestration.messages.templates import (
    CHANNELS,
    MessageTemplate,
    file_name,
    load_templates,
)
from orchestration.published.reader import open_published

MADE_UP: Mapping[str, str] = {"first_name": "Ada", "last_name": "Lovelace", "country_code": "GB"}
MARKETING = "marketing"


@dataclass(frozen=True)
class Shown:
    """One template of a kind and channel, as somebody would get it.

    Attributes:
        written: the message with masked names, or why there is none.
        segment: of which the person is a member; empty where values are made up.
        length: of the real text message; None of a notice.
        size: of the real notice in bytes; 0 of a text message.
        outside: the letters that make a text message UCS-2.
        lacking: what the template names and the person does not have.
    """

    file: str
    channel: str
    written: Written
    segment: str = ""
    length: TextLength | None = None
    size: int = 0
    outside: str = ""
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Segment:
    name: str
    purpose: str
    level: str
    channels: tuple[str, ...]


def show(
    home: Home,
    settings: Settings,
    kind: str,
    channel: str = "",
    ids: Collection[str] = (),
) -> list[Shown]:
    """The templates of a kind, as somebody would get them.

    Args:
        home: whose published file has the people; it may have none yet.
        settings: the shop's.
        kind: of message.
        channel: one; all that have a template where empty.
        ids: of the person it is shown for; anybody of a segment of the kind where empty.

    Raises:
        UsageError: there is no such kind or channel, no template, or the person is in no segment
            of the kind.
    """
    templates = load_templates()
    samples = []
    for each in _channels(kind, channel, templates):
        segment, member, is_plain = _member(home, settings, kind, each, ids)
        own = writer(settings, kind, each, segment.purpose, templates)
        for template in (own.template, own.plain):
            if template is not None:
                only = _alone(own, template)
                samples.append(_shown(only, template, segment.name, member, is_plain=is_plain))
    return samples


def masked_name(name: str) -> str:
    """A name of which only the first letter is told, as long as it is."""
    return name[:1] + "".join(c if c in " -" else "*" for c in name[1:])


def _channels(kind: str, channel: str, templates: Mapping[str, MessageTemplate]) -> list[str]:
    if kind not in MESSAGE_KINDS:
        raise UsageError(
            f"There is no kind of message `{kind}`.", f"Use one of {or_list(MESSAGE_KINDS)}."
        )
    if channel and channel not in CHANNELS:
        raise UsageError(
            f"Regulars words no messages for the channel `{channel}`.",
            f"Use {or_list(CHANNELS)}; what emails say stays in the shop's email system.",
        )
    asked = [channel] if channel else list(CHANNELS)
    there = {(each.kind, each.channel) for each in templates.values()}
    channels = [each for each in asked if (kind, each) in there]
    if not channels:
        names = or_list(tuple(f"messages/{file_name(kind, each)}" for each in asked))
        raise UsageError(
            f"There is no template for the kind {kind}, so nothing of it is sent.",
            f"Write {names} beside regulars.toml.",
        )
    return channels


def _alone(own: Writer, template: MessageTemplate) -> Writer:
    """The writer with one template and no other to fall back to."""
    is_plain = template.is_plain
    return replace(
        own, template=None if is_plain else template, plain=template if is_plain else None
    )


def _shown(
    own: Writer,
    template: MessageTemplate,
    segment: str,
    member: Mapping[str, Any],
    *,
    is_plain: bool,
) -> Shown:
    country = str(member.get("country_code") or "")
    real = own.write(member, country=country, is_plain=is_plain)
    masked = {name: masked_name(str(member[name])) for name in NAMES if member.get(name)}
    seen = own.write({**member, **masked}, country=country, is_plain=is_plain)
    shown = Shown(
        file_name(template.kind, template.channel, is_plain=template.is_plain),
        template.channel,
        seen,
        segment,
        lacking=tuple(_lacking(template, member)),
    )
    if real.message is None:
        return shown
    return _measured(shown, real.message)


def _measured(shown: Shown, message: Message) -> Shown:
    if isinstance(message, str):
        return replace(shown, length=text_length(message), outside=outside_gsm(message))
    return replace(shown, size=notice_bytes(message))


def _lacking(template: MessageTemplate, member: Mapping[str, Any]) -> Iterator[str]:
    context = json.loads(str(member.get("context") or "{}"))
    known = {f"context.{name}" for name, value in context.items() if value is not None}
    known |= {name for name, value in member.items() if value is not None} | {"shop", "stop"}
    yield from sorted(template.used - known)


def _member(
    home: Home, settings: Settings, kind: str, channel: str, ids: Collection[str]
) -> tuple[_Segment, Mapping[str, Any], bool]:
    """A segment of the kind, what may be told of one of its members, and whether only the plain."""
    for segment in _segments(home, kind, channel):
        people = load_people(home, Target(segment.name, "", channel, segment.purpose))
        chosen = next((each for each in sorted(people.members) if not ids or each in ids), None)
        if chosen is not None:
            is_plain = LEVELS.index(_level(home, chosen)) < LEVELS.index(segment.level)
            payload = people.members[chosen] | (people.plain if is_plain else {})
            return segment, payload, is_plain
    if ids:
        raise UsageError(
            f"They are in no segment whose kind of message is {kind}, so they get none.",
            "`regulars explain WHO` shows their segments; without --for anybody's is shown.",
        )
    context = {"product": "Product"}
    if settings.shop.hosts:
        context["link"] = f"https://{settings.shop.hosts[0]}/product"
    made_up = {**MADE_UP, "reason": "Because.", "context": json.dumps(context)}
    return _Segment("", MARKETING, LEVELS[0], ()), made_up, False


def _segments(home: Home, kind: str, channel: str) -> list[_Segment]:
    """Published segments of a kind, those of the channel first."""
    if not home.published.exists():
        return []
    with open_published(home) as connection:
        rows = connection.execute(
            "select segment, purpose, level, channels from marts.dim_segments"
            " where message_kind = ? order by segment",
            [kind],
        ).fetchall()
    segments = [_Segment(name, why, level, tuple(json.loads(on))) for name, why, level, on in rows]
    return sorted(segments, key=lambda each: (channel not in each.channels, each.name))


def _level(home: Home, customer_id: str) -> str:
    with open_published(home) as connection:
        row = connection.execute(
            "select level from marts.customer_personalisation where customer_id = ?", [customer_id]
        ).fetchone()
    return str(row[0]) if row and row[0] in LEVELS else LEVELS[0]
