"""Published tables in memory, for conditions to read: the columns that they use, of the real types.

Belongs here: shapes and laying down rows. Does not belong here: who is meant by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from orchestration.home.layout import Home
from orchestration.segments.files import segment_names
from orchestration.segments.trial import Trial

AS_OF = dt.datetime(2026, 6, 15, 12)
CURRENCY = "GBP"

TABLES = {
    "contactability": "customer_id varchar, channel varchar, purpose varchar,"
    " is_contactable boolean, reason varchar, granted_at timestamp, expires_at timestamp,"
    " requested_at timestamp",
    "customer_engagement": "customer_id varchar, open_case_count bigint,"
    " last_open_case_kind varchar, last_open_case_product_id varchar, last_open_case_at timestamp",
    "customer_interests": "customer_id varchar, interest_kind varchar, interest varchar,"
    " score double, interest_rank bigint, last_signal_at timestamp",
    "customer_lists": "customer_id varchar, list_id varchar, list_name varchar,"
    " is_member boolean, joined_at timestamp",
    "customer_personalisation": "customer_id varchar, level varchar, reason varchar,"
    " answered_at timestamp, requested_at timestamp",
    "customer_preferences": "customer_id varchar, shopping_city varchar",
    "customer_traits": "customer_id varchar, trait varchar, value varchar, evidence_kind varchar,"
    " sensitivity varchar,"
    " source varchar, stated_at timestamp, valid_to timestamp, score double",
    "dim_products": "product_id varchar, product_name varchar, sku varchar, category varchar,"
    " price decimal(18, 4), currency varchar, substitute_group varchar, in_stock boolean",
    "dim_promotions": "promotion_code_id varchar, promotion_source varchar, promotion_id varchar,"
    " promotion_name varchar, code varchar, discount_kind varchar, percent_off decimal(18, 4),"
    " amount_off decimal(18, 4), currency varchar, category varchar, product_id varchar,"
    " for_segment varchar, voucher_count bigint, status varchar, starts_at timestamp,"
    " ends_at timestamp",
    "dim_occasions": "occasion_id varchar, occasion varchar, country_code varchar,"
    " starts_on date, ends_on date, status varchar, days_until_start bigint",
    "fct_checkouts": "checkout_id varchar, customer_id varchar, is_abandoned boolean,"
    " product_name varchar, changed_at timestamp",
    "fct_customer_clv": "customer_id varchar, is_current boolean,"
    " predicted_clv_365d decimal(18, 4), predicted_next_order_at timestamp",
    "fct_customer_intent": "customer_id varchar, is_current boolean, intent double,"
    " signal varchar, signal_at timestamp",
    "fct_customer_journey_stages": "customer_id varchar, stage varchar, is_current boolean,"
    " entered_at timestamp",
    "fct_customer_predictions": "customer_id varchar, is_current boolean, churn_risk double,"
    " buys_in_7d double, buys_in_30d double, buys_in_90d double, next_category varchar,"
    " clv_tier varchar",
    "fct_customer_rfm": "customer_id varchar, is_current boolean, rfm_segment varchar,"
    " r_score bigint, f_score bigint, m_score bigint",
    "fct_customer_rfm_engagement": "customer_id varchar, rfm_segment varchar, engagement varchar,"
    " opportunity varchar",
    "fct_experiment_assignments": "assignment_key varchar, customer_id varchar,"
    " experiment_id varchar, experiment_group varchar, assigned_at timestamp",
    "fct_interactions": "interaction_id bigint, customer_id varchar, kind varchar,"
    " channel varchar, product_id varchar, occurred_at timestamp",
    "fct_order_codes": "customer_id varchar, code varchar, ordered_at timestamp",
    "fct_vouchers": "voucher_key varchar, customer_id varchar, promotion_id varchar,"
    " promotion_name varchar, code varchar, category varchar, product_id varchar,"
    " percent_off decimal(18, 4), amount_off decimal(18, 4), currency varchar, status varchar,"
    " issued_at timestamp, valid_from timestamp, valid_until timestamp",
    "fct_order_lines": "order_line_id varchar, customer_id varchar, order_id varchar,"
    " order_source varchar,"
    " category varchar, brand varchar, product_id varchar, sku varchar, line_kind varchar,"
    " is_return_line boolean, quantity bigint",
    "fct_order_tags": "order_tag_id varchar, customer_id varchar, tag varchar,"
    " ordered_at timestamp",
    "fct_product_states": "product_state_id varchar, product_id varchar, valid_from timestamp,"
    " product_source varchar, sku varchar, currency varchar,"
    " is_current boolean, price decimal(18, 4), previous_price decimal(18, 4), in_stock boolean,"
    " was_in_stock boolean",
    "fct_recommendations": "customer_id varchar, kind varchar, rank bigint, product_id varchar,"
    " with_product_id varchar",
    "fct_replenishments": "customer_id varchar, product_id varchar, is_displeased boolean,"
    " displeased_by varchar, other_product_id varchar, other_promotion_id varchar,"
    " last_bought_at timestamp, remind_at timestamp, due_at timestamp",
    "dim_customers": "customer_id varchar, is_known boolean, country_code varchar,"
    " region varchar, email varchar, first_name varchar, last_name varchar,"
    " order_count bigint, first_seen_at timestamp",
    "fct_customer_order_summary": "customer_id varchar, order_count bigint,"
    " lifetime_net_sales decimal(18, 4), lifetime_margin decimal(18, 4), currency varchar,"
    " usual_gap_days decimal(10, 1), days_since_last_order bigint, overdue_after_days double,"
    " first_ordered_date date, last_ordered_date date, first_ordered_at timestamp,"
    " last_ordered_at timestamp",
    "fct_messages": "message_id varchar, customer_id varchar, channel varchar,"
    " message_kind varchar, campaign_id varchar, flow_id varchar, opened_at timestamp,"
    " clicked_at timestamp, sent_at timestamp",
    "fct_orders": "order_id varchar, order_source varchar, customer_id varchar, is_kept boolean,"
    " is_counted boolean, net_sales_shop decimal(18, 4), sales_channel varchar,"
    " store_id varchar, is_gift boolean, occasion varchar, discount_code varchar,"
    " ordered_at timestamp, ordered_date date",
    "fct_persona_paths": "customer_id varchar, persona varchar, next_action varchar,"
    " next_due_at timestamp",
    "fct_sign_ups": "sign_up_key varchar, customer_id varchar, source varchar, is_first boolean,"
    " signed_up_at timestamp",
    "fct_web_sessions": "session_id varchar, customer_id varchar, customer_visit_number bigint,"
    " marketing_channel varchar, product_view_count bigint, last_product_view_at timestamp,"
    " first_wishlist_at timestamp, last_cart_at timestamp, first_checkout_at timestamp,"
    " started_at timestamp",
    "recent_interactions": "event_id varchar, customer_id varchar, event_name varchar,"
    " is_cart_event boolean, is_after_last_order boolean, product_id varchar, sku varchar,"
    " product_key varchar, product_name varchar, category varchar, cart_id varchar,"
    " page_url varchar, price decimal(18, 4), quantity bigint, last_order_at timestamp,"
    " occurred_at timestamp",
    "recent_searches": "interaction_id bigint, customer_id varchar, result_count bigint,"
    " is_last boolean, searched_at timestamp",
    "shop_rhythm": "threshold varchar, threshold_value bigint",
}

HEAD = (
    "{{ config(meta={'segment': {'channel': 'email', 'purpose': 'marketing',"
    " 'message_kind': 'offer'}}) }}"
)


def ago(days: float = 0, hours: float = 0) -> dt.datetime:
    """A moment before the run."""
    return AS_OF - dt.timedelta(days=days, hours=hours)


class Published:
    """The published tables of a small shop."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("create schema marts; create schema segments")
        for table, columns in TABLES.items():
            self.connection.execute(f"create table marts.{table} ({columns})")
        for name in segment_names():
            self.connection.execute(
                f"create table segments.seg_{name} (customer_id varchar, reason varchar)"
            )
        self._serial = 0
        for threshold, value in (
            ("loyal_min_orders", 4),
            ("at_risk_min_orders", 3),
            ("overdue_min_days", 180),
            ("recent_buyer_days", 14),
        ):
            self.add("shop_rhythm", threshold=threshold, threshold_value=value)

    def add(self, table: str, **row: Any) -> None:
        """A row of a table; columns that are not named are NULL."""
        self.connection.execute(
            f"insert into marts.{table} ({', '.join(row)}) values ({', '.join('?' for _ in row)})",
            list(row.values()),
        )

    def tables(self, schema: str = "marts") -> list[str]:
        """The names of the tables of a schema."""
        rows = self.connection.execute(
            "select table_name from duckdb_tables() where schema_name = ?"
            " and database_name = current_database()",
            [schema],
        ).fetchall()
        return [table for (table,) in rows]

    def copy_to(self, path: Path, schemas: Iterable[str]) -> None:
        """Every table of these schemas, in a file."""
        self.connection.execute(f"attach '{path}' as file")
        for schema in schemas:
            self.connection.execute(f"create schema file.{schema}")
            for table in self.tables(schema):
                name = f"{schema}.{table}"
                self.connection.execute(f"create table file.{name} as from memory.{name}")
        self.connection.execute("detach file")

    def id(self) -> str:
        """An id that nothing else has."""
        self._serial += 1
        return f"id{self._serial:04d}"

    def person(self, customer: str, *, is_known: bool = True, **row: Any) -> str:
        """Somebody, known unless said."""
        first = {"first_seen_at": ago(days=400), "order_count": 0}
        self.add("dim_customers", customer_id=customer, is_known=is_known, **(first | row))
        return customer

    def buyer(self, customer: str, *days: float, net: int = 50, **row: Any) -> str:
        """Somebody with an order so many days ago each, the oldest first; `row` is of each."""
        self.person(customer, order_count=len(days))
        moments = [ago(days=each) for each in days]
        for at in moments:
            order = {
                "order_source": "shop",
                "is_kept": True,
                "is_counted": True,
                "sales_channel": "web",
            }
            order |= {"order_id": self.id(), "ordered_at": at, "ordered_date": at.date()}
            order |= {"net_sales_shop": net}
            self.add("fct_orders", customer_id=customer, **(order | row))
        self.add(
            "fct_customer_order_summary",
            customer_id=customer,
            order_count=len(days),
            lifetime_net_sales=net * len(days),
            lifetime_margin=net * len(days) // 2,
            currency=CURRENCY,
            days_since_last_order=(AS_OF.date() - moments[-1].date()).days,
            overdue_after_days=180,
            first_ordered_date=moments[0].date(),
            last_ordered_date=moments[-1].date(),
            first_ordered_at=moments[0],
            last_ordered_at=moments[-1],
        )
        return customer

    def step(self, customer: str, event: str, at: dt.datetime, **row: Any) -> None:
        """A web event of the last days, after the last order."""
        step = {"event_id": self.id(), "event_name": event, "is_after_last_order": True}
        step |= {"is_cart_event": event in ("Product Added", "Product Removed", "Cart Viewed")}
        step |= {"product_key": "mug", "product_name": "Mug", "occurred_at": at}
        self.add("recent_interactions", customer_id=customer, **(step | row))

    def interaction(self, customer: str, kind: str, at: dt.datetime, product: str) -> None:
        """A line of the timeline about a product."""
        self._serial += 1
        self.add(
            "fct_interactions",
            interaction_id=self._serial,
            customer_id=customer,
            kind=kind,
            product_id=product,
            occurred_at=at,
        )

    def visit(self, customer: str, at: dt.datetime, number: int, **row: Any) -> None:
        """A visit."""
        self.add(
            "fct_web_sessions",
            session_id=self.id(),
            customer_id=customer,
            customer_visit_number=number,
            started_at=at,
            **row,
        )

    @cached_property
    def trial(self) -> Trial:
        """What segments are tried with."""
        return Trial(self.connection, {}, AS_OF, [*segment_names(), "tried"])

    def members(self, conditions: str) -> set[str]:
        """Who is in a segment of these arguments of `members()`."""
        self.run(conditions)
        return {row["customer_id"] for row in self.trial.rows("select customer_id from trial")}

    def run(self, conditions: str) -> list[dict[str, Any]]:
        """Try a segment of these arguments of `members()`; its conditions in written order."""
        return self.trial.run("tried", HEAD + "{{ members(" + conditions + ") }}")


def publish_few_buyers(home: Home) -> Home:
    """A published file of ann, bob and cleo, who have bought, and of dan, who has not."""
    shop = Published()
    for customer in ("ann", "bob", "cleo"):
        shop.buyer(customer, 10)
    shop.person("dan")
    shop.connection.execute(
        "update marts.dim_customers set email = customer_id || '@shop.example', first_name = 'A'"
    )
    shop.connection.execute("insert into segments.seg_vip (customer_id) values ('ann')")
    shop.connection.execute(
        "insert into segments.seg_at_risk (customer_id) values ('bob'), ('dan')"
    )
    shop.connection.execute(
        "create table marts.dim_segments as select *, '[\"email\"]' as channels,"
        " 'marketing' as purpose, 'offer' as message_kind"
        " from (values ('vip', 20), ('at_risk', 100)) as s(segment, priority)"
    )
    for channel in ("email", "sms"):
        shop.add(
            "contactability",
            customer_id="bob",
            channel=channel,
            purpose="marketing",
            is_contactable=channel == "email",
        )
    shop.connection.execute("create schema ops")
    shop.connection.execute(f"create table ops.build as select timestamp '{AS_OF}' as as_of")
    shop.copy_to(home.published, ("marts", "segments", "ops"))
    shop.connection.close()
    return home
