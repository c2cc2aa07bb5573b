BEGIN TRANSACTION;
CREATE TABLE approvals (
	plan_hash TEXT NOT NULL, 
	segment TEXT NOT NULL, 
	destination TEXT NOT NULL, 
	approved_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	approved_at BIGINT NOT NULL, 
	PRIMARY KEY (plan_hash, segment, destination)
);
CREATE TABLE audience_states (
	destination TEXT NOT NULL, 
	segment TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	version BIGINT NOT NULL, 
	is_member BOOLEAN NOT NULL, 
	content_hash TEXT NOT NULL, 
	payload TEXT, 
	PRIMARY KEY (destination, segment, customer_id)
);
CREATE TABLE audits (
	digest TEXT NOT NULL, 
	build_id TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	passed BOOLEAN NOT NULL, 
	failing_checks TEXT NOT NULL, 
	record TEXT NOT NULL, 
	recorded_at BIGINT NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE consent_events (
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
INSERT INTO "consent_events" VALUES('c1','email','one@example.com','email','marketing','granted',1,'x',NULL,NULL,NULL,'x',1);
INSERT INTO "consent_events" VALUES('c2','email','one@example.com','email','marketing','revoked',2,'x',NULL,NULL,NULL,'x',1);
CREATE TABLE customer_aliases (
	alias_id TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	merged_at BIGINT NOT NULL, 
	PRIMARY KEY (alias_id)
);
CREATE TABLE deliveries (
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
CREATE TABLE fact_loads (
	source_table TEXT NOT NULL, 
	load_id TEXT NOT NULL, 
	facts_version INTEGER NOT NULL, 
	PRIMARY KEY (source_table, load_id, facts_version)
);
CREATE TABLE held_back (
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
CREATE TABLE identity_moves (
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
CREATE TABLE identity_registry (
	identifier_type TEXT NOT NULL, 
	identifier_value TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	registered_at BIGINT NOT NULL, 
	PRIMARY KEY (identifier_type, identifier_value)
);
INSERT INTO "identity_registry" VALUES('email','one@example.com','k1',1);
CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('schema_version','2');
CREATE TABLE outbox (
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
	in_doubt BOOLEAN DEFAULT 0 NOT NULL, 
	last_error TEXT, 
	created_at BIGINT NOT NULL, 
	updated_at BIGINT NOT NULL, 
	PRIMARY KEY (idempotency_key), 
	UNIQUE (destination, segment, customer_id, version), 
	FOREIGN KEY(sync_run_id) REFERENCES sync_runs (sync_run_id)
);
INSERT INTO "outbox" VALUES('x','x','x','x','x',1,'x','x','x','x',NULL,'x',1,0,0,NULL,1,1);
CREATE TABLE run_sources (
	run_id TEXT NOT NULL, 
	source TEXT NOT NULL, 
	table_name TEXT NOT NULL, 
	rows_received BIGINT DEFAULT '0' NOT NULL, 
	rows_loaded BIGINT DEFAULT '0' NOT NULL, 
	rows_quarantined BIGINT DEFAULT '0' NOT NULL, 
	rows_duplicate BIGINT DEFAULT '0' NOT NULL, 
	PRIMARY KEY (run_id, source, table_name), 
	FOREIGN KEY(run_id) REFERENCES runs (run_id)
);
INSERT INTO "run_sources" VALUES('r1','web','events',7,0,0,0);
CREATE TABLE runs (
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
INSERT INTO "runs" VALUES('r1',1,'x','succeeded',0,0,0,0,1,NULL);
CREATE TABLE segment_memberships (
	segment TEXT NOT NULL, 
	customer_id TEXT NOT NULL, 
	entered_at BIGINT NOT NULL, 
	exited_at BIGINT, 
	PRIMARY KEY (segment, customer_id, entered_at)
);
CREATE TABLE suppressions (
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
INSERT INTO "suppressions" VALUES('s1','email','two@example.com','email','*','unsubscribed',1,'x',1);
CREATE TABLE sync_runs (
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
INSERT INTO "sync_runs" VALUES('x','x','x','x','x','x','x','x',0,1,NULL);
CREATE INDEX ix_consent_events_identifier ON consent_events (identifier_value, identifier_type);
CREATE INDEX ix_suppressions_identifier ON suppressions (identifier_value, identifier_type);
CREATE INDEX ix_audits_build ON audits (build_id);
CREATE INDEX ix_sync_runs_pair ON sync_runs (destination, segment);
CREATE INDEX ix_outbox_state ON outbox (destination, segment, state);
CREATE INDEX ix_deliveries_customer ON deliveries (customer_id);
CREATE INDEX ix_held_back_customer ON held_back (customer_id);
COMMIT;
