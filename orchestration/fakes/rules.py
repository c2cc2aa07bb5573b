"""The rules that a fake enforces, as a table of its own.

Belongs here: what a rule is, looking it up, being refused by it, and the table as text. Does not
belong here: the rules of any vendor (its own `rules`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One documented rule.

    Attributes:
        name: what the code calls it.
        call: method and path that it holds for, or `every call`.
        field: what of the request it is about.
        limit: the number or the words that it allows.
        answer: status and code of whoever breaks it, or what happens.
        page: where the vendor says so.
        words: the vendor's own words, as that call has them in the vendor's API file.
    """

    name: str
    call: str
    field: str
    limit: int | str
    answer: str
    page: str
    words: str = ""


class RefusedError(Exception):
    """A request that breaks a rule.

    Args:
        rule: which.
        pointer: where in the request, as a JSON pointer.
    """

    def __init__(self, rule: Rule, pointer: str = "/data") -> None:
        """Keep both."""
        super().__init__(rule.name)
        self.rule = rule
        self.pointer = pointer

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return int(self.rule.answer.split()[0])

    @property
    def code(self) -> str:
        """The vendor's code of the answer."""
        return self.rule.answer.split()[1]


class Rules:
    """The rules of one fake, by name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        """Keep their order."""
        self._rules = {rule.name: rule for rule in rules}

    def __iter__(self) -> Iterator[Rule]:
        """In the order of the table."""
        return iter(self._rules.values())

    def number(self, name: str) -> int:
        """The number that a rule allows."""
        return int(self._rules[name].limit)

    def refuse(self, name: str, pointer: str = "/data") -> RefusedError:
        """The error of a request that breaks a rule."""
        return RefusedError(self._rules[name], pointer)


def as_table(rules: Iterable[Rule]) -> list[str]:
    """The lines of a Markdown table, one row per rule."""
    heads = ("rule", "call", "field", "limit", "answer", "page")
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for rule in rules:
        limit = f"{rule.limit:,}" if isinstance(rule.limit, int) else rule.limit
        page = f"[page]({rule.page})"
        cells = (f"`{rule.name}`", f"`{rule.call}`", rule.field, limit, rule.answer, page)
        lines.append("| " + " | ".join(cells) + " |")
    return lines
