"""Hand-made identity rules: pairs that are or are not one person, and values that identify nobody.

Format: the single file `identity_rules.csv`. Key: the whole row.
Lateness: none; the file is read again whenever it changes, and then it is the whole truth: a rule
that is no longer in it leaves raw, and so is no longer in force.
Bad day: an unknown rule, or a pair rule without its second identifier: quarantine. A file with a
bad line, without its header or not there at all ends no rule, because nobody took one out.
Data flow: DIR/identity_rules.csv -> raw_identity_rules.identity_rules
"""

from __future__ import annotations

from ingestion.files.source import FolderSource
from ingestion.landing.fields import LOWER, Column, RowCheck, TableSpec
from ingestion.vocabulary import IDENTIFIER_TYPES

RULES = TableSpec(
    name="identity_rules",
    description="One row per hand-made identity rule.",
    columns=(
        Column(
            "rule",
            required=True,
            expected=True,
            allowed=("must_link", "cannot_link", "block"),
            transform=LOWER,
        ),
        Column("type_a", required=True, expected=True, allowed=IDENTIFIER_TYPES, transform=LOWER),
        Column("value_a", required=True, expected=True),
        Column("type_b", allowed=IDENTIFIER_TYPES, transform=LOWER, restricts=True),
        Column("value_b", restricts=True),
        Column("reason"),
    ),
    row_checks=(
        RowCheck(
            "missing_value",
            "value_b",
            "rule <> 'block' and (type_b is null or value_b is null)",
        ),
    ),
)

SOURCE = FolderSource(
    "identity_rules",
    "Hand-made identity rules.",
    (RULES,),
    location="identity_rules.csv",
    is_whole=True,
)
