"""What a sender says of a person's permission, as rows of `consents/`.

Belongs here: that one shape, for senders whose bodies are no rows of a folder. Does not belong
here: what a word means (`orchestration.ops.permission.status_words`).

A yes is one to marketing; a no ends every purpose but transactional, as it does where the same
system is asked by its API. A word that is no statement makes no row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingestion.vocabulary import EVERY
from orchestration.ops.permission.status_words import SILENT, Meaning, status_words


def consent_row(
    identifier: tuple[str, Any],
    channel: str,
    word: Any,
    occurred_at: str | datetime,
    source: str,
    *,
    proof: str | None = None,
    is_kept_of_nobody: bool = False,
) -> list[dict[str, Any]]:
    """The row, or none where nobody is named or nothing is said.

    Args:
        identifier: type and value.
        channel: what the statement is about.
        word: what was said of it, as written.
        occurred_at: when.
        source: who says so.
        proof: what makes a yes able to undo an earlier no.
        is_kept_of_nobody: whether a no without a name makes a row, which quarantine keeps.
    """
    kind, value = identifier
    meaning = status_words().meaning(str(word or ""))
    is_yes = meaning in (Meaning.GRANTED, Meaning.YES, Meaning.REQUESTED)
    is_of_nobody = value in (None, "") and (is_yes or not is_kept_of_nobody)
    if is_of_nobody or (meaning in SILENT and meaning is not Meaning.REQUESTED):
        return []
    moment = occurred_at if isinstance(occurred_at, str) else utc_text(occurred_at)
    row = {
        "identifier_type": kind,
        "identifier_value": str(value or ""),
        "channel": channel,
        "purpose": "marketing" if is_yes else EVERY,
        "status": str(word),
        "occurred_at": moment,
        "source": source,
    }
    return [{**row, "proof": proof} if proof else row]


def utc_text(moment: datetime) -> str:
    """A naive UTC time as rows have it."""
    return f"{moment.isoformat(timespec='microseconds')}Z"
