"""A message for one person: the shop's template with what may be told of them.

Belongs here: which variables there are, the plain variant, the shop's name and the way out that a
place demands, and the limits. Does not belong here: the sandbox, and who gets a message.

Which template goes out: the one of the kind and channel. Where it uses what the person does not
have or may not be told, the plain variant; where there is none, or it lacks something too, nothing.
Whoever may be told no more than is plain gets the plain variant where there is one.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from ingestion.config import REPOSITORY, Settings
from ingestion.errors import RegularsError
from orchestration.messages.lengths import text_length
from orchestration.messages.sandbox import MissingError, one_line, render
from orchestration.messages.templates import (
    FIELDS,
    SMS,
    TEXT,
    MessageTemplate,
    file_name,
    load_templates,
)

SEED = REPOSITORY / "dbt_project" / "seeds" / "message_rules.csv"
ANYWHERE = "*"
TRANSACTIONAL = "transactional"  # the purpose of receipts, which need no way out
PUSH_BYTES = 3_000  # of a push notice as JSON: some services refuse more than about 3 kB
PUSH_LETTERS: Mapping[str, int] = {"title": 80, "body": 300, "url": 1_000}
# In place of the shop's name and the way out while a template is rendered. They are not printable,
# so that no value has them and what is found of them in the text is the template's own.
_SHOP, _STOP = "\ue000", "\ue001"
# Names of people that somebody typed to have a link sent.
_LINK = re.compile(r"://|www\.|\w\.\w{2,}", re.IGNORECASE)
NAMES = ("first_name", "last_name")
TRAITS = (*NAMES, "country_code", "reason")

Message = str | Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Written:
    """A message as it is sent: the text, or title, body and url of a notice.

    `is_plain`: by the plain variant. `problem`: why there is none, in a few words without a value.
    """

    message: Message | None
    is_plain: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Writer:
    """What words the messages of one kind on one channel.

    `push_days`: how long after a browser was last seen its push subscription is believed.
    `problem`: a sentence where there is no template, so that nothing goes out.
    """

    kind: str
    channel: str
    purpose: str
    shop: str
    hosts: tuple[str, ...] = ()
    max_parts: int = 3
    push_days: int = 180
    template: MessageTemplate | None = field(default=None, hash=False)
    plain: MessageTemplate | None = field(default=None, hash=False)

    @property
    def problem(self) -> str:
        """Why no message goes out at all; empty where some can."""
        if self.template or self.plain:
            return ""
        return (
            f"There is no template for the kind {self.kind} on the channel {self.channel}, so"
            f" nothing is sent: write messages/{file_name(self.kind, self.channel)} beside"
            " regulars.toml."
        )

    def write(self, member: Mapping[str, Any], *, country: str = "", is_plain: bool) -> Written:
        """The message for one person.

        Args:
            member: what may be told of them: traits, reason and context (JSON), None where not.
            country: where they live, as far as known (ISO code).
            is_plain: whether they may be told no more than is plain.
        """
        order = [self.plain, self.template] if is_plain else [self.template, self.plain]
        problem = self.problem
        for template in order:
            if template is None:
                continue
            try:
                message = self._of(template, member, country)
            except RegularsError as error:
                problem = problem or _why(error)
                continue
            return Written(message, template.is_plain)
        return Written(None, problem=problem)

    def _of(self, template: MessageTemplate, member: Mapping[str, Any], country: str) -> Message:
        context = _context(member.get("context"))
        values = {name: _trait_text(name, member.get(name)) for name in TRAITS}
        marks = {"shop": _SHOP, "stop": _STOP}
        texts = {
            name: render(part, values, context, marks).strip()
            for name, part in template.parts.items()
        }
        if self.channel == SMS:
            return self._text(texts[TEXT], country)
        return self._notice({name: _filled(text, self.shop, "") for name, text in texts.items()})

    def _text(self, text: str, country: str) -> str:
        names_shop, stop = demands(SMS, country, self.purpose)
        if names_shop and _SHOP not in text:
            text = f"{_SHOP}: {text}"
        if stop and _STOP not in text:
            text = f"{text} {_STOP}"
        filled = _filled(text, self.shop, stop)
        parts = text_length(filled).parts
        if parts > self.max_parts:
            raise RegularsError(f"it has {parts} parts, {self.max_parts} are allowed", "Shorten.")
        if not parts:
            raise RegularsError("it is empty", "Write something.")
        return filled

    def _notice(self, parts: Mapping[str, str]) -> Mapping[str, str]:
        notice = {name: parts[name] for name in FIELDS if parts.get(name)}
        for name, limit in PUSH_LETTERS.items():
            if len(notice.get(name, "")) > limit:
                raise RegularsError(f"its {name} has more than {limit} letters", "Shorten it.")
        if not notice.get("title") or not notice.get("body"):
            raise RegularsError("its title or body is empty", "Write something.")
        if "url" in notice and not self._is_own(notice["url"]):
            raise RegularsError("its url leads to none of the shop's hosts", "See [shop] hosts.")
        if notice_bytes(notice) > PUSH_BYTES:
            raise RegularsError(f"it has more than {PUSH_BYTES:,} bytes", "Shorten it.")
        return notice

    def _is_own(self, url: str) -> bool:
        try:
            split = urlsplit(url)
            own = (split.hostname or "") in self.hosts and split.username is None
        except ValueError:
            return False
        return split.scheme == "https" and own


def writer(
    settings: Settings,
    kind: str,
    channel: str,
    purpose: str,
    templates: Mapping[str, MessageTemplate] | None = None,
) -> Writer:
    """What words the shop's messages of a kind on a channel, for a purpose.

    Raises:
        UsageError: a template of the shop may not be.
    """
    known = load_templates() if templates is None else templates
    return Writer(
        kind,
        channel,
        purpose,
        one_line(settings.shop.name),
        settings.shop.hosts,
        settings.messages.sms_parts,
        settings.messages.push_days,
        known.get(file_name(kind, channel)),
        known.get(file_name(kind, channel, is_plain=True)),
    )


def notice_bytes(notice: Message) -> int:
    """The bytes of a push notice before it is encrypted."""
    return len(notice_json(notice))


def notice_json(notice: Message) -> bytes:
    """A push notice as the browser gets it."""
    fields = notice if isinstance(notice, str) else dict(notice)
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def demands(channel: str, country: str, purpose: str) -> tuple[bool, str]:
    """Whether a message there names the shop, and the words of the way out, if it needs one."""
    rules = _rules()
    anywhere = rules.get((channel, ANYWHERE), (False, ""))
    names_shop, stop = rules.get((channel, country), anywhere)
    return names_shop, "" if purpose == TRANSACTIONAL else stop


@cache
def _rules() -> Mapping[tuple[str, str], tuple[bool, str]]:
    with SEED.open(encoding="utf-8", newline="") as stream:
        return {
            (row["channel"], row["country"]): (row["names_shop"] == "true", row["stop_words"])
            for row in csv.DictReader(stream)
        }


def _trait_text(name: str, value: Any) -> Any:
    """A trait as it may stand in a message; a name that is a link is no name."""
    if not isinstance(value, str):
        return None
    kept = one_line(value)
    return None if name in NAMES and _LINK.search(kept) else kept


def _context(written: Any) -> Mapping[str, Any]:
    """The context of a member, of which single values can be told."""
    try:
        context = json.loads(written) if isinstance(written, str) else written
    except ValueError:
        return {}
    if not isinstance(context, dict):
        return {}
    return {
        str(name): _trait_text(str(name), value) if isinstance(value, str) else value
        for name, value in context.items()
        if str(name).isidentifier() and not str(name).startswith("_")
    }


def _filled(text: str, shop: str, stop: str) -> str:
    return text.replace(_SHOP, shop).replace(_STOP, stop).strip()


def _why(error: RegularsError) -> str:
    return f"{error.name} is missing" if isinstance(error, MissingError) else error.message
