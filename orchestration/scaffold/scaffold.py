"""Makes the files that add one thing: a source, a model, a segment, a destination or a persona.

Belongs here: names, places and what to run next. Does not belong here: the text of what is made;
that stands in templates/, works as it is, and says what to fill in.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from ingestion.config import REPOSITORY
from ingestion.duckdb import connect
from ingestion.errors import UsageError
from orchestration.quality.flagged_words import flagged
from orchestration.segments.rendering import SEGMENT
from orchestration.words.program import program

MAX_NAME = 40
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True)
class Kind:
    """What can be made.

    Args:
        files: template to path.
        next_steps: what to tell the person, a line each.
        prefix: what the name of the dbt model begins with.
        time: the column that tells the versions of a source's record apart.
    """

    files: Mapping[str, str]
    next_steps: tuple[str, ...]
    prefix: str = ""
    time: str = ""


MARTS = "dbt_project/models/marts"
_STAGING = "dbt_project/models/staging/{name}"
_STAGING_FILES = {
    "sources.yml.jinja": f"{_STAGING}/_{{name}}__sources.yml",
    "staging.sql.jinja": f"{_STAGING}/stg_{{name}}__{{name}}.sql",
    "staging.yml.jinja": f"{_STAGING}/stg_{{name}}__{{name}}.yml",
}

KINDS = {
    "source": Kind(
        {"source.py.jinja": "ingestion/sources/{name}.py", **_STAGING_FILES},
        (
            "Fill in its docstring, its columns and its staging; then put a file into DIR/{name}/.",
            "Next: {program} run --input DIR",
        ),
        time="occurred_at",
    ),
    "api source": Kind(
        {"api_source.py.jinja": "ingestion/sources/{name}.py", **_STAGING_FILES},
        (
            "Fill in its docstring, settings, requests, columns and staging; then switch it on in",
            "regulars.toml: [sources.{name}]  enabled = true, and set the variable of its key.",
            "{program} doctor --connect asks the API a small question.",
            "Next: {program} run",
        ),
        time="updated_at",
    ),
    "model": Kind(
        {
            "model.sql.jinja": f"{MARTS}/{{area}}/{{name}}.sql",
            "model.yml.jinja": f"{MARTS}/{{area}}/{{name}}.yml",
        },
        (
            "Fill in its description and columns.",
            "Next: {program} run, then {program} sql 'select * from {schema}.{name} limit 10'",
        ),
    ),
    "segment": Kind(
        {
            "segment.sql.jinja": "dbt_project/models/segments/{model}.sql",
            "segment.yml.jinja": "dbt_project/models/segments/{model}.yml",
        },
        (
            "Fill in its label, description, conditions (docs/segments.md) and destinations.",
            "Try it: {program} plan {name} --draft dbt_project/models/segments/{model}.sql",
            "Next: {program} run, then {program} plan {name}",
        ),
        prefix=SEGMENT,
    ),
    "destination": Kind(
        {"destination.py.jinja": "orchestration/destinations/{name}.py"},
        (
            "Fill in its docstring and what it sends, then name it in regulars.toml:",
            '[destinations.{name}]  kind = "{name}"',
            "Next: {program} plan",
        ),
    ),
    "persona": Kind(
        {"persona.yml.jinja": "personas/{name}.yml"},
        (
            "Fill in who they are and what the shop knows of them (docs/formats.md).",
            "Next: {program} run, then {program} sql"
            " 'select persona, count(*) from marts.persona_assignments group by all'",
        ),
    ),
}


def areas(root: Path = REPOSITORY) -> list[str]:
    """The areas of the marts, one folder each."""
    folder = root / MARTS
    return sorted(path.name for path in folder.iterdir() if path.is_dir())


def scaffold(
    kind: str, name: str, root: Path = REPOSITORY, *, area: str = "", like: str = ""
) -> list[str]:
    """Write the starting files; returns what to tell the person, a line each.

    Args:
        kind: one of `KINDS`.
        name: snake_case.
        root: the repository; of a persona, the folder of the shop's input.
        area: of a model, the folder of the marts that it belongs to.
        like: of a segment, another one that it begins as.

    Raises:
        UsageError: no such other segment; an unknown kind, a name that cannot be one, an area that
            is none, or a file that is already there.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        raise UsageError(f"`{kind}` cannot be made.", f"Choose one of: {', '.join(KINDS)}.")
    if kind == "model" and name.startswith(SEGMENT):
        raise UsageError(
            f"`{name}` begins like a segment's model.", f"Run `{program()} new segment` for one."
        )
    words = _words(_checked(name.removeprefix(chosen.prefix)), chosen)
    if kind == "model":
        words |= {"area": _checked_area(area, root), "schema": _schema(area, root)}
    paths = {template: path.format(**words) for template, path in chosen.files.items()}
    _refuse_overwriting(root, kind, list(paths.values()), words["model"])
    texts = {path: _render(template, words) for template, path in paths.items()}
    if like:
        texts |= _texts_like(like, words, root)
    _write(root, texts)
    made = [f"Made {path}" for path in paths.values()]
    steps = [step.format(**words) for step in chosen.next_steps]
    return [*made, *_said_of_name(kind, words["name"]), *steps]


def shop_folder(location: str) -> Path:
    """The folder of the shop's input, where its personas stand.

    Raises:
        UsageError: none is said, or it is no folder of this machine.
    """
    folder = Path(location.removeprefix("file://"))
    if not location or not folder.is_dir():
        raise UsageError(
            "A persona is a file in the shop's input folder, and there is none to write to.",
            "Say --input DIR, or `input` in regulars.toml.",
        )
    return folder


def _texts_like(like: str, words: Mapping[str, str], root: Path) -> dict[str, str]:
    """The file of another segment under a new name and label."""
    folder = root / "dbt_project/models/segments"
    other = folder / f"{SEGMENT}{like.removeprefix(SEGMENT)}.sql"
    if not other.exists():
        names = sorted(path.stem.removeprefix(SEGMENT) for path in folder.glob(f"{SEGMENT}*.sql"))
        raise UsageError(
            f"There is no segment `{like}`.", f"Say --like with one of: {', '.join(names)}."
        )
    text = re.sub(r"'label': '[^']*'", f"'label': '{words['label']}'", other.read_text("utf-8"))
    return {f"dbt_project/models/segments/{words['model']}.sql": text}


def _write(root: Path, texts: Mapping[str, str]) -> None:
    """All files or none.

    Raises:
        UsageError: a folder cannot be written to.
    """
    made: list[Path] = []
    try:
        for path, text in texts.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            made.append(target)
            target.write_text(text, "utf-8")
    except OSError as error:
        for target in made:
            target.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written ({error.strerror}); nothing was made.",
            "Check the permissions of the repository's folders and run again.",
        ) from error


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        raise UsageError(
            f"`{name}` is not a name for it.",
            f"Use snake_case, such as big_spenders: letters, digits, at most {MAX_NAME} in all.",
        )
    if keyword.iskeyword(name) or name in _reserved_words() or yaml.safe_load(name) != name:
        raise UsageError(
            f"`{name}` is a word of Python, SQL or YAML and cannot be a name.",
            f"Choose another, such as {name}_1 or one that says more.",
        )
    return name


def _said_of_name(kind: str, name: str) -> list[str]:
    """That a run will refuse a segment's name, before anybody has worked on it."""
    if kind != "segment":
        return []
    return [
        f"A run will refuse the name `{name}`: platforms take the word `{word.word}` for the theme"
        f" {word.theme}. Take another name; or, where your trade needs it, write in the file"
        f" 'flagged_themes': {{'{word.theme}': 'why'}} (for ads that does not count)."
        for word in flagged(name)
    ]


def _reserved_words() -> set[str]:
    """The words that SQL keeps for itself."""
    with connect() as connection:
        rows = connection.execute(
            "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        ).fetchall()
    return {str(word) for (word,) in rows}


def _checked_area(area: str, root: Path) -> str:
    known = ", ".join(areas(root))
    if not area:
        raise UsageError(
            "A model belongs to an area of the marts.", f"Say --area, one of: {known}."
        )
    if area not in areas(root):
        raise UsageError(
            f"`{area}` is no area of the marts.",
            f"Choose one of: {known}; or make the folder {MARTS}/{area} first.",
        )
    return area


def _schema(area: str, root: Path) -> str:
    """The schema that the area's models are published in, as dbt_project.yml says."""
    project = yaml.safe_load((root / "dbt_project" / "dbt_project.yml").read_text("utf-8"))
    marts = project["models"]["regulars"]["marts"]
    return str(marts.get(area, {}).get("+schema", marts["+schema"]))


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
        "time": kind.time,
        "class_name": "".join(part.capitalize() for part in name.split("_")),
    }


def _refuse_overwriting(root: Path, kind: str, paths: list[str], model: str) -> None:
    """Nothing that exists is touched; a dbt model's name must be free in the whole project."""
    package = (path.removesuffix(".py") for path in paths if path.endswith(".py"))
    taken = [path for path in (*paths, *package) if (root / path).exists()]
    if not taken and any(path.endswith(".sql") for path in paths):
        project = root / "dbt_project"
        same = (*project.glob(f"models/**/{model}.sql"), *project.glob(f"seeds/**/{model}.csv"))
        taken = [file.relative_to(root).as_posix() for file in same]
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
