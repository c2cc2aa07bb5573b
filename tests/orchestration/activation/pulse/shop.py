"""A shop in yen with a published file of a few readers, an input folder and a store, for pulses.

Belongs here: laying it down. Does not belong here: what a pulse makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion.config import Destination, Settings
from ingestion.config import Shop as ShopSettings
from orchestration.activation.delivery import DeliveryContext
from orchestration.activation.moments import stopped
from orchestration.activation.people import targets
from orchestration.activation.plan import Plan
from orchestration.activation.pulse.pulse import Pulse, pulse
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.runs import Run, start_run
from orchestration.ops.store import Store, to_micros, upsert
from tests.orchestration.activation.shop import LIMITS, SEGMENT, lay_decision
from tests.orchestration.segments.published import Published

PUBLISHED_AT = datetime(2026, 6, 10, 3)  # noon in Tokyo
NOW = PUBLISHED_AT + timedelta(hours=3)
STARTED = datetime(2026, 6, 10, 3)  # of the run, by the machine's clock
READ_AT = datetime(2030, 1, 1)  # of a pulse, by the same clock: after the files were written
ONSITE = "abandoned_browse"
TRIGGERS = ("abandoned_cart", "search_without_result", "vip", ONSITE)
FULL = {
    "fct_web_sessions": "session_id varchar, customer_id varchar, device_id varchar,"
    " login_id varchar, customer_visit_number bigint, is_human boolean, is_bot boolean,"
    " is_internal boolean, marketing_channel varchar, utm_source varchar, utm_medium varchar,"
    " utm_campaign varchar, referrer varchar, landing_page_url varchar, device_type varchar,"
    " event_count bigint, page_view_count bigint, product_view_count bigint,"
    " order_completed_count bigint, product_view_1_at timestamp, product_view_2_at timestamp,"
    " product_view_3_at timestamp, last_product_view_at timestamp, first_wishlist_at timestamp,"
    " first_cart_at timestamp, last_cart_at timestamp, first_checkout_at timestamp,"
    " started_at timestamp, ended_at timestamp",
    "fct_interactions": "customer_id varchar, occurred_at timestamp, channel varchar,"
    " touchpoint varchar, kind varchar, direction varchar, place varchar, city varchar,"
    " store_id varchar, product_id varchar, campaign_id varchar, flow_id varchar,"
    " message_kind varchar, order_id varchar, value decimal(18, 4), currency varchar,"
    " detail varchar, source_system varchar, interaction_id bigint",
    "recent_interactions": "event_id varchar, customer_id varchar, session_id varchar,"
    " event_name varchar, is_cart_event boolean, is_after_last_order boolean, product_id varchar,"
    " sku varchar, product_key varchar, product_name varchar, category varchar, cart_id varchar,"
    " page_url varchar, price decimal(18, 4), quantity decimal(18, 4), last_order_at timestamp,"
    " occurred_at timestamp",
    "fct_segment_memberships": "segment varchar, customer_id varchar, programme varchar,"
    " is_current boolean, entered_at timestamp, exited_at timestamp, left_at timestamp,"
    " entry_reason varchar, exit_reason varchar, goal varchar",
    "bridge_customer_identifiers": "customer_id varchar, identifier_type varchar,"
    " identifier_value varchar, evidence_grade varchar, is_primary boolean, is_dormant boolean,"
    " is_shared boolean, last_seen_at timestamp",
    "customer_aliases": "alias_id varchar, customer_id varchar, merged_at timestamp",
}
FURTHER = {
    "fct_orders": "status varchar, gross_sales decimal(18, 4), gift_cards_sold decimal(18, 4)",
    "dim_products": "order_count bigint, substitute_group varchar",
    "customer_engagement": "last_complaint_at timestamp, last_support_at timestamp",
    "customer_preferences": "preferred_channel varchar",
}


def event(name: str, reader: str, at: datetime, **more: Any) -> dict[str, Any]:
    """One web event of somebody's device."""
    return {
        "type": "track",
        "event": name,
        "messageId": f"{name}-{reader}-{at:%d%H%M%S}",
        "anonymousId": f"device-{reader}",
        "timestamp": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "properties": more,
    }


def ago(hours: float) -> datetime:
    """A moment before the pulse."""
    return NOW - timedelta(hours=hours)


@dataclass
class PulseShop:
    """The shop: `home`, its store, and the folder of its files."""

    home: Home
    store: Store
    input: Path

    @property
    def settings(self) -> Settings:
        """What its regulars.toml says."""
        shop = ShopSettings(
            name="本屋", timezone="Asia/Tokyo", currency="JPY", default_country="JP"
        )
        return Settings(
            input=str(self.input),
            shop=shop,
            destinations={
                "file": Destination(send=True),
                "site": Destination(kind="onsite", send=True),
            },
        )

    def pulse(self, *, at: datetime = NOW, read_at: datetime = READ_AT, send: bool = True) -> Pulse:
        """A pulse as a schedule asks for it."""
        asked = "scheduled" if send else "no"
        return pulse(self.home, self.settings, at=at, send=asked, read_at=read_at)

    def write(self, events: Iterable[dict[str, Any]], rest: str = "") -> Path:
        """Events at the end of the day's file, and what is no event after them."""
        file = self.input / "web/events.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.writelines(json.dumps(each) + "\n" for each in events)
            stream.write(rest)
        return file

    def publish(
        self, readers: Iterable[str], run_id: str = "run1", carts: Iterable[str] = ()
    ) -> None:
        """Publish these readers; those of `carts` left one three hours before."""
        start_run(self.store, Run(run_id, PUBLISHED_AT, "test"), started_at=STARTED)
        made = Published()
        shop = made.connection
        for table, columns in FULL.items():
            shop.execute(f"create or replace table marts.{table} ({columns})")
        for table, columns in FURTHER.items():
            for column in columns.replace("(18, 4)", "(18;4)").split(", "):
                shop.execute(
                    f"alter table marts.{table} add column if not exists {column.replace(';', ',')}"
                )
        for reader in readers:
            made.person(reader, country_code="JP")
            made.add("customer_personalisation", customer_id=reader, level="full")
            for kind, value in (("device", f"device-{reader}"), ("email", address(reader))):
                made.add(
                    "bridge_customer_identifiers",
                    customer_id=reader,
                    identifier_type=kind,
                    identifier_value=value,
                    evidence_grade="newsletter",
                    is_primary=True,
                    is_dormant=False,
                    is_shared=False,
                    last_seen_at=PUBLISHED_AT,
                )
        for reader in carts:
            self._cart(made, reader)
        shop.execute("create schema ops; create schema activity")
        shop.execute(
            f"create table ops.build as select 'b' as build_id, '{run_id}' as run_id,"
            f" timestamp '{PUBLISHED_AT}' as as_of"
        )
        self._decision(made)
        self._to_file(made)

    def _decision(self, made: Published) -> None:
        more = {"destinations": '["file"]', "level": "full"}
        segments = [
            {**SEGMENT, **more, "segment": each, "priority": 1 + number, "message_kind": "reminder"}
            for number, each in enumerate(TRIGGERS)
        ]
        segments[-1] |= {
            "channel": "onsite",
            "purpose": "personalisation",
            "destinations": '["site"]',
        }
        there = {f"marts.{name}" for name in made.tables()}
        lay_decision(
            made.connection,
            segments,
            {**LIMITS, "contacts_per_day": 1, "shop_timezone": "Asia/Tokyo"},
            but=tuple(there),
        )
        made.connection.execute(
            "alter table marts.dim_segments add column programme varchar default 'reminders'"
        )
        for table in made.tables("segments"):
            if table.removeprefix("seg_") in TRIGGERS:
                made.connection.execute(f"alter table segments.{table} add column context varchar")
            else:
                made.connection.execute(f"drop table segments.{table}")

    def _cart(self, made: Published, reader: str) -> None:
        """A cart that is published, and the stay that it began."""
        at = PUBLISHED_AT - timedelta(hours=3)
        own = {"customer_id": reader, "session_id": f"visit-{reader}"}
        visit = {"device_id": f"device-{reader}", "is_human": True, "customer_visit_number": 1}
        counts = {"event_count": 1, "page_view_count": 0, "product_view_count": 0}
        counts |= {"order_completed_count": 0}
        moments = {"started_at": at, "ended_at": at, "last_cart_at": at}
        made.add("fct_web_sessions", **own, **visit, **counts, **moments)
        step = {"event_id": f"cart-{reader}", "event_name": "Product Added", "product_key": "P1"}
        step |= {"is_cart_event": True, "is_after_last_order": True, "occurred_at": at}
        made.add("recent_interactions", **own, **step)
        stay = {"segment": "abandoned_cart", "customer_id": reader, "entered_at": PUBLISHED_AT}
        made.add("fct_segment_memberships", **stay, is_current=True, programme="reminders")
        made.connection.execute(
            "insert into segments.seg_abandoned_cart (customer_id, reason)"
            f" values ('{reader}', 'left a cart')"
        )
        moment = {**stay, "entered_at": to_micros(PUBLISHED_AT), "programme": "reminders"}
        with self.store.write() as connection:
            upsert(connection, schema.segment_memberships, [moment])

    def _to_file(self, made: Published) -> None:
        beside = self.home.root / "next.duckdb"
        beside.unlink(missing_ok=True)
        made.copy_to(beside, ("marts", "segments", "ops", "activity"))
        beside.replace(self.home.published)

    def grant(self, reader: str) -> None:
        """The reader permits marketing by email."""
        for purpose in (("email", "marketing"), ("onsite", "personalisation")):
            self._say(reader, "granted", PUBLISHED_AT - timedelta(days=10), purpose)

    def refuse(self, reader: str, at: datetime = PUBLISHED_AT + timedelta(minutes=5)) -> None:
        """The reader unsubscribes."""
        self._say(reader, "revoked", at)

    def _say(
        self,
        reader: str,
        status: str,
        at: datetime,
        purpose: tuple[str, str] = ("email", "marketing"),
    ) -> None:
        statement = ConsentEvent(
            "email", address(reader), *purpose, status, at, "form", wording_version="v1"
        )
        record_consents(self.store, [statement], recorded_at=at)

    def plan(self, segment: str, at: datetime) -> Plan:
        """What a sync of what is published would do."""
        context = DeliveryContext(self.home, self.settings, self.store, stopped(at))
        (target,) = targets(self.home, self.settings, segment)
        return context.plan(target)

    def outbox(self) -> list[tuple[str, str, str]]:
        """Segment, person and operation of every row that was ever queued, in order."""
        table = schema.outbox.c
        with self.store.read() as connection:
            rows = connection.execute(
                schema.outbox.select().order_by(table.created_at, table.segment, table.customer_id)
            ).mappings()
            return [(row["segment"], row["customer_id"], row["operation"]) for row in rows]

    def stays(self, segment: str) -> dict[str, tuple[int, int | None]]:
        """Since when and until when each person is in a segment, as the store knows."""
        with self.store.read() as connection:
            rows = connection.execute(schema.segment_memberships.select()).mappings()
            return {
                row["customer_id"]: (row["entered_at"], row["left_at"])
                for row in rows
                if row["segment"] == segment
            }


def address(reader: str) -> str:
    """Their email."""
    return f"{reader}@honya.example"
