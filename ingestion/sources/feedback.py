"""Feedback: survey and quiz answers, reviews, complaints, support requests, referrals, replies.

Format: CSV, JSON Lines or Parquet. Key: identifier, kind, product_id, question, occurred_at.
Lateness: rows of any age are taken.
Bad day: no person or an unknown kind: quarantine; a score that is not a number is left empty.
Data flow: DIR/feedback/ -> raw_feedback.feedback
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec

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

FEEDBACK = TableSpec(
    name="feedback",
    envelopes=("feedback", "data"),
    description="One row per version of an answer or a referral.",
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
        Column("answer"),
        Column("text_key"),
        Column("occurred_at", "timestamp", required=True, expected=True),
    ),
)

SOURCE = FolderSource("feedback", "Answers, reviews, complaints and referrals.", (FEEDBACK,))
