"""What `doctor --connect` learns about an API: one finding per question, without any secret.

Belongs here: the finding and the reading of credentials by the name of their variable.
Does not belong here: the questions (each source asks its own).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from ingestion.errors import UsageError


@dataclass(frozen=True)
class Check:
    """One finding.

    Args:
        name: what was looked at, such as `klaviyo profiles`.
        status: whether it is as it should be.
        sentence: what was found.
        hint: what to do where it is not.
    """

    name: str
    status: Literal["ok", "failed"]
    sentence: str
    hint: str = ""


def credential(source: str, variable: str) -> str:
    """The value of an environment variable that holds a secret.

    Raises:
        UsageError: it is not set.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise UsageError(
            f"{source} is switched on, but the environment variable {variable} is not set.",
            f"Set {variable}, or switch it off: [sources.{source}] enabled = false.",
        )
    return value


def credential_check(source: str, variable: str) -> Check:
    """Whether the variable is set; its value is not looked at."""
    is_set = bool(os.environ.get(variable, "").strip())
    if is_set:
        return Check(source, "ok", f"{variable} is set.")
    return Check(source, "failed", f"{variable} is not set.", f"Set {variable} in the environment.")
