"""Personas: kinds of customers that the shop describes itself, one YAML file each.

Format: `personas/*.yml`, one document per file, checked against `Persona`. Key: the file; a changed
file is a further version, and a file that is taken away takes its persona along, as long as another
is there.
Lateness: none; what the files say is true.
Bad day: a file that is no YAML, has a key that is none of a persona's, or a value of another kind
goes to quarantine whole, with the line and what to write.
Data flow: DIR/personas/ -> raw_personas.personas
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ingestion.files.folder import BrokenFileError
from ingestion.files.source import FolderSource
from ingestion.landing.fields import Column, TableSpec
from ingestion.vocabulary import CHANNELS, STAGES, or_list

Text = Annotated[str, Field(min_length=1, max_length=1_000)]
Texts = Annotated[list[Text], Field(max_length=100)]
Answers = list[str | int | float | bool]
NAMED = ("trait", "value", "stage")
_SHOWN = 30
COMPARED = ("is", "is_not", "at_least", "at_most")


class _Part(BaseModel):
    """A part of a persona: no key that is not declared, no value of another kind."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Condition(_Part):
    """Something that holds of a person: a trait, a value or the stage, compared in one way.

    Args:
        trait: name of a trait, such as `household`.
        value: name of a measure, such as `clv_tier` or `lifetime_net_sales`.
        stage: the stages that the person may be in.
        one_of: the words or numbers of which it must be one (`is`).
        none_of: those of which it may be none (`is_not`).
        at_least: the least number.
        at_most: the greatest number.
    """

    trait: Text | None = None
    value: Text | None = None
    stage: list[str] | None = None
    one_of: Answers | None = Field(default=None, alias="is")
    none_of: Answers | None = Field(default=None, alias="is_not")
    at_least: float | int | None = None
    at_most: float | int | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Condition:
        named = [name for name in NAMED if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(f"a condition names {or_list(NAMED)}, one of them")
        unknown = [stage for stage in self.stage or () if stage not in STAGES]
        if unknown:
            raise ValueError(f"a stage is {or_list(STAGES)}")
        compared = (self.one_of, self.none_of, self.at_least, self.at_most)
        if self.stage is None and all(each is None for each in compared):
            raise ValueError(f"a condition compares by {or_list(COMPARED)}")
        if self.stage is not None and any(each is not None for each in compared):
            raise ValueError("a stage is not compared, write stages alone")
        return self

    @model_validator(mode="after")
    def _can_hold(self) -> Condition:
        least, most = self.at_least, self.at_most
        if least is not None and most is not None and least > most:
            raise ValueError("at_least is more than at_most, so nobody can be of it")
        if self.one_of is not None and set(self.one_of) <= set(self.none_of or ()):
            raise ValueError("is and is_not name the same, so nobody can be of it")
        return self


class Step(_Part):
    """A step of the path: what is done, and what when people react to it and when they do not.

    Args:
        do: what is done, in the shop's words or as a kind of message.
        channel: where.
        after_days: days since the step before.
        if_reacts: what is done when they react.
        if_not: what is done when they do not.
    """

    do: Text
    channel: str | None = None
    after_days: int | None = Field(default=None, ge=0)
    if_reacts: Text | None = None
    if_not: Text | None = None

    @model_validator(mode="after")
    def _is_on_a_channel(self) -> Step:
        if self.channel is not None and self.channel not in CHANNELS:
            raise ValueError(f"a channel is {or_list(CHANNELS)}")
        return self


class Persona(_Part):
    """A persona as its file says it.

    Args:
        name: how people call it.
        who: conditions that all hold of its people.
        needs: what they need.
        fears: what keeps them away.
        values: what matters to them.
        tastes: what they like.
        content: what they read.
        offers: what they are offered.
        path: the steps that they are led along, in order.
    """

    name: Text
    who: list[Condition] = Field(min_length=1)
    needs: Texts = []
    fears: Texts = []
    values: Texts = []
    tastes: Texts = []
    content: Texts = []
    offers: Texts = []
    path: list[Step] = []

    @model_validator(mode="after")
    def _can_hold(self) -> Persona:
        stages = [set(each.stage) for each in self.who if each.stage is not None]
        if stages and not set[str].intersection(*stages):
            raise ValueError("its conditions name no stage in common, so nobody can be of it")
        return self

    @model_validator(mode="after")
    def _ends(self) -> Persona:
        if not _comes_to_an_end(self.path):
            raise ValueError("its path leads back into itself and has no end")
        return self


def _comes_to_an_end(path: list[Step]) -> bool:
    """Whether there is a way out of each step, so that nobody is led along the path for ever.

    What is done when they react, or do not, is a step of the path where it has that step's words.
    Any other words are done there, and the next step follows, as it does where nothing is said.
    """
    numbers = {step.do: number for number, step in reversed(list(enumerate(path)))}
    end = len(path)

    def following(number: int) -> set[int]:
        step = path[number]
        answers = [words for words in (step.if_reacts, step.if_not) if words is not None]
        onward = {numbers.get(words, number + 1) for words in answers}
        return onward if len(answers) == 2 else {*onward, number + 1}

    ending = {end}
    while more := {
        number for number in range(end) if number not in ending and following(number) & ending
    }:
        ending |= more
    return len(ending) == end + 1


def read_persona(text: str) -> dict[str, Any]:
    """The persona of a file.

    Raises:
        BrokenFileError: the text is no persona; the detail says the line and what to write.
    """
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise BrokenFileError("bad_document", "aliases (*name) are not read, write it out")
        document, tree = yaml.safe_load(text), yaml.compose(text, yaml.SafeLoader)
        Persona.model_validate(document)
        return dict(json.loads(json.dumps(document, ensure_ascii=False)))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        raise BrokenFileError(
            "bad_document", f"{line}this is no YAML, write key: value with blanks for indentation"
        ) from None
    except (yaml.YAMLError, RecursionError, TypeError):
        raise BrokenFileError("bad_document", "this is no YAML, write key: value") from None
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        # A misspelt key is also a missing one, and says more.
        problems.sort(key=lambda problem: problem["type"] != "extra_forbidden")
        raise BrokenFileError("bad_document", _sentence(problems[0], tree)) from None


_KINDS = {
    "list_type": "a list, write [one, another]",
    "string_type": "a text, write it in quotes",
    "string_too_short": "a text that is not empty",
    "string_too_long": "a shorter text",
    "too_short": "a list with something in it, write [one, another]",
    "too_long": "a shorter list",
    "int_type": "a whole number, write 7",
    "greater_than_equal": "zero or more",
    "model_type": "keys with values, write name: and who:",
}


def _sentence(problem: Any, tree: Any) -> str:
    """Line, key and what to write, without the value itself."""
    path = [part for part in problem["loc"] if isinstance(part, int) or part in _written(tree)]
    keys = [part for part in problem["loc"] if isinstance(part, str)]
    key = keys[-1] if keys else ""
    at = f"line {_line(tree, path)}: "
    if problem["type"] == "extra_forbidden":
        known = _known_keys(problem["loc"][:-1])
        close = get_close_matches(key, known, n=1)
        wanted = close[0] if close else f"one of {', '.join(known)}"
        return f"{at}{_shown(key)} is no key of a persona here, write {wanted}"
    if problem["type"] == "missing":
        return f"{at}{key} is missing, write {key}:"
    if problem["type"] == "value_error":
        return at + str(problem["msg"]).removeprefix("Value error, ")
    return f"{at}{_shown(key)} must be {_KINDS.get(problem['type'], 'written otherwise')}"


def _known_keys(path: Iterable[str | int]) -> list[str]:
    parts: dict[str, type[_Part]] = {"who": Condition, "path": Step}
    part = parts.get(str(next(iter(path), "")), Persona)
    return [field.alias or name for name, field in part.model_fields.items()]


def _shown(key: str) -> str:
    """A key as a message may quote it: a word, and not a sentence."""
    return key if key.isidentifier() and len(key) <= _SHOWN else "it"


def _written(tree: Any) -> set[str]:
    """All keys of the document, so that names of our own checks are no places in it."""
    if isinstance(tree, yaml.MappingNode):
        inner = [_written(value) for _, value in tree.value]
        return {str(key.value) for key, _ in tree.value}.union(*inner)
    if isinstance(tree, yaml.SequenceNode):
        return set[str]().union(*(_written(value) for value in tree.value))
    return set()


def _line(tree: Any, path: list[str | int]) -> int:
    """The line where a place of the document begins, as far as it is there."""
    line = tree.start_mark.line + 1 if tree else 1
    for part in path:
        if isinstance(tree, yaml.MappingNode):
            pairs = [(key, value) for key, value in tree.value if key.value == part]
            if not pairs:
                return line
            line, tree = pairs[0][0].start_mark.line + 1, pairs[0][1]
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int):
            tree = tree.value[part]
            line = tree.start_mark.line + 1
    return line


PERSONAS = TableSpec(
    name="personas",
    description="One row per version of a persona.",
    columns=(
        Column("name", required=True),
        Column("who", "json"),
        Column("needs", "json"),
        Column("fears", "json"),
        # `values` is a word of SQL, so the table has it under a longer name.
        Column("persona_values", "json", sources=("values",)),
        Column("tastes", "json"),
        Column("content", "json"),
        Column("offers", "json"),
        Column("path", "json"),
    ),
    envelopes=(),
)

SOURCE = FolderSource(
    "personas",
    "Kinds of customers, as the shop describes them.",
    (PERSONAS,),
    document_endings=(".yml", ".yaml"),
    read_document=read_persona,
)
