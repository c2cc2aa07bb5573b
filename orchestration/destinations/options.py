"""The options of a destination, as the settings give them.

Belongs here: checking them. Does not belong here: which there are (each destination's `Options`).
"""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ingestion.errors import UsageError, first_problem

Options = TypeVar("Options", bound=BaseModel)


def checked_options(model: type[Options], name: str, options: dict[str, Any]) -> Options:
    """What `[destinations.<name>.options]` says, in the shape of its model.

    Raises:
        UsageError: an option is unknown or has a wrong value.
    """
    try:
        return model.model_validate(options)
    except ValidationError as error:
        option, what = first_problem(error)
        option_path = ".".join(("destinations", name, "options", *filter(None, [option])))
        raise UsageError(
            f"{option_path} is wrong: {what}.",
            f"Known options: {', '.join(sorted(model.model_fields))}.",
        ) from error
