"""Per reason of holding somebody back, the one command that explains it.

Belongs here: which command that is. Does not belong here: the reasons (`ingestion.vocabulary`) or
their words (`codes`).
"""

from __future__ import annotations

from ingestion.vocabulary import Reason

# What is of the whole shop or segment stands in a table; all else is of one person at this moment
_TABLES = {
    Reason.EVERYBODY: "marts.rpt_segment_reach where segment = '{segment}'",
    Reason.BASELINE: "marts.dim_segments where segment = '{segment}'",
    Reason.COMPLAINT_RATE: "marts.rpt_complaint_rates where state = 'held'",
}


def explained_by(reason: str, segment: str, home_option: str = "") -> str:
    """The command that shows what this reason goes by.

    What depends on one person is shown person by person, as the operational store knows it now;
    `regulars explain ID` knows the rest of each.

    Args:
        reason: why.
        segment: of which segment's people.
        home_option: what a pasted command needs to find the home.
    """
    table = _TABLES.get(Reason(reason)) if reason in set(Reason) else None
    if table:
        return f'regulars sql "from {table.format(segment=segment)}"{home_option}'
    return f"regulars plan {segment} --who{home_option}"
