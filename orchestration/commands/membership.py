"""`regulars explain WHO --segment S`: why somebody is in a segment and what ends it, or why not.

Belongs here: which answer is given, and its layout. Does not belong here: finding people
(orchestration/who), trying a segment (orchestration/segments/trial.py).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console

from ingestion.duckdb import dicts, literal
from ingestion.duckdb import name as quoted
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.segments.files import segment_names, segment_text
from orchestration.segments.rendering import SEGMENT
from orchestration.segments.trial import Trial
from orchestration.who.explain import Reader, find_person

Answer = dict[str, Any]


def print_membership(home: Home, who: str, segment: str, out: Console, *, as_json: bool) -> None:
    """Print each condition of a segment with what was found of a person.

    Raises:
        UsageError: there is no such segment.
        RegularsError: nobody is known by `who`, or nothing is published.
    """
    if segment not in segment_names():
        raise UsageError(
            f"There is no segment {segment!r}; there are: {', '.join(segment_names())}.",
            "`regulars explain WHO --segment NAME`.",
        )
    answer = explain_membership(home, who, segment)
    if as_json:
        sys.stdout.write(json.dumps(answer, default=str) + "\n")
    else:
        _render(answer, out)


def explain_membership(home: Home, who: str, segment: str) -> Answer:
    """customer_id, segment, is_member, reason, and `conditions` in written order.

    Each condition has words, is_wanted, is_met, value, threshold, since and ends_when; of whoever
    is no member, `is_missing` says that it keeps them out.
    """
    settings = load_settings()
    with open_published(home) as connection:
        customer_id = find_person(Reader(connection), who, settings.shop.default_country)[0]
        member = dicts(
            connection.execute(
                f"select reason from segments.{quoted(SEGMENT + segment)}"
                f" where customer_id = {literal(customer_id)}"
            )
        )
        answer = {"customer_id": customer_id, "segment": segment, "is_member": bool(member)}
        if member:
            conditions = dicts(
                connection.execute(
                    f"select * from marts.fct_segment_conditions where segment = {literal(segment)}"
                    f" and customer_id = {literal(customer_id)} order by condition_rank"
                )
            )
            return {**answer, "reason": member[0]["reason"], "conditions": conditions}
        [build] = dicts(connection.execute("select as_of from ops.build"))
        trial = Trial(connection, settings.dbt_vars(), build["as_of"], segment_names())
        conditions = trial.answers(customer_id, trial.run(segment, segment_text(segment)))
        return {**answer, "reason": None, "conditions": conditions}


def _render(answer: Answer, out: Console) -> None:
    is_member, segment = answer["is_member"], answer["segment"]
    out.print(
        f"{answer['customer_id']} is {'in' if is_member else 'not in'} {segment}."
        + (f" {answer['reason']}" if is_member else ""),
        markup=False,
        highlight=False,
    )
    if not answer["conditions"]:
        out.print(
            f"The segment is written in SQL; models/segments/{SEGMENT}{segment}.sql says who."
        )
    for condition in answer["conditions"]:
        out.print(_line(condition, is_member=is_member), markup=False, highlight=False)


def _line(condition: Answer, *, is_member: bool) -> str:
    is_right = condition["is_met"] == condition["is_wanted"]
    mark = "✓" if is_right else "✗" if condition.get("is_missing") else "·"
    parts = [f"  {mark} {condition['words']}"]
    if condition.get("value"):
        against = f", against: {condition['threshold']}" if condition.get("threshold") else ""
        parts.append(f" (found: {condition['value']}{against})")
    if condition.get("since"):
        parts.append(f"; since {condition['since']:%Y-%m-%d}")
    if is_member and condition.get("ends_when"):
        parts.append(f"; ends: {condition['ends_when']}")
    return "".join(parts)
