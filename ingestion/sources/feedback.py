"""Feedback: survey and quiz answers, reviews, complaints, support requests, referrals, replies.

Format: CSV, JSON Lines or Parquet. Key: identifier, kind, product_id, question, occurred_at.
Lateness: rows of any age are taken.
Bad day: no person or an unknown kind: quarantine; a refusal counts from there too. A score that is
not a number is left empty. Of a reply's answer it is only kept whether it asks to stop: the text
itself reaches neither the raw table nor quarantine.
Data flow: DIR/feedback/ -> raw_feedback.feedback
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec
from ingestion.landing.replies import VERDICT

KINDS = (
    "nps",
    "review",
    "complaint",
    "support",
    "referral",
    "quiz",
    "survey",
    "reply",
    "preference",
)

# A row of any other kind, or of none that we know, may be a reply.
NO_REPLIES = tuple(kind for kind in KINDS if kind != "reply")

FEEDBACK = TableSpec(
    name="feedback",
    envelopes=("feedback", "data"),
    description="One row per version of an answer or a referral.",
    may_refuse=True,
    columns=(
        *IDENTIFIER_COLUMNS,
        Column(
            "kind",
            required=True,
            expected=True,
            allowed=KINDS,
            transform=LOWER,
        ),
        Column("score", "money"),
        Column("product_id"),
        Column("question"),
        Column("answer", reduced=VERDICT, reduced_unless=("kind", NO_REPLIES)),
        Column("text_key"),
        Column("occurred_at", "timestamp", required=True, expected=True),
        # Of a complaint or a request for help: when it was settled; without it, it is open.
        Column("closed_at", "timestamp"),
    ),
    numbers=("product_id",),
)

SOURCE = FolderSource("feedback", "Answers, reviews, complaints and referrals.", (FEEDBACK,))
