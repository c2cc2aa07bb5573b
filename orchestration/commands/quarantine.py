"""`regulars quarantine`: what is held and why, and another look at it.

Belongs here: layout. Does not belong here: what makes a row bad (ingestion/sources) or a replay
(ingestion/quarantine).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from ingestion.errors import UsageError
from ingestion.files.folder import InputFolder
from ingestion.pipelines import RunContext
from ingestion.quarantine import QuarantinedRow, quarantine_counts, quarantined_rows
from ingestion.quarantine import dismiss as dismiss_rows
from ingestion.quarantine import replay as replay_rows
from ingestion.registry import accepted_words
from ingestion.settings_file import load_settings
from ingestion.vocabulary import or_list
from orchestration.home import lock
from orchestration.home.layout import Home

SHOWN = 200


def print_quarantine(home: Home, source: str, out: Console, *, raw: bool, as_json: bool) -> None:
    """The rows held by reason with an example each; with `raw` every row and its text too.

    Raises:
        UsageError: nothing was ever read into this home.
    """
    _need_data(home)
    with lock.hold(home.lock, store=home.raw.name):
        context = _context(home, "")
        counts = quarantine_counts(context, source)
        limit = sys.maxsize if as_json else SHOWN
        rows = quarantined_rows(context, source, with_raw=raw, limit=limit)
    if as_json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], ensure_ascii=False) + "\n")
        return
    if not counts:
        out.print("Nothing is in quarantine.")
        return
    names = ("source", "table", "reason", "field", "rows", "files", "like", "first at")
    table = Table(*names, header_style="bold")
    for column in table.columns:
        column.overflow = "fold"  # every character of it
    for count in counts:
        stopped = " (stopped)" if count.is_of_a_stop else ""
        table.add_row(
            f"{count.source}{stopped}",
            count.table,
            count.reason,
            count.field,
            f"{count.rows:,}",
            f"{count.files:,}",
            count.example,
            count.location,
        )
    out.print(table)
    for count in counts:
        words = accepted_words(count.source, count.table, count.field)
        if count.reason == "unknown_value" and words:
            out.print(f"{count.location}: write {or_list(words)} as {count.field}.")
    if any(count.is_of_a_stop for count in counts):
        out.print(
            "(stopped): the last run of this source stopped, nothing of its files was loaded, and "
            "they are read again by the next run."
        )
    out.print("`like` shows one value's shape: every letter is x, every digit 9.")
    if raw:
        _print_rows(rows, out)
    else:
        out.print("Every row with its text (personal data): `regulars quarantine list --raw`.")
    out.print(
        "Mend the source or the mapping, then run `regulars quarantine replay`; what will never be "
        "mended: `regulars quarantine dismiss`."
    )


def _print_rows(rows: Sequence[QuarantinedRow], out: Console) -> None:
    detail = Table("file", "line", "reason", "field", "text")
    detail.columns[-1].overflow = "fold"  # every character of it
    for row in rows:
        detail.add_row(row.file, str(row.line or ""), row.reason, row.field, row.raw_text)
    out.print(detail)
    if len(rows) == SHOWN:
        out.print(f"Only the first {SHOWN} rows are shown; all of them: --json.")


def replay(home: Home, source: str, location: str) -> str:
    """Judge held rows again; the sentence that tells what happened.

    Raises:
        UsageError: nothing was ever read into this home.
    """
    _need_data(home)
    with lock.hold(home.lock):
        done = replay_rows(_context(home, location), source)
    looked, loaded = (sum(getattr(row, name) for row in done) for name in ("replayed", "loaded"))
    held = sum(row.still_held for row in done)
    tail = " They reach the models with the next `regulars run`." if loaded else ""
    return f"{looked:,} rows looked at: {loaded:,} loaded now, {held:,} still held.{tail}"


def dismiss(home: Home, source: str, reason: str) -> str:
    """Mark rows as looked at and given up; the sentence that says what happened.

    Raises:
        UsageError: nothing was ever read into this home, or no such source or reason is known.
    """
    _need_data(home)
    with lock.hold(home.lock):
        now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        rows = dismiss_rows(_context(home, ""), now, source, reason)
    noun = "row is" if rows == 1 else "rows are"
    return (
        f"{rows:,} {noun} dismissed: no list, check or report names them from the next run on. "
        "They stay stored, `regulars quarantine replay` judges them again, and a refusal of "
        "consent among them still counts."
    )


def _need_data(home: Home) -> None:
    if not home.raw.exists():
        raise UsageError(
            f"{home.root} holds no shop's data.", "Give --home the folder that `regulars run` made."
        )


def _context(home: Home, location: str) -> RunContext:
    settings = load_settings()
    input_location = location or settings.input
    # The mapping may lie there alone: rows come from quarantine.
    folder = InputFolder.at(input_location) if input_location else None
    as_of = datetime(1990, 1, 1)  # noqa: DTZ001 - naive UTC; a replay does not ask for the time
    return RunContext(home.raw, home.dlt, "replay", as_of, settings, folder)
