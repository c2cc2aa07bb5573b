"""What may be shown of a value that cannot be used: its shape, and whose it is not.

Belongs here: masks of what stands in rows. Does not belong here: deciding what is shown, masks of
addresses for people who may know whose they are (`orchestration/words`).
"""

from __future__ import annotations

import json

SHAPE_LENGTH = 60


def value_of(text: str, field: str) -> str:
    """What the row has in this field; the whole text where that cannot be told."""
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        return text
    value = row.get(field) if field and isinstance(row, dict) else None
    return text if value is None else str(value)


def masked(value: str) -> str:
    """The shape of a value: `2026-13-45` is `9999-99-99`, and no letter of it is left."""
    shape = "".join(
        "9" if sign.isdigit() else "x" if sign.isalnum() else sign if sign.isprintable() else "·"
        for sign in value[: SHAPE_LENGTH + 1]
    )
    return shape if len(shape) <= SHAPE_LENGTH else f"{shape[:SHAPE_LENGTH]}…"
