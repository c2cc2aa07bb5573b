"""Klaviyo's own OpenAPI file, which lies outside the repository, as tests use it.

Belongs here: finding it (`../shared`, or `REGULARS_SHARED`) and making JSON Schema of it. Does not
belong here: what is held against it.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ingestion.config import REPOSITORY

SHARED = Path(os.environ.get("REGULARS_SHARED") or REPOSITORY.parent / "shared")
CONTRACT = SHARED / "contracts" / "klaviyo" / "openapi-2026-07-15.json"
MEDIA_TYPE = "application/vnd.api+json"


@lru_cache(maxsize=1)
def _read() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))
    return found


@lru_cache(maxsize=1)
def _strict_components() -> Any:
    return strict(_read()["components"])


def contract() -> dict[str, Any]:
    """The file; the test is skipped where it is not."""
    if not CONTRACT.exists():
        pytest.skip(f"Klaviyo's OpenAPI file is not at {CONTRACT}")
    return _read()


def strict(schema: Any) -> Any:
    """The schema as JSON Schema: `nullable` becomes a type, and any one variant may hold.

    Klaviyo's variants overlap (three send options are the same), so `oneOf` would refuse them all.
    """
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: strict(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        found["type"] = [schema["type"], "null"]
        if "enum" in found:
            found["enum"] = [*found["enum"], None]
    if "oneOf" in found:
        null = [{"type": "null"}] if schema.get("nullable") else []
        found["anyOf"] = [*found.pop("oneOf"), *null]
    return found


def operation(method: str, path: str) -> dict[str, Any]:
    """What the file says of one call."""
    found: dict[str, Any] = contract()["paths"][path][method.lower()]
    return found


def problems(method: str, path: str, body: Any, status: str = "") -> list[str]:
    """What is wrong with the body of a request, or with that of an answer of a status."""
    described = operation(method, path)
    part = described["responses"][status] if status else described["requestBody"]
    schema = strict(part["content"][MEDIA_TYPE]["schema"]) | {"components": _strict_components()}
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(body)]
