"""SendGrid, Suppressions > Export CSV: one file per list, one row per address.

Described at https://www.twilio.com/docs/sendgrid/ui/sending-email/index-suppressions . The lists
have few columns and share them, so a file is known only where it has no other and its path says
what it is (`suppression_bounces.csv`, `sendgrid/`): global unsubscribes `email, created`; spam
reports `ip, email, created`; invalid emails `reason, email, created`; bounces and blocks `status,
reason, email, created`. `created` is in UTC or seconds since 1970.

A block is one message that was not taken, no refusal: a list is one of blocks where its file's name
says so, else of bounces.
"""

from __future__ import annotations

from ingestion.files.recognised.export import Export, Feed


def _list(name: str, title: str, columns: tuple[str, ...], status: str, where: str = "") -> Export:
    feed = Feed(
        "contacts",
        "contacts",
        {
            "email": "@[email]",
            "source": "'import'",
            "created_at": "@[created]",
            "status": f"'{status}'",
        },
        where=where,
    )
    return Export(
        f"sendgrid_{name}",
        f"SendGrid list of {title}",
        columns,
        (feed,),
        is_only=True,
        path="sendgrid|suppress|unsub|bounce|spam|invalid|block",
    )


EXPORTS = (
    _list("unsubscribes", "global unsubscribes", ("email", "created"), "unsubscribed"),
    _list("spam_reports", "spam reports", ("ip", "email", "created"), "spam report"),
    _list("invalid_emails", "invalid addresses", ("reason", "email", "created"), "invalid email"),
    _list(
        "bounces",
        "bounces or blocks",
        ("status", "reason", "email", "created"),
        "hard bounce",
        "not regexp_matches(lower(_file), 'blocks?([^a-z]|$)')",
    ),
)
