"""The segments' files, judged before any work.

Belongs here: what is wrong with a file that is one call of `members()`, and circles of segments.
Does not belong here: segments in SQL, which dbt reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from ingestion.errors import UsageError
from orchestration.segments.rendering import DBT_PROJECT, SEGMENT, Project, SegmentFaultError

FOLDER = DBT_PROJECT / "models/segments"
MEND = "Mend the file and run again; docs/segments.md has the conditions with an example each."
_ANY_MOMENT = datetime(2000, 1, 1)  # noqa: DTZ001 - naive UTC, as in a published file
_IS_A_CALL = re.compile(r"\bmembers\s*\(")


def segment_names() -> list[str]:
    """The segments there are: one file each."""
    return sorted(path.stem.removeprefix(SEGMENT) for path in FOLDER.glob(f"{SEGMENT}*.sql"))


def segment_text(name: str) -> str:
    """What the file of a segment says."""
    return (FOLDER / f"{SEGMENT}{name}.sql").read_text("utf-8")


def is_a_call(text: str) -> bool:
    """Whether a file is a call of `members()`; others are written in SQL."""
    return bool(_IS_A_CALL.search(text))


def check_segment_files(variables: Mapping[str, Any]) -> None:
    """Hold every segment's file against the conditions there are.

    Args:
        variables: the settings' variables, as dbt gets them.

    Raises:
        UsageError: a file has an unknown condition, argument, word or context, a value of another
            type, a window longer than the data, or is a condition of itself.
    """
    check_segment_texts({name: segment_text(name) for name in segment_names()}, variables)


def check_segment_texts(texts: Mapping[str, str], variables: Mapping[str, Any]) -> None:
    """The same of texts by name of the segment."""
    project = Project({**variables, "segments": sorted(texts)}, _ANY_MOMENT)
    others: dict[str, list[str]] = {}
    try:
        for name, text in texts.items():
            if is_a_call(text):
                others[name] = list(segments_of(rule_of(project, name, text)))
    except SegmentFaultError as error:
        raise UsageError(sentence(error), MEND) from error
    for name in others:
        if circle := _circle(name, others):
            raise UsageError(
                f"The segments {' → '.join(circle)} are conditions of each other in a circle.",
                "Take in_segment() out of one of them.",
            )


def rule_of(project: Project, name: str, text: str) -> list[dict[str, Any]]:
    """The rule that a segment's file says; [] where it is written in SQL.

    Raises:
        SegmentFaultError: the file says something that there is not.
    """
    meta = project.render(f"{SEGMENT}{name}", text)[1]
    project.checked_meta(name, meta)
    rule: list[dict[str, Any]] = meta.get("rule", [])
    return rule


def leaves(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The conditions of a rule in written order."""
    for step in steps:
        if "condition" in step:
            yield step
        else:
            yield from leaves(next(iter(step.values())))


def segments_of(rule: list[dict[str, Any]]) -> Iterator[str]:
    """The segments that are conditions of a rule."""
    return (leaf["segment"] for leaf in leaves(rule) if "segment" in leaf)


def _circle(start: str, others: Mapping[str, list[str]]) -> list[str]:
    """A way from a segment back to itself by way of its conditions; [] where there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for name in others.get(way[-1], []):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def sentence(error: SegmentFaultError) -> str:
    """What is wrong, as a whole sentence."""
    words = str(error).rstrip(".")
    return words if words.endswith("?") else f"{words}."
