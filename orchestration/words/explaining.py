"""Per reason of holding somebody back, the one command that explains it.

Belongs here: which command that is. Does not belong here: the reasons (`ingestion.vocabulary`) or
their words (`codes`).
"""

from __future__ import annotations

from ingestion.vocabulary import AT_SENDING, OF_THE_DAY, Reason

_TABLES = {
    Reason.EVERYBODY: "marts.rpt_segment_reach where is_everybody",
    Reason.LEVEL: "marts.customer_personalisation where level <> 'full'",
    Reason.HOLDOUT: "activity.fct_holdouts where is_held_out",
    Reason.COMPLAINT_RATE: "marts.rpt_complaint_rates where state = 'held'",
    Reason.CONTACT_CAP: "activity.fct_deliveries where operation = 'added'",
}


def explained_by(reason: str, segment: str) -> str:
    """The command that shows what this reason goes by.

    Permission and guards are shown for all people at once; what depends on one person's own doings
    and the hour is shown person by person, of whom `regulars explain ID` knows the rest.
    """
    if reason in _TABLES:
        return _query(_TABLES[Reason(reason)])
    if reason in (*AT_SENDING, *OF_THE_DAY):
        return f"regulars plan {segment} --who"
    return _query(f"marts.contactability where reason = '{reason}'")


def _query(rows: str) -> str:
    return f'regulars sql "from {rows}"'
