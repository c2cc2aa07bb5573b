"""Who asked to be forgotten, how far erasing them has come, and the salt of their hashes."""

from __future__ import annotations

import secrets

from alembic import op
from sqlalchemy import BigInteger, Column, Text, column, table

revision = "0009"
down_revision = "0008"

SALT_BYTES = 32


def upgrade() -> None:
    """Add both tables; the salt is made here, so that every later backup has it."""
    op.create_table(
        "tombstones",
        Column("identifier_hash", Text, primary_key=True),
        Column("identifier_type", Text, nullable=False),
        Column("requested_at", BigInteger, nullable=False),
        Column("reason", Text, nullable=False),
        Column("erasure_id", Text, nullable=False),
    )
    op.create_table(
        "erasures",
        Column("erasure_id", Text, primary_key=True),
        Column("requested_at", BigInteger, nullable=False),
        Column("reason", Text, nullable=False),
        Column("subject", Text, nullable=True),
        Column("receipt", Text, nullable=True),
        Column("finished_at", BigInteger, nullable=True),
    )
    meta = table("meta", column("key", Text), column("value", Text))
    salt = {"key": "tombstone_salt", "value": secrets.token_hex(SALT_BYTES)}
    op.bulk_insert(meta, [salt])
