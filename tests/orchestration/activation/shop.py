"""A tiny shop for activation tests: a published file made by DDL, a store, and a receiver."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ingestion.config import Destination as DestinationSettings
from ingestion.config import Settings
from orchestration.activation import delivery
from orchestration.activation.ledger import broken_laws
from orchestration.activation.moments import stopped
from orchestration.activation.people import Target
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Destination,
    Idempotency,
    Limits,
    Outcome,
    Payload,
    RetryLaterError,
    Row,
)
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import Store, open_store
from tests.orchestration.suppressions import Suppression, record_suppressions

NOW = datetime(2026, 6, 1, 12)
TARGET = Target("vip", "receiver", "email", "marketing")
Identifiers = Sequence[tuple[str, str]]
# What the decision reads and this shop has nothing of
EMPTY = {
    "marts.fct_segment_memberships": "segment varchar, customer_id varchar, entered_at timestamp,"
    " exited_at timestamp",
    "marts.fct_orders": "customer_id varchar, order_id varchar, order_source varchar,"
    " is_kept boolean, ordered_at timestamp",
    "marts.fct_order_lines": "order_id varchar, order_source varchar, product_id varchar,"
    " sku varchar",
    "marts.dim_products": "product_id varchar, substitute_group varchar, in_stock boolean",
    "marts.customer_engagement": "customer_id varchar, last_complaint_at timestamp,"
    " last_support_at timestamp",
    "marts.customer_personalisation": "customer_id varchar, level varchar",
    "marts.fct_identity_changes": "change_type varchar, customer_id varchar,"
    " previous_customer_id varchar, recorded_at timestamp",
    "activity.fct_holdouts": "customer_id varchar, holdout varchar, is_held_out boolean",
}

# What the site is told of a person beside their segments
SITE = {
    "marts.fct_customer_journey_stages": "customer_id varchar, stage varchar, is_current boolean",
    "marts.fct_web_sessions": "session_id varchar, customer_id varchar, device_id varchar,"
    " device_type varchar, started_at timestamp",
    "marts.recent_interactions": "session_id varchar, customer_id varchar, event_name varchar,"
    " product_id varchar, occurred_at timestamp",
    "marts.product_affinities": "kind varchar, product_id varchar, other_product_id varchar,"
    " support bigint, lift double",
    "marts.fct_recommendations": "customer_id varchar, kind varchar, rank bigint,"
    " product_id varchar",
}
SEGMENT = {
    "label": "VIP",
    "description": "The best",
    "channel": "email",
    "purpose": "marketing",
    "destinations": '["receiver"]',
    "priority": 1,
    "message_kind": "offer",
    "level": "segment",
    "plain_context": "{}",
    "delay_minutes": 0,
    "not_after_minutes": None,
    "cooldown_days": 0,
    "exit_on": "[]",
    "holdout_share": 0.0,
    "first_activation": "baseline",
    "is_exclusion": False,
}
LIMITS = {
    "contacts_per_day": 99,
    "contacts_per_week": 999,
    "just_bought_days": 14,
    "quiet_time_days": 14,
    "support_quiet_days": 7,
    "holdout_share": 0.0,
    "holdout_salt": "salt",
    "shop_timezone": "Europe/London",
    "default_country": "GB",
}


@dataclass
class Shop:
    """People, a segment, and their publication."""

    home: Home
    store: Store
    people: dict[str, Identifiers] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    visitors: set[str] = field(default_factory=set)  # people who are anonymous
    channel: str = "email"
    purpose: str = "marketing"
    level: str = "segment"
    limits: dict[str, Any] = field(default_factory=dict)
    lives: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # else in GB
    further: dict[str, dict[str, Any]] = field(default_factory=dict)
    rows: dict[str, list[list[Any]]] = field(default_factory=dict)
    runs: int = 0

    def add(self, customer_id: str, *addresses: str, member: bool = True) -> None:
        """A person with these emails (or `type:value` identifiers)."""
        self.people[customer_id] = [
            (each.split(":", 1)[0], each.split(":", 1)[1]) if ":" in each else ("email", each)
            for each in addresses
        ]
        if member:
            self.members[customer_id] = "because"

    def grant(
        self, value: str, *, kind: str = "email", at: datetime | None = None, **more: Any
    ) -> str:
        """An evidenced opt-in."""
        facts = {
            "channel": self.channel,
            "purpose": self.purpose,
            "wording_version": "v1",
            **more,
        }
        when = at or NOW - timedelta(days=10)
        event = ConsentEvent(
            kind, value, status="granted", occurred_at=when, source="form", **facts
        )
        record_consents(self.store, [event], recorded_at=NOW)
        return event.consent_event_id

    def add_permitted(self, customer_id: str, value: str, kind: str = "email") -> None:
        """A member with one address, who permitted it."""
        self.add(customer_id, f"{kind}:{value}")
        self.grant(value, kind=kind)

    def revoke(
        self, value: str, *, kind: str = "email", at: datetime | None = None, **more: Any
    ) -> None:
        """An opt-out by consent event."""
        facts = {"channel": self.channel, "purpose": self.purpose, "status": "revoked", **more}
        event = ConsentEvent(kind, value, occurred_at=at or NOW, source="form", **facts)
        record_consents(self.store, [event], recorded_at=NOW)

    def suppress(
        self,
        value: str,
        reason: str,
        *,
        kind: str = "email",
        at: datetime | None = None,
        channel: str | None = None,
        purpose: str = "*",
    ) -> None:
        """An opt-out by suppression."""
        fact = Suppression(kind, value, channel or self.channel, purpose, reason, at or NOW, "test")
        record_suppressions(self.store, [fact], recorded_at=NOW)

    def publish(self) -> None:
        """Swap in a published file that says what the shop is now."""
        self.runs += 1
        beside = self.home.root / "next.duckdb"
        beside.unlink(missing_ok=True)
        with duckdb.connect(str(beside)) as connection:
            connection.begin()  # one commit, not one for each of fifty statements
            for schema in ("marts", "ops", "segments", "activity"):
                connection.execute(f"create schema {schema}")
            connection.execute(
                "create table ops.build as select 'b' as build_id, ? as run_id,"
                " ?::timestamp as as_of",
                [f"run{self.runs}", NOW],
            )
            own = {"channel": self.channel, "purpose": self.purpose, "level": self.level}
            segments = [{**SEGMENT, **own, "segment": "vip"}]
            segments += [{**SEGMENT, "segment": one, **more} for one, more in self.further.items()]
            known = [one for one in self.people if one not in self.visitors]
            levels = {"marts.customer_personalisation": [[one, "segment"] for one in known]}
            lay_decision(connection, segments, self.limits, levels | self.rows)
            for one in self.further:
                _table(
                    connection,
                    f"segments.seg_{one}",
                    "customer_id varchar, reason varchar, context varchar",
                    self.rows.get(f"segments.seg_{one}", []),
                )
            _table(
                connection,
                "marts.dim_customers",
                "customer_id varchar, first_name varchar, last_name varchar, country_code varchar,"
                " region varchar, is_known boolean",
                [
                    [one, f"First {one}", "Last", *self.lives.get(one, ("GB", None)), one in known]
                    for one in self.people
                ],
            )
            for table, shape in SITE.items():
                _table(connection, table, shape, self.rows.get(table, []))
            _table(
                connection,
                "marts.bridge_customer_identifiers",
                "customer_id varchar, identifier_type varchar, identifier_value varchar,"
                " evidence_grade varchar, is_primary boolean, is_dormant boolean,"
                " last_seen_at timestamp",
                [
                    [one, kind, value, "newsletter", index == 0, False, NOW]
                    for one, identifiers in self.people.items()
                    for index, (kind, value) in enumerate(identifiers)
                ],
            )
            _table(
                connection,
                "marts.customer_aliases",
                "alias_id varchar, customer_id varchar, merged_at timestamp",
                [[old, new, NOW] for old, new in self.aliases.items()],
            )
            _table(
                connection,
                "segments.seg_vip",
                "customer_id varchar, reason varchar, context varchar",
                [[one, reason, "{}"] for one, reason in self.members.items()],
            )
            connection.commit()
        beside.replace(self.home.published)


@contextmanager
def open_shop(folder: Path, **facts: Any) -> Iterator[Shop]:
    """A shop in a home of its own, with an open store."""
    home = Home(folder / "home").create()
    with open_store(home) as store:
        yield Shop(home, store, **facts)


def sync_at(shop: Shop, target: Target, destination: Destination, at: datetime = NOW) -> SyncReport:
    """Sync with a clock that stands still, without waiting; the ledger's laws hold afterwards."""
    report = sync(
        *(shop.store, shop.home, target, destination),
        at=at,
        clock=stopped(at),
        wait=lambda _: None,
    )
    assert broken_laws(shop.store) == []
    return report


def lay_decision(
    connection: duckdb.DuckDBPyConnection,
    segments: Iterable[dict[str, Any]],
    limits: dict[str, Any] | None = None,
    rows: dict[str, list[list[Any]]] | None = None,
    but: tuple[str, ...] = (),
) -> None:
    """Make the tables that the decision reads, `but` those that are there; mostly empty."""
    columns = {**SEGMENT, "segment": "", "channels": ""}
    _table(
        connection,
        "marts.dim_segments",
        ", ".join(f"{column} {_kind(value)}" for column, value in columns.items()),
        [
            list({**columns, "channels": f'["{each["channel"]}"]', **each}.values())
            for each in segments
        ],
    )
    all_limits = {**LIMITS, **(limits or {})}
    _table(
        connection,
        "marts.dim_contact_rules",
        ", ".join(f"{column} {_kind(value)}" for column, value in all_limits.items()),
        [list(all_limits.values())],
    )
    for table, shape in EMPTY.items():
        if table not in but:
            _table(connection, table, shape, (rows or {}).get(table, []))


def _kind(value: Any) -> str:
    return (
        "varchar" if isinstance(value, str) else "double" if isinstance(value, float) else "bigint"
    )


def _table(
    connection: duckdb.DuckDBPyConnection, name: str, columns: str, rows: Iterable[list[Any]]
) -> None:
    connection.execute(f"create table {name} ({columns})")
    full = [{f"c{index}": value for index, value in enumerate(row)} for row in rows]
    if full:
        connection.register("new_rows", pa.Table.from_pylist(full))
        connection.execute(f"insert into {name} select * from new_rows")
        connection.unregister("new_rows")


@dataclass
class Receiver:
    """A destination in memory that remembers everything and can misbehave on request."""

    name: str = "receiver"
    channels: frozenset[str] = frozenset({"email", "sms", "push", "ads", "onsite"})
    idempotency: Idempotency = Idempotency.KEY
    acknowledgement: Acknowledgement = Acknowledgement.APPLIED
    limits: Limits = field(default_factory=lambda: Limits(2))
    members: dict[str, Payload] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    log: list[Row] = field(default_factory=list)
    duplicates: int = 0
    calls: int = 0
    finished: int = 0
    keeps_newest: bool = True
    answers: list[Any] = field(default_factory=list)
    audience: list[Payload] = field(default_factory=list)

    def deliver(self, batch: Batch) -> list[Outcome]:
        """Take a batch; `answers` holds what to do instead, one entry per call."""
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        outcomes = []
        for row in batch.rows:
            if isinstance(answer, str):
                outcomes.append(Outcome(row.key, answer, "told_so"))  # type: ignore[arg-type]
                continue
            self.take(row)
            if answer is not False:
                outcomes.append(Outcome(row.key, "delivered"))
        return outcomes

    def take(self, row: Row) -> None:
        """Apply a row, unless the same key or, where it looks at that, a newer version was here."""
        if row.key in self.keys:
            self.duplicates += 1
            return
        self.keys.add(row.key)
        self.log.append(row)
        if self.keeps_newest and row.version < self.versions.get(row.customer_id, 0):
            return
        self.versions[row.customer_id] = row.version
        if row.operation == "removed":
            self.members.pop(row.customer_id, None)
        else:
            self.members[row.customer_id] = row.payload

    def finish(self, audience: Audience) -> None:
        """Remember the closing word."""
        self.finished += 1
        self.audience = list(audience.members)

    def preview(self, segment: str) -> str:
        """Nothing to see."""
        return f"memory/{segment}"


def deliver_to(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries of every home go to this receiver, the one destination of the settings."""
    settings = Settings(destinations={"receiver": DestinationSettings()})
    monkeypatch.setattr(delivery, "load_settings", lambda: settings)
    monkeypatch.setattr(delivery, "check_settings", lambda _: None)
    monkeypatch.setattr(delivery, "check_destinations", lambda *_: None)
    monkeypatch.setattr(delivery, "open_destination", lambda *_: receiver)


def busy(seconds: float | None = None) -> RetryLaterError:
    """The answer of a destination that has too much to do."""
    return RetryLaterError("http_429", seconds)
