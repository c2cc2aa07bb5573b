"""The tables of the operational store, as generic SQL that SQLite and PostgreSQL both take.

Belongs here: table shapes, and which revision they are. Does not belong here: queries; how a store
of an earlier version gets there (`migrations/`).

Times are integers: microseconds since 1970 in UTC. They sort, compare and leave for Parquet without
parsing, and no engine can attach a time zone to them.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

# The latest file in migrations/versions, and the table in which a store says which one it has.
REVISION = "0020"
VERSION_TABLE = "schema_revision"

# Marks: a column that holds a time; a table that leaves for dbt (`export.py`), and the published
# table that it mirrors after each run (`commit.py`).
IS_TIME = "is_time"
LEAVES = "leaves"
MIRRORS = "mirrors"

metadata = MetaData()


def _text(name: str, *, key: bool = False, required: bool = True) -> Column[str]:
    return Column(name, Text, primary_key=key, nullable=not (required or key))


def _time(name: str, *, key: bool = False, required: bool = True) -> Column[int]:
    nullable = not (required or key)
    return Column(name, BigInteger, primary_key=key, nullable=nullable, info={IS_TIME: True})


def _count(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


meta = Table("meta", metadata, _text("key", key=True), _text("value"))

# Permission ---------------------------------------------------------------------------------------
consent_events = Table(
    "consent_events",
    metadata,
    _text("consent_event_id", key=True),
    _text("identifier_type"),
    _text("identifier_value"),
    _text("channel"),
    _text("purpose"),
    _text("status"),
    _time("occurred_at"),
    _text("source"),
    _text("wording_version", required=False),
    _time("expires_at", required=False),
    _text("proof", required=False),
    _text("lawful_basis"),
    _text("level", required=False),
    _time("recorded_at"),
    Index("ix_consent_events_identifier", "identifier_value", "identifier_type"),
    info={LEAVES: True},
)

suppressions = Table(
    "suppressions",
    metadata,
    _text("suppression_id", key=True),
    _text("identifier_type"),
    _text("identifier_value"),
    _text("channel"),
    _text("purpose"),
    _text("reason"),
    _time("occurred_at"),
    _text("source"),
    _time("recorded_at"),
    Index("ix_suppressions_identifier", "identifier_value", "identifier_type"),
    info={LEAVES: True},
)

# That somebody was asked: neither a yes nor a no. What may be sent is decided from the two tables
# above alone.
consent_requests = Table(
    "consent_requests",
    metadata,
    _text("consent_request_id", key=True),
    _text("identifier_type"),
    _text("identifier_value"),
    _text("channel"),
    _text("purpose"),
    _time("occurred_at"),
    _text("source"),
    _text("wording_version", required=False),
    _time("recorded_at"),
    info={LEAVES: True},
)

# Which raw loads have already been read for consent facts; written with the facts, so a crash
# between the two cannot lose an opt-out.
fact_loads = Table(
    "fact_loads",
    metadata,
    _text("source_table", key=True),
    _text("load_id", key=True),
    Column("facts_version", Integer, primary_key=True),
)

# Where browsers take push notices, with the keys to encrypt for each. They are secret: the table
# leaves for nobody. `seen_at`: when the device was last seen; `gone_at`: when its push service said
# that the endpoint is no more.
push_subscriptions = Table(
    "push_subscriptions",
    metadata,
    _text("device", key=True),
    _text("endpoint"),
    _text("p256dh"),
    _text("auth"),
    _time("subscribed_at"),
    _time("seen_at"),
    _time("gone_at", required=False),
)

# Sources that a run began to read and whose refusals are not all recorded yet: nothing is sent
# while one is here. `is_read`: it is wholly in raw, so that recording its facts takes it out.
unread_sources = Table(
    "unread_sources",
    metadata,
    _text("source", key=True),
    _text("run_id"),
    Column("is_read", Boolean, nullable=False, server_default=false()),
)

# Identifiers of people who asked to be forgotten: a keyed hash of type and matching form, never the
# value. The gate refuses them whatever else is known, and what arrives about them is not kept.
tombstones = Table(
    "tombstones",
    metadata,
    _text("identifier_hash", key=True),
    _text("identifier_type"),
    _time("requested_at"),
    _text("reason"),
    _text("erasure_id"),
)

# One row per person who asked. `subject` is whose rows are to be erased, and goes once they are;
# `receipt` says what was done, without personal data.
erasures = Table(
    "erasures",
    metadata,
    _text("erasure_id", key=True),
    _time("requested_at"),
    _text("reason"),
    _text("subject", required=False),
    _text("receipt", required=False),
    _time("finished_at", required=False),
)

# What of the sources' words about permission nobody has told us, and what it counts as meanwhile: a
# person looks at it. Words are short and never an address.
unknown_words = Table(
    "unknown_words",
    metadata,
    _text("said_in", key=True),
    _text("word", key=True),
    _text("counts_as"),
    _count("row_count"),
    _time("noted_at"),
)

# Identity and membership --------------------------------------------------------------------------
identity_registry = Table(
    "identity_registry",
    metadata,
    _text("identifier_type", key=True),
    _text("identifier_value", key=True),
    _text("customer_id"),
    _time("registered_at"),
    info={LEAVES: True, MIRRORS: "ops.identity_registry"},
)

identity_moves = Table(
    "identity_moves",
    metadata,
    _text("identifier_type", key=True),
    _text("identifier_value", key=True),
    _time("moved_at", key=True),
    _text("from_customer_id", required=False),
    _text("to_customer_id", required=False),
    _text("move_type"),
    _text("reason"),
    _text("rule", required=False),
    _text("source_system", required=False),
    _text("source_record_id", required=False),
    _text("evidence_grade", required=False),
    _time("effective_at"),
    _time("registered_at"),
    info={LEAVES: True, MIRRORS: "ops.identity_moves"},
)

identity_metrics = Table(
    "identity_metrics",
    metadata,
    _text("run_id", key=True),
    _text("metric", key=True),
    _text("kind", key=True),
    _time("as_of"),
    _count("value"),
    info={LEAVES: True, MIRRORS: "ops.identity_metrics"},
)

customer_aliases = Table(
    "customer_aliases",
    metadata,
    _text("alias_id", key=True),
    _text("customer_id"),
    _time("merged_at"),
    info={LEAVES: True, MIRRORS: "marts.customer_aliases"},
)

segment_memberships = Table(
    "segment_memberships",
    metadata,
    _text("segment", key=True),
    _text("customer_id", key=True),
    _time("entered_at", key=True),
    _time("exited_at", required=False),
    _time("left_at", required=False),
    _text("programme", required=False),
    _text("entry_reason", required=False),
    _text("exit_reason", required=False),
    _text("goal", required=False),
    info={LEAVES: True, MIRRORS: "marts.fct_segment_memberships"},
)

# Runs ---------------------------------------------------------------------------------------------
runs = Table(
    "runs",
    metadata,
    _text("run_id", key=True),
    _time("as_of"),
    _text("code_version"),
    _text("status"),
    _count("rows_received"),
    _count("rows_loaded"),
    _count("rows_quarantined"),
    _count("rows_duplicate"),
    _time("started_at"),
    _time("finished_at", required=False),
    info={LEAVES: True},
)

run_sources = Table(
    "run_sources",
    metadata,
    Column("run_id", Text, ForeignKey("runs.run_id"), primary_key=True),
    _text("source", key=True),
    _text("table_name", key=True),
    _count("rows_received"),
    _count("rows_loaded"),
    _count("rows_quarantined"),
    _count("rows_duplicate"),
    _count("values_emptied"),
    info={LEAVES: True},
)

audits = Table(
    "audits",
    metadata,
    _text("digest", key=True),
    _text("build_id"),
    _text("run_id"),
    Column("passed", Boolean, nullable=False),
    _text("failing_checks"),
    _text("record"),
    _time("recorded_at"),
    Index("ix_audits_build", "build_id"),
)

# Activation ---------------------------------------------------------------------------------------
approvals = Table(
    "approvals",
    metadata,
    _text("plan_hash", key=True),
    _text("segment", key=True),
    _text("destination", key=True),
    _text("approved_by"),
    _text("reason"),
    _time("approved_at"),
)

sync_runs = Table(
    "sync_runs",
    metadata,
    _text("sync_run_id", key=True),
    _text("segment"),
    _text("destination"),
    _text("channel"),
    _text("purpose"),
    _text("run_id"),
    _text("plan_hash"),
    _text("status"),
    _count("queued"),
    _time("started_at"),
    _time("finished_at", required=False),
    Index("ix_sync_runs_pair", "destination", "segment"),
)

# Of a row that is not at its end: it may still be sent, or a person has to decide about it.
OPEN_STATES = ("pending", "sending", "accepted", "unknown", "dead")
# Of a row whose ticket, if it has one, is still to be asked about.
ASKED_STATES = ("accepted", "superseded")

# One intent for one person. The payload holds what the destination needs, the address included, and
# is emptied as soon as the row has arrived.
outbox = Table(
    "outbox",
    metadata,
    _text("idempotency_key", key=True),
    Column("sync_run_id", Text, ForeignKey("sync_runs.sync_run_id"), nullable=False),
    _text("destination"),
    _text("segment"),
    _text("customer_id"),
    Column("version", BigInteger, nullable=False),
    _text("operation"),
    _text("channel"),
    _text("purpose"),
    _text("content_hash"),
    _text("payload", required=False),
    _text("state"),
    Column("batch", BigInteger, nullable=False),
    _count("attempts"),
    # An earlier intent for this person, or a try of this one, is without an answer, so what the
    # destination has may differ from what the ledger says until this one arrives.
    Column("in_doubt", Boolean, nullable=False, server_default=false()),
    _text("last_error", required=False),
    # The destination's name for the job in which it applies the row later, until it has said what
    # came of it; and on which permission the row was handed over.
    _text("ticket", required=False),
    _time("accepted_at", required=False),
    _text("consent_receipt_id", required=False),
    _time("created_at"),
    _time("updated_at"),
    UniqueConstraint("destination", "segment", "customer_id", "version"),
    Index("ix_outbox_state", "destination", "segment", "state"),
    Index(
        "ix_outbox_ticket",
        "destination",
        "segment",
        sqlite_where=text("ticket is not null"),
        postgresql_where=text("ticket is not null"),
    ),
)

# What a person said of a row whose fate nobody could know, once per try of the row.
resolutions = Table(
    "resolutions",
    metadata,
    Column("idempotency_key", Text, ForeignKey("outbox.idempotency_key"), primary_key=True),
    Column("attempt", BigInteger, primary_key=True),
    _text("answer"),
    _text("decided_by"),
    _time("decided_at"),
)

# Who ran what that changes something or hands personal data out, and who was refused it. `about`
# names a segment or a destination, never a person.
commands = Table(
    "commands",
    metadata,
    _text("command_id", key=True),
    _text("command"),
    _text("about", required=False),
    _text("run_by"),
    _text("role"),
    _text("interface"),
    _text("outcome"),
    _time("run_at"),
)

# When each pair was synced first, and the moment of what was published then; NULL of a pair that
# was synced before this was recorded: nobody counts as a member of before.
first_activations = Table(
    "first_activations",
    metadata,
    _text("destination", key=True),
    _text("segment", key=True),
    _time("as_of", required=False),
    _time("activated_at"),
)

# What each destination has: the base of every difference. Kept after a removal so that versions
# never start again.
audience_states = Table(
    "audience_states",
    metadata,
    _text("destination", key=True),
    _text("segment", key=True),
    _text("customer_id", key=True),
    Column("version", BigInteger, nullable=False),
    Column("is_member", Boolean, nullable=False),
    _text("content_hash"),
    _text("payload", required=False),
    # Two intents may have been applied in either order: one more row is sent, whatever it says.
    Column("in_doubt", Boolean, nullable=False, server_default=false()),
)

# When a destination was called within the longest of its rates, and until when it asked to be left
# alone: moments of the machine's clock, for all processes of the home.
destination_calls = Table(
    "destination_calls",
    metadata,
    _text("destination", key=True),
    _time("called_at", key=True),
)

destination_pauses = Table(
    "destination_pauses",
    metadata,
    _text("destination", key=True),
    _time("paused_until"),
    _time("asked_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    _text("delivery_id", key=True),
    Column("sync_run_id", Text, ForeignKey("sync_runs.sync_run_id"), nullable=False),
    _text("segment"),
    _text("destination"),
    _text("customer_id"),
    Column("version", BigInteger, nullable=False),
    _text("operation"),
    _text("channel"),
    _text("purpose"),
    _text("consent_receipt_id", required=False),
    _text("content_hash"),
    _time("delivered_at"),
    _text("outcome"),
    Index("ix_deliveries_customer", "customer_id"),
    info={LEAVES: True},
)

# What destinations said they have, beside what the ledger knew at that moment; counts only. Some
# say how many, and not who; some also which share of those sent they matched with people they know.
audience_sizes = Table(
    "audience_sizes",
    metadata,
    _text("destination", key=True),
    _text("segment", key=True),
    _time("asked_at", key=True),
    Column("held_count", BigInteger),
    _count("ledger_count"),
    Column("missing_count", BigInteger),
    Column("surplus_count", BigInteger),
    Column("matched_percent", BigInteger),
    info={LEAVES: True},
)

# Whether a destination knows of a refusal that was said elsewhere: one that is not "done" is tried
# again by each sync. Who refused is in the fact itself, a suppression or a consent event.
withdrawals_written = Table(
    "withdrawals_written",
    metadata,
    _text("destination", key=True),
    _text("channel", key=True),
    _text("refusal_id", key=True),
    _text("reason"),
    _time("refused_at"),
    _text("state"),
    _text("answer"),
    _count("attempts"),
    _time("first_tried_at"),
    _time("last_tried_at"),
    _time("done_at", required=False),
    info={LEAVES: True},
)

# Who is contacted by what on a day, and who by nobody, as it was decided; each day decides anew.
contact_decisions = Table(
    "contact_decisions",
    metadata,
    _text("customer_id", key=True),
    _time("decided_for", key=True),
    _text("class", key=True),
    _text("segment"),
    _text("channel"),
    _text("address_kind", required=False),
    _text("message_kind"),
    _time("send_at", required=False),
    _time("not_after", required=False),
    _time("held_until", required=False),
    _text("outcome"),
    _text("reason", required=False),
    Column("is_plain", Boolean, nullable=False),
    Column("is_standing", Boolean, nullable=False),
    _text("rivals"),
    Index("ix_contact_decisions_day", "decided_for"),
    info={MIRRORS: "activity.fct_contact_decisions"},
)

holdouts = Table(
    "holdouts",
    metadata,
    _text("customer_id", key=True),
    _text("holdout", key=True),
    Column("is_held_out", Boolean, nullable=False),
    _time("assigned_at"),
    info={MIRRORS: "activity.fct_holdouts", LEAVES: True},
)

held_back = Table(
    "held_back",
    metadata,
    Column("sync_run_id", Text, ForeignKey("sync_runs.sync_run_id"), primary_key=True),
    _text("segment", key=True),
    _text("destination", key=True),
    _text("customer_id", key=True),
    _text("channel"),
    _text("purpose"),
    _text("reason"),
    _time("held_back_at"),
    Index("ix_held_back_customer", "customer_id"),
    info={LEAVES: True},
)
