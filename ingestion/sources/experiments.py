"""Experiments: who was in which group of a test that was run elsewhere.

Format: CSV, JSON Lines or Parquet. Key: experiment_id, identifier; the first assignment counts.
Lateness: rows of any age are taken.
Bad day: no experiment, person or time, or a group that is neither treatment nor holdout:
quarantine.
Data flow: DIR/experiments/ -> raw_experiments.assignments
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec

GROUPS = ("treatment", "holdout")

ASSIGNMENTS = TableSpec(
    name="assignments",
    envelopes=("experiments", "assignments", "data"),
    description="One row per version of a person's assignment to a group of an experiment.",
    columns=(
        Column("experiment_id", required=True, expected=True),
        *IDENTIFIER_COLUMNS,
        # `group` is a word of SQL, so the table has it under a longer name.
        Column(
            "experiment_group",
            sources=("group",),
            required=True,
            expected=True,
            allowed=GROUPS,
            transform=LOWER,
        ),
        Column("assigned_at", "timestamp", required=True, expected=True),
    ),
)

SOURCE = FolderSource("experiments", "Groups of tests that were run elsewhere.", (ASSIGNMENTS,))
