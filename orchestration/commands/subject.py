"""`regulars export-subject`: everything held about one person, once somebody has said yes.

Belongs here: the question and the answer at the terminal. Does not belong here: which rows are a
person's (orchestration/who/subject).
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from rich.console import Console

from ingestion.errors import UsageError
from ingestion.settings_file import load_settings
from orchestration.home.layout import Home
from orchestration.home.retention import delete_old_exports
from orchestration.ops.commands import Command, recorded
from orchestration.run.run import clock
from orchestration.who.subject import export_subject, find_subject


def print_export(
    home: Home,
    who: str,
    out: Console,
    *,
    confirmed: bool,
    confirm: Callable[[str], bool],
    by: str = "unnamed",
) -> None:
    """Ask, write the file, and say what is in it and how long it stays.

    Raises:
        UsageError: there is nobody at a terminal to ask, and `--yes` was not given.
    """
    days = load_settings().privacy.subject_export_days
    subject = find_subject(home, who)  # an unknown or shared value is told before any question
    if not confirmed:
        if not sys.stdin.isatty():
            raise UsageError(
                "Everything about a person is written only when somebody says yes.",
                "Say so with --yes where nobody can be asked.",
            )
        count = subject.identifier_count
        if not confirm(
            f"Write everything held about customer {subject.customer_id}"
            f" ({count} identifier{'' if count == 1 else 's'}) to a file?"
        ):
            out.print("Nothing was written.")
            return
    with recorded(home, Command("export-subject", by), clock):
        delete_old_exports(home, days=days, at=clock())
        done = export_subject(home, subject, at=clock())
    out.print(f"Written: {done.path}")
    out.print(
        f"  {sum(done.rows.values()):,} rows of {len(done.rows)} tables; only you can read it."
    )
    out.print(f"  It is deleted after {days} days, by the first run or export then.")
