"""Consent events: who allowed or refused what, on which channel, for which purpose, since when.

Format: CSV, JSON Lines or Parquet, CSV and Parquet also in the shop's own columns, which
`consents/mapping.yml` explains. Key: the whole row; it is a log.
Lateness: rows of any age are taken; their own time decides.
Bad day: a row without person, channel, purpose, status or time goes to quarantine and grants
nothing, and so does one with an unknown level; a refusal counts from there too. Words are kept as
written: what they mean, in whichever language, is for those who read the facts, and whatever is not
plainly a yes is a no.
Data flow: DIR/consents/ -> raw_consents.consents
"""

from __future__ import annotations

from ingestion.files.list_mapping import mapped_list
from ingestion.landing.fields import IDENTIFIER_COLUMNS, LOWER, Column, TableSpec
from ingestion.vocabulary import LEVELS

CONSENTS = TableSpec(
    name="consents",
    envelopes=("consents", "data"),
    description="One row per consent event.",
    may_refuse=True,
    columns=(
        *IDENTIFIER_COLUMNS,
        Column(
            "channel",
            required=True,
            expected=True,
            transform=LOWER,
        ),
        Column(
            "purpose",
            required=True,
            expected=True,
            transform=LOWER,
        ),
        Column(
            "status",
            required=True,
            expected=True,
            transform=LOWER,
        ),
        # How far personalisation may go; without it a person who wants none would get some.
        Column("level", allowed=LEVELS, transform=LOWER, restricts=True),
        Column("occurred_at", "timestamp", required=True, expected=True),
        Column("source"),
        Column("wording_version"),
        # Without them a permission would last for ever, or rest on a consent that nobody gave.
        Column("expires_at", "timestamp", restricts=True),
        Column("proof"),
        Column("lawful_basis", transform=LOWER, restricts=True),
    ),
)

SOURCE = mapped_list("consents", "The log of consent.", CONSENTS, ends=("expires_at",))
