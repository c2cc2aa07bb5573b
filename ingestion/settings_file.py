"""Reading `regulars.toml`: found, read and checked whole, so that a mistake stops before any work.

Belongs here: the sentence for what is wrong in it. Does not belong here: where the file is
(settings_place.py), the shape of the settings (config.py) and of a source's section (the source's
own file).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ingestion.config import (
    Destination,
    Segment,
    Settings,
    SourceSettings,
    Webhook,
)
from ingestion.errors import UsageError, first_problem
from ingestion.registry import databases, section_kinds
from ingestion.settings_place import config_path, content_of

_NAMED: dict[str, type[BaseModel]] = {
    "destinations": Destination,
    "segments": Segment,
    "webhooks": Webhook,
}


def load_settings(explicit: str | Path | None = None) -> Settings:
    """Read and check the settings, each source's section by the class that the source declares.

    Raises:
        UsageError: the file is missing or unreadable, or a key or value is wrong (named).
    """
    path = config_path(explicit)
    content = content_of(path)
    sections = content.pop("sources", {})
    if not isinstance(sections, dict):
        raise UsageError(f"{path}: `sources` is wrong: it is no section.", "Write [sources.NAME].")
    sources = {name: _section(path, name, raw) for name, raw in sections.items()}
    try:
        settings = Settings.model_validate({**content, "sources": sources})
    except ValidationError as error:
        raise _problem(path, error, Settings) from error
    databases(settings)
    return settings


def _section(path: Path, name: str, raw: Any) -> SourceSettings:
    kinds = section_kinds()
    if name not in kinds:
        raise UsageError(
            f"{path}: `sources.{name}` is no source; known: {', '.join(sorted(kinds))}.",
            "Mend it and run again.",
        )
    try:
        return kinds[name].model_validate(raw)
    except ValidationError as error:
        raise _problem(path, error, kinds[name], f"sources.{name}") from error


def _problem(
    path: Path, error: ValidationError, model: type[BaseModel], above: str = ""
) -> UsageError:
    """The first problem as a sentence; `above` is where the model stands in the file."""
    problem = error.errors()[0]
    inner, what = first_problem(error)
    setting = ".".join(part for part in (above, inner) if part)
    if problem["type"] == "extra_forbidden":
        known = ", ".join(_known_keys(model, problem["loc"][:-1]))
        sentence = f"{path} has an unknown setting `{setting}`; known here: {known}."
    else:
        sentence = f"{path}: `{setting}` is wrong: {what}."
    return UsageError(sentence, "Mend it and run again.")


def _known_keys(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
    """The settings that exist in the section at `path`, for the error message."""
    for part in path:
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
        else:
            model = _NAMED.get(str(part), model)
    return sorted(model.model_fields)
