-- The tables of version 5, in words that SQLite and PostgreSQL both take.
CREATE TABLE IF NOT EXISTS approvals (
    plan_hash TEXT NOT NULL,
    segment TEXT NOT NULL,
    destination TEXT NOT NULL,
    approved_by TEXT NOT NULL,
    reason TEXT NOT NULL,
    approved_at BIGINT NOT NULL,
    PRIMARY KEY (plan_hash, segment, destination)
);

CREATE TABLE IF NOT EXISTS audience_states (
    destination TEXT NOT NULL,
    segment TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    is_member BOOLEAN NOT NULL,
    content_hash TEXT NOT NULL,
    payload TEXT,
    PRIMARY KEY (destination, segment, customer_id)
);

CREATE TABLE IF NOT EXISTS audits (
    digest TEXT NOT NULL,
    build_id TEXT NOT NULL,
    run_id TEXT NOT NULL,
    passed BOOLEAN NOT NULL,
    failing_checks TEXT NOT NULL,
    record TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (digest)
);

CREATE INDEX IF NOT EXISTS ix_audits_build ON audits (build_id);

CREATE TABLE IF NOT EXISTS consent_events (
    consent_event_id TEXT NOT NULL,
    identifier_type TEXT NOT NULL,
    identifier_value TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    status TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    wording_version TEXT,
    expires_at BIGINT,
    proof TEXT,
    lawful_basis TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (consent_event_id)
);

CREATE INDEX IF NOT EXISTS ix_consent_events_identifier ON consent_events (identifier_value, identifier_type);

CREATE TABLE IF NOT EXISTS customer_aliases (
    alias_id TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    merged_at BIGINT NOT NULL,
    PRIMARY KEY (alias_id)
);

CREATE TABLE IF NOT EXISTS fact_loads (
    source_table TEXT NOT NULL,
    load_id TEXT NOT NULL,
    facts_version INTEGER NOT NULL,
    PRIMARY KEY (source_table, load_id, facts_version)
);

CREATE TABLE IF NOT EXISTS identity_metrics (
    run_id TEXT NOT NULL,
    metric TEXT NOT NULL,
    kind TEXT NOT NULL,
    as_of BIGINT NOT NULL,
    value BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (run_id, metric, kind)
);

CREATE TABLE IF NOT EXISTS identity_moves (
    identifier_type TEXT NOT NULL,
    identifier_value TEXT NOT NULL,
    moved_at BIGINT NOT NULL,
    from_customer_id TEXT,
    to_customer_id TEXT,
    move_type TEXT NOT NULL,
    reason TEXT NOT NULL,
    rule TEXT,
    source_system TEXT,
    source_record_id TEXT,
    evidence_grade TEXT,
    effective_at BIGINT NOT NULL,
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (identifier_type, identifier_value, moved_at)
);

CREATE TABLE IF NOT EXISTS identity_registry (
    identifier_type TEXT NOT NULL,
    identifier_value TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    registered_at BIGINT NOT NULL,
    PRIMARY KEY (identifier_type, identifier_value)
);

CREATE TABLE IF NOT EXISTS meta (
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (key)
);

CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT NOT NULL,
    as_of BIGINT NOT NULL,
    code_version TEXT NOT NULL,
    status TEXT NOT NULL,
    rows_received BIGINT DEFAULT '0' NOT NULL,
    rows_loaded BIGINT DEFAULT '0' NOT NULL,
    rows_quarantined BIGINT DEFAULT '0' NOT NULL,
    rows_duplicate BIGINT DEFAULT '0' NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (run_id)
);

CREATE TABLE IF NOT EXISTS segment_memberships (
    segment TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    exited_at BIGINT,
    PRIMARY KEY (segment, customer_id, entered_at)
);

CREATE TABLE IF NOT EXISTS suppressions (
    suppression_id TEXT NOT NULL,
    identifier_type TEXT NOT NULL,
    identifier_value TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    occurred_at BIGINT NOT NULL,
    source TEXT NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (suppression_id)
);

CREATE INDEX IF NOT EXISTS ix_suppressions_identifier ON suppressions (identifier_value, identifier_type);

CREATE TABLE IF NOT EXISTS sync_runs (
    sync_run_id TEXT NOT NULL,
    segment TEXT NOT NULL,
    destination TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    run_id TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    queued BIGINT DEFAULT '0' NOT NULL,
    started_at BIGINT NOT NULL,
    finished_at BIGINT,
    PRIMARY KEY (sync_run_id)
);

CREATE INDEX IF NOT EXISTS ix_sync_runs_pair ON sync_runs (destination, segment);

CREATE TABLE IF NOT EXISTS unknown_words (
    said_in TEXT NOT NULL,
    word TEXT NOT NULL,
    counts_as TEXT NOT NULL,
    row_count BIGINT DEFAULT '0' NOT NULL,
    noted_at BIGINT NOT NULL,
    PRIMARY KEY (said_in, word)
);

CREATE TABLE IF NOT EXISTS unread_sources (
    source TEXT NOT NULL,
    run_id TEXT NOT NULL,
    is_read BOOLEAN DEFAULT false NOT NULL,
    PRIMARY KEY (source)
);

CREATE TABLE IF NOT EXISTS deliveries (
    delivery_id TEXT NOT NULL,
    sync_run_id TEXT NOT NULL,
    segment TEXT NOT NULL,
    destination TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    operation TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    consent_receipt_id TEXT,
    content_hash TEXT NOT NULL,
    delivered_at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    PRIMARY KEY (delivery_id),
    FOREIGN KEY(sync_run_id) REFERENCES sync_runs (sync_run_id)
);

CREATE INDEX IF NOT EXISTS ix_deliveries_customer ON deliveries (customer_id);

CREATE TABLE IF NOT EXISTS held_back (
    sync_run_id TEXT NOT NULL,
    segment TEXT NOT NULL,
    destination TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    reason TEXT NOT NULL,
    held_back_at BIGINT NOT NULL,
    PRIMARY KEY (sync_run_id, segment, destination, customer_id),
    FOREIGN KEY(sync_run_id) REFERENCES sync_runs (sync_run_id)
);

CREATE INDEX IF NOT EXISTS ix_held_back_customer ON held_back (customer_id);

CREATE TABLE IF NOT EXISTS outbox (
    idempotency_key TEXT NOT NULL,
    sync_run_id TEXT NOT NULL,
    destination TEXT NOT NULL,
    segment TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    operation TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    payload TEXT,
    state TEXT NOT NULL,
    batch BIGINT NOT NULL,
    attempts BIGINT DEFAULT '0' NOT NULL,
    in_doubt BOOLEAN DEFAULT false NOT NULL,
    last_error TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (idempotency_key),
    UNIQUE (destination, segment, customer_id, version),
    FOREIGN KEY(sync_run_id) REFERENCES sync_runs (sync_run_id)
);

CREATE INDEX IF NOT EXISTS ix_outbox_state ON outbox (destination, segment, state);

CREATE TABLE IF NOT EXISTS run_sources (
    run_id TEXT NOT NULL,
    source TEXT NOT NULL,
    table_name TEXT NOT NULL,
    rows_received BIGINT DEFAULT '0' NOT NULL,
    rows_loaded BIGINT DEFAULT '0' NOT NULL,
    rows_quarantined BIGINT DEFAULT '0' NOT NULL,
    rows_duplicate BIGINT DEFAULT '0' NOT NULL,
    values_emptied BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (run_id, source, table_name),
    FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
