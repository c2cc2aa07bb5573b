"""The tools of an assistant: what each is for, its arguments, and what it answers.

Belongs here: calling what other commands call too, and reading nothing but the published file, its
masked copy and, unmasked, the gate. Does not belong here: the protocol (`server`), the size of
answers (`bounds`).

Masked, an assistant gets what the masked copy has, and of the published file itself the names of
tables and columns and the counts of the day. SQL and drafts, which it words itself, are answered in
the process that can do nothing else (`commands/answering`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from ingestion.duckdb import has_table
from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.activation.person_now import explain_now
from orchestration.commands.answering import DRAFT, ROWS, answer_apart
from orchestration.commands.assistant.bounds import bounded
from orchestration.commands.sql import asked_file
from orchestration.commands.tables import COLUMN_FACTS, TABLE_FACTS, describe, list_tables
from orchestration.home.layout import Home
from orchestration.published.reader import open_locked, open_published
from orchestration.report.today import read_today
from orchestration.segments.draft import LARGEST
from orchestration.who.evidence import Explanation
from orchestration.who.explain import NotFoundError, explain_from

_SEGMENT = re.compile(r"[a-z][a-z0-9_]{0,62}")
_DECISIONS = "activity.fct_contact_decisions"


@dataclass(frozen=True)
class Asked:
    """What a tool is asked about.

    `home`: the shop's; `is_masked`: of the copy without personal data; `now`: the moment that the
    gate is asked about, naive UTC.
    """

    home: Home
    is_masked: bool
    now: Callable[[], datetime]


@dataclass(frozen=True)
class Argument:
    """One argument, a text. `most`: its characters."""

    name: str
    about: str
    is_required: bool = True
    most: int = 500


@dataclass(frozen=True)
class Tool:
    """One tool. `answer` gets every argument, those left out as an empty text, and gives JSON."""

    name: str
    about: str
    arguments: tuple[Argument, ...]
    answer: Callable[[Asked, Mapping[str, str]], str]


def _tables(asked: Asked, arguments: Mapping[str, str]) -> str:
    word = arguments["containing"].strip().lower()
    rows = [
        row for row in list_tables(asked.home) if word in row[0].lower() or word in row[2].lower()
    ]
    return bounded({"columns": TABLE_FACTS, "rows": rows})


def _columns(asked: Asked, arguments: Mapping[str, str]) -> str:
    facts, columns = describe(asked.home, arguments["table"])
    table, row_count, about = facts
    head = {"table": table, "row_count": row_count, "one row per ...": about}
    return bounded({**head, "columns": COLUMN_FACTS, "rows": columns})


def _rows(asked: Asked, arguments: Mapping[str, str]) -> str:
    file = asked_file(asked.home, masked=asked.is_masked)
    home = "" if asked.is_masked else str(asked.home.root)
    return answer_apart({"file": str(file), "home": home, "query": arguments["sql"]}, ROWS)


def _explain(asked: Asked, arguments: Mapping[str, str]) -> str:
    content = json.loads(_explanation(asked, arguments["who"]).to_json())
    part = arguments["part"].strip()
    if not part:
        return bounded(content)
    if part not in content:
        raise UsageError("There is no such part.", f"The parts are {', '.join(content)}.")
    return bounded({"customer_id": content["customer_id"], part: content[part]})


def _explanation(asked: Asked, who: str) -> Explanation:
    """As the pages tell it: a masked copy knows nothing of the operational store's ids."""
    if not asked.is_masked:
        return explain_now(asked.home, who, at=asked.now())
    country = load_settings().shop.default_country
    with open_locked(asked_file(asked.home, masked=True)) as connection:
        try:
            return explain_from(connection, who, country)
        except NotFoundError as error:
            raise NotFoundError(
                error.message,
                "Identifiers are hashes here: take a customer_id from an answer of `query`.",
            ) from None


def _decisions(asked: Asked, arguments: Mapping[str, str]) -> str:
    if arguments["who"].strip():
        person = _explanation(asked, arguments["who"])
        return bounded({"customer_id": person.customer_id, "decisions": person.decisions})
    with open_published(asked.home) as published:
        days = f"select max(decided_for), (select max(as_of) from ops.build) from {_DECISIONS}"
        day = (None, None)
        if has_table(published, *_DECISIONS.split(".")):
            day = published.execute(days).fetchone() or day
        today = [asdict(each) for each in read_today(published)]
    return bounded({"decided_for": day[0], "published_as_of": day[1], "segments": today})


def _draft(asked: Asked, arguments: Mapping[str, str]) -> str:
    if not _SEGMENT.fullmatch(arguments["segment"]):
        raise UsageError(
            "A segment's name is small letters, digits and underscores.",
            "Name it such as second_order_due.",
        )
    file = asked_file(asked.home, masked=asked.is_masked)
    question = {
        "file": str(file),
        "segment": arguments["segment"],
        "text": arguments["draft"],
        "variables": load_settings().dbt_vars(),
    }
    return answer_apart(question, DRAFT)


TOOLS = (
    Tool(
        "list_tables",
        "The published tables, with their number of rows and what one row of each is.",
        (Argument("containing", "Only those with this word in them.", is_required=False),),
        _tables,
    ),
    Tool(
        "describe_table",
        "What a table is, and its columns with types and descriptions.",
        (Argument("table", "Such as marts.customer_360."),),
        _columns,
    ),
    Tool(
        "query",
        "The first rows of one read-only statement in DuckDB's SQL, asked of the published tables.",
        (Argument("sql", "One SELECT.", most=20_000),),
        _rows,
    ),
    Tool(
        "explain_customer",
        "Who somebody is and on which evidence, their value, stage, segments with reasons, what"
        " may be sent to them and what was.",
        (
            Argument("who", "Any identifier or id; where masked, a customer_id of `query`."),
            Argument("part", "One part alone, by its name in the answer.", is_required=False),
        ),
        _explain,
    ),
    Tool(
        "todays_decisions",
        "Who gets what today: by segment and channel how many do (goes), get it later (waits) or"
        " do not and why; or the decisions about one person.",
        (Argument("who", "A person, as `explain_customer` takes it.", is_required=False),),
        _decisions,
    ),
    Tool(
        "preview_segment",
        "Who would be in a segment that is not saved: people, reach by channel, what each"
        " condition keeps, overlap with live segments. Nothing is kept or sent.",
        (
            Argument("segment", "The name that it would have."),
            Argument("draft", "What its file would say (docs/segments.md).", most=LARGEST),
        ),
        _draft,
    ),
)
