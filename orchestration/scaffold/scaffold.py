"""Makes the one file that adds one thing: a source, a model, a segment or a destination.

Belongs here: names, places and what to run next. Does not belong here: the text of what is made;
that stands in templates/, works as it is, and says what to fill in.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from ingestion.config import REPOSITORY
from ingestion.errors import UsageError
from orchestration.words.program import program

MAX_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class Kind:
    """What can be made: its files (template -> path) and the words about what comes next."""

    files: Mapping[str, str]
    next_steps: tuple[str, ...]
    prefix: str = ""


KINDS = {
    "source": Kind(
        {"source.py.jinja": "ingestion/sources/{name}.py"},
        (
            "Fill in its docstring and columns; then put a file into DIR/{name}/.",
            "Next: {program} run --input DIR",
        ),
    ),
    "model": Kind(
        {
            "model.sql.jinja": "dbt_project/models/marts/{name}.sql",
            "model.yml.jinja": "dbt_project/models/marts/{name}.yml",
        },
        (
            "Fill in its description and columns.",
            "Next: {program} run, then {program} sql 'select * from marts.{name} limit 10'",
        ),
    ),
    "segment": Kind(
        {
            "segment.sql.jinja": "dbt_project/models/segments/{model}.sql",
            "segment.yml.jinja": "dbt_project/models/segments/{model}.yml",
        },
        (
            "Fill in its label, description, rule and destinations.",
            "Next: {program} run, then {program} plan {name}",
        ),
        prefix="seg_",
    ),
    "destination": Kind(
        {"destination.py.jinja": "orchestration/destinations/{name}.py"},
        (
            "Fill in its docstring and what it sends, then name it in regulars.toml:",
            '[destinations.{name}]  kind = "{name}"',
            "Next: {program} plan",
        ),
    ),
}


def scaffold(kind: str, name: str, root: Path = REPOSITORY) -> list[str]:
    """Write the starting files; returns what to tell the person, a line each.

    Raises:
        UsageError: an unknown kind, a name that cannot be one, or a file that is already there.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        raise UsageError(f"`{kind}` cannot be made.", f"Choose one of: {', '.join(KINDS)}.")
    words = _words(_checked(name.removeprefix(chosen.prefix)), chosen)
    paths = {template: place.format(**words) for template, place in chosen.files.items()}
    _refuse_overwriting(root, kind, list(paths.values()), words["model"])
    for template, place in paths.items():
        target = root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_render(template, words), "utf-8")
    made = [f"Made {place}" for place in paths.values()]
    return made + [step.format(**words) for step in chosen.next_steps]


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME or keyword.iskeyword(name):
        raise UsageError(
            f"`{name}` is not a name for it.",
            f"Use snake_case, such as big_spenders: letters, digits, at most {MAX_NAME} in all.",
        )
    return name


def _words(name: str, kind: Kind) -> dict[str, str]:
    """The name in every form that a template needs."""
    words = name.replace("_", " ")
    return {
        "name": name,
        "program": program(),
        "model": f"{kind.prefix}{name}",
        "words": words,
        "label": words.capitalize(),
        "constant": name.upper(),
        "class_name": "".join(part.capitalize() for part in name.split("_")),
    }


def _refuse_overwriting(root: Path, kind: str, places: list[str], model: str) -> None:
    """Nothing that exists is touched; a dbt model's name must be free in the whole project."""
    taken = [place for place in places if (root / place).exists()]
    if not taken and any(place.endswith(".sql") for place in places):
        models = root / "dbt_project" / "models"
        taken = [path.relative_to(root).as_posix() for path in models.rglob(f"{model}.sql")]
    if taken:
        raise UsageError(
            f"{taken[0]} is already there; nothing was written.",
            f"Choose another name for the {kind}, or edit that file.",
        )


def _render(template: str, words: Mapping[str, str]) -> str:
    """Our templates use [[ ]] so that dbt's own {{ }} pass through untouched."""
    environment = Environment(
        loader=PackageLoader("orchestration.scaffold"),
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Python, SQL and YAML, not HTML; names are checked
    )
    return environment.get_template(template).render(words)
