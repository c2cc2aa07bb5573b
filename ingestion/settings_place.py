"""Where `regulars.toml` is, and what it says before anything is checked.

Belongs here: what can be asked of the file without the sources being loaded, which a command that
only reads has no use for. Does not belong here: checking it (settings_file.py).
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ingestion.config import CONFIG_NAME, REPOSITORY, Engine
from ingestion.errors import UsageError


def config_path(explicit: str | Path | None = None) -> Path:
    """The settings file: the argument, else `REGULARS_CONFIG`, else ./regulars.toml, else ours."""
    if explicit or os.environ.get("REGULARS_CONFIG"):
        return Path(explicit or os.environ["REGULARS_CONFIG"])
    here = Path.cwd() / CONFIG_NAME
    return here if here.exists() else REPOSITORY / CONFIG_NAME


def content_of(path: Path) -> dict[str, Any]:
    """The file as tables.

    Raises:
        UsageError: it is missing, unreadable or no TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(
            f"The settings file {path} cannot be read ({error.strerror}).",
            "Create it from the repository's regulars.toml, or point REGULARS_CONFIG at yours.",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.", "Mend that line.") from error
    except RecursionError as error:
        raise UsageError(f"{path} is nested too deeply.", "Write it flatter.") from error


def engine() -> Engine:
    """What the settings say of the engine; the usual where they say nothing that can be used.

    What is wrong with them is told by whatever needs all of them.
    """
    try:
        return Engine.model_validate(content_of(config_path()).get("engine", {}))
    except (UsageError, ValidationError):
        return Engine()


def memory_limit() -> str:
    """What the settings let a DuckDB session hold; empty where they do not say."""
    return engine().memory_limit
