"""What a segment's file lacks, found before any model is built.

Belongs here: what needs no compiled SQL: that the file says its channel, purpose and kind of
message, in known words that go together, and names that may leave. Does not belong here: the whole
of what a file says (`check_segment` of dbt) and what its SQL uses (segment_traits.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.vocabulary import (
    CHANNELS,
    MESSAGE_KINDS,
    OF_A_CONTRACT,
    ONLY_OF_A_CONTRACT,
    PURPOSES,
    or_list,
)
from orchestration.quality.segment_words import faults_of
from orchestration.run.dbt import SEGMENT

FOLDER = "dbt_project/models/segments"
CONTRACT = "transactional"  # the purpose that needs no consent


def check_segment_files(
    names: Iterable[str], declared: Mapping[str, Mapping[str, Any]], settings: Settings
) -> None:
    """Stop before the build where a segment's file would stop it.

    Args:
        names: the segments there are.
        declared: what each file says of itself, by name.

    Raises:
        UsageError: what is wrong, of each segment with its file.
    """
    wrong = [fault for name in names for fault in _faults(name, declared.get(name) or {}, settings)]
    if wrong:
        raise UsageError(
            " ".join(dict.fromkeys(sentence for sentence, _ in wrong)),
            " ".join(dict.fromkeys(hint for _, hint in wrong)),
        )


def _faults(name: str, meta: Mapping[str, Any], settings: Settings) -> Iterator[tuple[str, str]]:
    lacking = [
        f"{what} ({or_list(words)})"
        for what, words, values in (
            ("channel", CHANNELS, _channels(meta)),
            ("purpose", PURPOSES, [meta.get("purpose")]),
            ("message_kind", MESSAGE_KINDS, [meta.get("message_kind")]),
        )
        if not values or not set(values) <= set(words)
    ]
    if lacking:
        yield (
            f"The segment {name} does not say its {', its '.join(lacking)}.",
            f"Write it into config(meta={{'segment': …}}) of {FOLDER}/{SEGMENT}{name}.sql.",
        )
    elif conflict := _conflict(meta["purpose"], meta["message_kind"]):
        yield f"The segment {name} {conflict}", f"The file: {FOLDER}/{SEGMENT}{name}.sql."
    for sentence, hint in faults_of(name, meta, (), settings):
        yield sentence, f"{hint} The file: {FOLDER}/{SEGMENT}{name}.sql."


def _conflict(purpose: str, kind: str) -> str:
    """Why a kind of message cannot go out for a purpose, and what to write; empty where it can."""
    if purpose == CONTRACT and kind not in OF_A_CONTRACT:
        return (
            f"has the purpose {purpose}, which permits the kinds {or_list(OF_A_CONTRACT)}, and the"
            f" message_kind {kind}; use the purpose marketing."
        )
    if purpose != CONTRACT and kind in ONLY_OF_A_CONTRACT:
        return (
            f"has the message_kind {kind}, which is for the purpose {CONTRACT} alone; use that"
            " purpose or another message_kind."
        )
    return ""


def _channels(meta: Mapping[str, Any]) -> list[Any]:
    """The channels it names; `best` is the shop's own order, which dbt knows."""
    several = meta.get("channels")
    if several == "best":
        return [CHANNELS[0]]
    if isinstance(several, str):
        return [several]
    return list(several or ([meta["channel"]] if meta.get("channel") else []))
