# ruff: noqa: E501 - SQL of an invented shop
"""A small invented shop whose published tables can be made for any day, straight in SQL.

For tests of the breaker, the suites and the report: years of visits, orders, consents and messages
with weekdays, a Black Friday and a Christmas. It shares no code with the models under `dbt_project`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import duckdb
import numpy as np
import pandas as pd

from orchestration.quality.contract import PUBLIC_TABLES

START = datetime.fromisoformat("2024-01-01")
CHANNELS = ("direct", "organic_search", "paid_search", "email", "paid_social", "referral")
SEGMENTS = {
    "abandoned_cart": (
        "Abandoned cart",
        "Left products in the cart an hour to a week ago.",
        "email",
    ),
    "abandoned_browse": (
        "Abandoned browse",
        "Looked at a product within a week, no cart.",
        "email",
    ),
    "recent_buyers": ("Recent buyers", "Bought within the last 14 days.", "email"),
    "one_time_buyers": ("One-time buyers", "Bought exactly once.", "email"),
    "loyal_customers": ("Loyal customers", "Four or more orders and still coming.", "email"),
    "at_risk": ("At risk", "Three or more orders, and overdue.", "email"),
    "vip": ("VIP", "The best 5 % of buyers by what they kept.", "email"),
    "high_intent": ("High intent", "Clicked, then looked at two products.", "onsite"),
    "first_time_visitors": ("First-time visitors", "First visit within 30 days.", "onsite"),
    "new_subscribers": ("New subscribers", "Gave permission within 30 days.", "email"),
    "buyers_without_email_permission": (
        "Buyers without email permission",
        "Bought, and may not be emailed.",
        "ads",
    ),
}


def season(days: np.ndarray) -> np.ndarray:
    """How busy each day is: weekdays, Black Friday week, December, a quiet summer."""
    weekly = np.array([1.0, 0.95, 0.95, 1.0, 1.1, 1.3, 1.25])[days % 7]
    of_year = days % 365
    yearly = 1 + 0.15 * np.sin(2 * np.pi * (of_year - 200) / 365)
    yearly = np.where((of_year >= 330) & (of_year <= 334), yearly * 3.5, yearly)
    yearly = np.where((of_year >= 335) & (of_year <= 355), yearly * 1.6, yearly)
    return weekly * yearly


class SmallWorld:
    """Events of a shop over `days`, in an in-memory database; tables of any day by `write`."""

    def __init__(self, people: int = 3000, days: int = 900, seed: int = 7) -> None:
        self.con = duckdb.connect(config={"threads": "2"})
        self.con.execute("create schema base")
        rng = np.random.default_rng(seed)
        per_day = rng.poisson(season(np.arange(days)) * people * 0.012)
        day = np.repeat(np.arange(days), per_day)
        born = np.sort(rng.integers(0, days, people))
        known = np.searchsorted(born, day, side="right")
        keep = known > 0
        day, known = day[keep], known[keep]
        # Newer people visit more, so that some are loyal and many are lost.
        person = (known * (1 - rng.random(len(day)) ** 2)).astype(int).clip(0, people - 1)
        seconds = rng.integers(0, 86_000, len(day))
        roll = rng.random(len(day))
        visits = pd.DataFrame(
            {
                "visit": np.arange(len(day)),
                "person": person,
                "visited_at": [
                    START + timedelta(days=int(d), seconds=int(s))
                    for d, s in zip(day, seconds, strict=True)
                ],
                "views": 1 + rng.poisson(1.2, len(day)),
                "has_cart": roll < 0.42,
                "has_order": roll < 0.24,
                "net": np.round(np.exp(rng.normal(3.6, 0.7, len(day))), 2),
                "channel": rng.choice(CHANNELS, len(day)),
            }
        )
        clicked = rng.random(len(day)) < 0.25
        visits["clicked"] = clicked
        self._table("visits", visits)
        subscribe = rng.random(people) < 0.6
        self._table(
            "people",
            pd.DataFrame(
                {
                    "person": np.arange(people),
                    "has_email": rng.random(people) < 0.75,
                    "subscribes_after": rng.integers(0, 60, people),
                    "subscribes": subscribe,
                    "revokes_after": np.where(
                        rng.random(people) < 0.15, rng.integers(20, 400, people), 99_999
                    ),
                }
            ),
        )

    def _table(self, name: str, frame: pd.DataFrame) -> None:
        self.con.register("frame_", frame)
        self.con.execute(f"create table base.{name} as from frame_")
        self.con.unregister("frame_")

    @staticmethod
    def at(day: int) -> datetime:
        """The as_of of a day, early in the morning."""
        return START + timedelta(days=day, hours=5)

    def write(
        self,
        catalog: str,
        day: int,
        *,
        previous: str = "",
        before: Iterable[str] = (),
        after: Iterable[str] = (),
        run_id: str = "",
        build: bool = True,
        lean: bool = False,
    ) -> None:
        """Make the published tables as of a day in an attached catalog.

        `before` are statements on the day's events (`visits`, `permissions`), `after` on the made
        tables; both plant faults. `previous` is the catalog that memberships continue. `lean` leaves
        out what the breaker does not look at.
        """
        con, as_of = self.con, f"timestamp '{self.at(day)}'"
        for schema in ("marts", "segments", "activity", "ops"):
            con.execute(f"drop schema if exists {catalog}.{schema} cascade")
            con.execute(f"create schema {catalog}.{schema}")
        con.execute(
            f"create or replace temp table visits as from memory.base.visits where visited_at <= {as_of}"
        )
        con.execute(PERMISSIONS.format(as_of=as_of))
        for statement in before:
            con.execute(statement)
        con.execute(f"use {catalog}.marts")
        try:
            for statement in TABLES.split(";\n"):
                if statement.strip() and not (lean and any(n in statement for n in NOT_LEAN)):
                    con.execute(statement.format(as_of=as_of))
            self._segments(as_of, previous, lean)
            for statement in [] if lean else _empty_tables():
                con.execute(statement)
            con.execute(OPS.format(as_of=as_of, run=run_id or f"run{day}"))
            if build:
                con.execute(
                    f"create table ops.build as select 'build{day}' as build_id,"
                    f" '{run_id or f'run{day}'}' as run_id, {as_of} as as_of"
                )
            for statement in after:
                con.execute(statement)
        finally:
            con.execute("use memory.main")

    def _segments(self, as_of: str, previous: str, lean: bool) -> None:
        con = self.con
        for name, rule in RULES.items():
            con.execute(
                f"create table segments.seg_{name} as select customer_id,"
                f" 'Because of {name.replace('_', ' ')}.' as reason, '{{{{\"value\": 1}}}}' as context"
                f" from dim_customers where {rule}".format(as_of=as_of)
            )
        rows = ", ".join(
            f"('{name}', '{label}', '{text}', '{channel}', 'marketing', '[\"file\"]', 10, 0, false)"
            for name, (label, text, channel) in SEGMENTS.items()
        )
        con.execute(
            f"create table dim_segments as from (values {rows}) t(segment, label, description,"
            " channel, purpose, destinations, priority, min_size, may_be_everybody)"
        )
        con.execute(
            "create table rpt_segment_reach as"
            " select segment, channel, false as is_everybody from dim_segments"
        )
        members = " union all ".join(
            f"select '{name}' as segment, customer_id from segments.seg_{name}" for name in RULES
        )
        earlier = (
            f"{previous}.marts.fct_segment_memberships"
            if previous
            else "(select null::varchar segment, null::varchar customer_id, null::timestamp"
            " entered_at, null::timestamp exited_at, true is_current where false)"
        )
        con.execute(
            f"create table fct_segment_memberships as with members as ({members}),"
            f" open_ as (select * from {earlier} e where exited_at is null)"
            f" select segment, customer_id, null::varchar as programme, exited_at is null as"
            f" is_current, entered_at, exited_at, exited_at as left_at, null::varchar as"
            f" entry_reason, null::varchar as exit_reason, null::varchar as goal"
            f" from (select coalesce(m.segment, o.segment) segment,"
            f" coalesce(m.customer_id, o.customer_id) customer_id,"
            f" coalesce(o.entered_at, {as_of}) entered_at,"
            f" case when m.segment is null then {as_of} end exited_at"
            f" from members m full join open_ o on m.segment = o.segment"
            f" and m.customer_id = o.customer_id"
            f" union all select segment, customer_id, entered_at, exited_at from {earlier} e"
            f" where exited_at is not null)"
        )
        if lean:
            return
        con.execute(
            f"create table rpt_segment_overlap as with m as ({members}), n as (select segment,"
            " count(*) c from m group by 1) select a.segment, b.segment other_segment,"
            " any_value(n.c) member_count, count(*) shared_count,"
            " (count(*) / any_value(n.c))::decimal(9,4) shared_share from m a join m b using"
            " (customer_id) join n on n.segment = a.segment where a.segment <> b.segment group by 1, 2"
        )


NOT_LEAN = (
    "table fct_order_lines",
    "table dim_products",
    "table customer_360",
    "table bridge_customer",
    "table fct_identity",
    "table fct_customer_rfm",
    "table rpt_",
    "table fct_customer_clv",
    "table fct_customer_predictions",
    "table product_affinities",
    "table fct_recommendations",
    "table fct_replenishments",
    "table activity.",
)

PERMISSIONS = """
create or replace temp table permissions as
with first as (select person, min(visited_at) as born from visits group by person)
select p.person, born + subscribes_after * interval 1 day as granted_at,
    born + (subscribes_after + revokes_after) * interval 1 day as revoked_at
from memory.base.people p join first using (person)
where subscribes and has_email and born + subscribes_after * interval 1 day <= {as_of}
"""

TABLES = """
create table fct_orders as
select 'o' || visit as order_id, 'c' || person as customer_id, 'shop' as shop_id,
    null::varchar as store_id, 'orders_json' as order_source,
    case when visit % 25 = 0 then 'returned' else 'placed' end as status,
    visit % 25 <> 0 as is_kept, true as is_counted, 'web' as sales_channel,
    (net * 1.1)::decimal(18,4) as gross_sales, (net * 0.1)::decimal(18,4) as discounts,
    0::decimal(18,4) as returns, net::decimal(18,4) as net_sales, 4::decimal(18,4) as shipping,
    (net * 0.2)::decimal(18,4) as taxes, (net * 1.2 + 4)::decimal(18,4) as total_sales,
    case when visit % 20 = 1 then 'EUR' else 'GBP' end as currency,
    net::decimal(18,4) as net_sales_shop, null::varchar as conversion_issue,
    visited_at::date as ordered_date, visited_at as ordered_at
from visits where has_order;
create table fct_order_lines as select order_id, customer_id, order_id || '-1' as order_line_id,
    order_source, 'p0' as product_id, 'goods' as line_kind, false as is_return_line, 1 as quantity,
    net_sales from fct_orders;
create table dim_products as select 'p' || i as product_id, 'Thing ' || i as product_name,
    true as in_stock from range(20) r(i);
create table fct_web_sessions as
select 's' || visit as session_id, 'c' || person as customer_id, 'd' || person as device_id,
    channel as marketing_channel, true as is_human, views as product_view_count,
    visited_at as started_at, visited_at + interval 9 minute as ended_at from visits;
create table dim_customers as
with o as (select customer_id, count(*) n, sum(net_sales) v, min(ordered_at) f, max(ordered_at) l
    from fct_orders where is_kept group by 1),
v as (select person, min(visited_at) f, max(visited_at) l, bool_or(has_cart) cart, max(clicked::int) clicked,
    count(*) visits, max(visited_at) filter (where has_cart) last_cart_at from visits group by 1)
select 'c' || v.person as customer_id,
    case when o.n > 0 then 'buyer' when p.has_email then 'prospect' else 'anonymous' end as customer_type,
    coalesce(o.n > 0 or p.has_email, false) as is_known,
    case when p.has_email then 'Ann' end as first_name, case when p.has_email then 'Lee' end as last_name,
    case when p.has_email then 'person' || v.person || '@example.org' end as email,
    case when p.has_email then 'checkout' end as email_evidence_grade, null::varchar as phone,
    'GB' as country_code, null::varchar as region, 1 + p.has_email::int as identifier_count,
    coalesce(o.n, 0) as order_count, coalesce(o.v, 0)::decimal(18,4) as lifetime_net_sales,
    'GBP' as currency, v.f as first_seen_at, v.l as last_seen_at, o.f as first_ordered_at,
    o.l as last_ordered_at, v.visits as visit_count, v.last_cart_at
from v join memory.base.people p using (person) left join o on o.customer_id = 'c' || v.person;
create table customer_360 as select *, 'purchase' as stage, null::varchar as rfm_segment
from dim_customers;
create table customer_aliases as select null::varchar as alias_id, null::varchar as customer_id,
    null::timestamp as merged_at where false;
create table bridge_customer_identifiers as
select customer_id, 'email' as identifier_type, email as identifier_value,
    'checkout' as evidence_grade, true as is_primary, false as is_dormant, false as is_shared,
    1::bigint as observation_count, first_seen_at, last_seen_at from dim_customers
where email is not null
union all select customer_id, 'device', 'd' || customer_id[2:], 'import', true, false,
    false, 1, first_seen_at, last_seen_at from dim_customers;
create table fct_identity_edges as
select 'email' as identifier_a_type, email as identifier_a_value, 'device' as identifier_b_type,
    'd' || customer_id[2:] as identifier_b_value, 'web' as source_system, 'm' as source_record_id,
    'identify' as rule, 'checkout' as evidence_grade,
    case when hash(customer_id) % 19 = 0 then 'refused' else 'used' end as status,
    case when hash(customer_id) % 19 = 0 then 'shared_device' end as refusal_reason,
    first_seen_at as observed_at from dim_customers where email is not null;
create table qa_refused_identifiers as
select 'orders_customer_id' as identifier_type, '(none)' as identifier_value,
    'placeholder' as reason, true as is_blocked, 3::bigint as observation_count,
    2::bigint as order_count, 30.5::decimal(18,4) as net_sales;
create table fct_messages as
select 'm' || visit as message_id, 'c' || person as customer_id, 'email' as channel,
    'campaign' as message_kind, 'email' as message_source, visited_at - interval 3 hour as sent_at,
    visited_at - interval 2 hour as opened_at, visited_at - interval 1 hour as clicked_at,
    null::timestamp as unsubscribed_at from visits where clicked;
create table contactability as
with c as (select d.customer_id, channel, purpose, p.granted_at, p.revoked_at, d.email
    from dim_customers d cross join (values ('email'), ('sms'), ('ads'), ('onsite')) a(channel)
    cross join (values ('marketing'), ('transactional')) b(purpose)
    left join permissions p on 'c' || p.person = d.customer_id
    and (channel = 'email' or (channel in ('ads', 'onsite') and p.person % 2 = 0)) where d.is_known)
select customer_id, channel, purpose,
    coalesce(granted_at <= {as_of} and revoked_at > {as_of} and email is not null, false) as is_contactable,
    case when granted_at is null then 'no_consent' when revoked_at <= {as_of} then 'revoked'
        when email is null then 'no_address' else 'granted' end as reason,
    case when granted_at is not null then md5(customer_id || channel) end as consent_receipt_id,
    null::timestamp as requested_at, 'form' as source, 'v1' as wording_version, null::text as proof
from c;
create table fct_customer_rfm as
with b as (select customer_id, {as_of}::date as as_of_date, true as is_current,
    date_diff('day', last_ordered_at::date, {as_of}::date) as recency_days,
    order_count as frequency, lifetime_net_sales as monetary, lifetime_net_sales as gross_monetary,
    'GBP' as currency from dim_customers where order_count > 0)
select *, case when recency_days < 30 then 5 when recency_days < 60 then 4 when recency_days < 120
    then 3 when recency_days < 240 then 2 else 1 end as r_score,
    least(frequency, 5)::int as f_score, greatest(1, least(5, (monetary / 40)::int)) as m_score,
    case when recency_days < 60 and frequency >= 4 then 'champions' when recency_days < 60 and
    frequency = 1 then 'new' when recency_days < 120 then 'active' when frequency >= 3 then 'at_risk'
    else 'dormant' end as rfm_segment from b;
create table rpt_rfm_matrix as select as_of_date, true as is_current, r_score, f_score,
    count(*) as customer_count, sum(monetary) as monetary, 'GBP' as currency
from fct_customer_rfm group by all;
create table fct_customer_clv as select customer_id, as_of_date, true as is_current,
    monetary as historic_clv, null::decimal(18,4) as predicted_clv_365d,
    null::decimal(18,4) as predicted_clv_low, null::decimal(18,4) as predicted_clv_high,
    null::decimal(18,4) as margin_365d,
    null::double as probability_alive, null::double as expected_orders_365d, 'GBP' as currency,
    'no_fitted_model' as null_reason, 'no_fitted_model' as margin_null_reason, null::timestamp as predicted_next_order_at
from fct_customer_rfm;
create table rpt_prediction_backtests as select 'none' as model, 'spend' as target,
    null::date as origin_date, 365 as horizon_days, 0::bigint as people, null::double as error,
    null::double as baseline_error, null::text as baseline, null::double as predicted_total,
    null::double as actual_total, null::double as coverage_90, null::double as coverage_90_people,
    false as is_published, 'history_too_short' as null_reason;
create table fct_customer_predictions (customer_id text, as_of_date date, is_current boolean,
    churn_risk double, low double, high double, buys_in_7d double, buys_in_30d double,
    buys_in_90d double, next_category text, clv_tier text, clv_tier_basis text, model text,
    null_reason text, next_category_model text, next_category_null_reason text);
create table product_affinities (kind text, product_id text, other_product_id text,
    support integer, confidence double, lift double, affinity_rank integer);
create table rpt_replenishment_intervals (product_id text, interval_days integer, basis text,
    found_days double, category_days double, declared_days double, repeat_buyer_count bigint,
    comeback_count bigint, found_right_count bigint, declared_right_count bigint, null_reason text);
create table fct_replenishments (customer_id text, product_id text, purchase_count bigint,
    interval_days integer, basis text, is_displeased boolean, displeased_by text,
    other_product_id text, other_promotion_id text, last_bought_at timestamp,
    remind_at timestamp, due_at timestamp);
create table rpt_recommendation_backtests (method text, origin_date date, people integer,
    right_count bigint, hit_rate_10 double, is_published boolean, null_reason text);
create table fct_recommendations (customer_id text, kind text, rank integer, product_id text,
    with_product_id text, score double, method text, reason text, proof text);
create table fct_customer_journey_stages as
with d as (select *, case when order_count >= 4 then 5 when order_count > 0 then 4
    when last_cart_at is not null then 3 when visit_count >= 2 then 2 else 1 end as reached
    from dim_customers)
select customer_id, ['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy'][n] as stage,
    n as stage_number, 'Because.' as entry_reason, n = reached as is_current,
    first_seen_at + (n - 1) * interval 1 second as entered_at,
    case when n < reached then first_seen_at + n * interval 1 second end as exited_at
from d, range(1, 6) r(n) where n <= reached and (n <> 2 or visit_count >= 2);
create table shop_rhythm as
select *, 1200::bigint as repeat_count, 400::bigint as repeat_buyer_count
from (values ('loyal_min_orders', 'orders', 4, 'auto'), ('advocacy_min_orders', 'orders', 4, 'auto'),
    ('at_risk_min_orders', 'orders', 3, 'setting'), ('overdue_min_days', 'days', 180, 'floor'),
    ('recent_buyer_days', 'days', 14, 'auto')) t(threshold, unit, threshold_value, basis);
create table activity.fct_deliveries as
select 'y' as sync_run_id, md5(customer_id) as delivery_id, 'recent_buyers' as segment,
    'file' as destination, customer_id, 'added' as operation, 'email' as channel,
    'marketing' as purpose, 'delivered' as outcome, {as_of} - interval 1 day as delivered_at
from dim_customers where last_ordered_at > {as_of} - interval 10 day;
create table activity.fct_contact_decisions as
select customer_id, {as_of}::date as decided_for, 'marketing' as class, 'recent_buyers' as segment,
    'email' as channel, 'email' as address_kind, 'thank_you' as message_kind, {as_of} as send_at,
    null::timestamp as not_after, null::timestamp as held_until, 'chosen' as outcome,
    null::varchar as reason, '[]' as rivals
from dim_customers where last_ordered_at > {as_of} - interval 10 day;
create table activity.fct_holdouts as
select customer_id, 'global' as holdout, false as is_held_out, {as_of} as assigned_at
from dim_customers;
create table activity.rpt_onsite_contacts as
select * from (values ('first_time_visitors', 'chosen', null, 212),
    ('first_time_visitors', 'dropped', 'no_consent', 31)) t(segment, outcome, reason, people);
create table activity.fct_audience_sizes as
select 'file' as destination, 'recent_buyers' as segment, {as_of} - interval 1 day as asked_at,
    9::bigint as held_count, 10::bigint as ledger_count, 1::bigint as missing_count,
    0::bigint as surplus_count, 1::bigint as drift_count, 0.9 as match_rate;
create table activity.fct_withdrawals_written as
select 'klaviyo' as destination, 'email' as channel, 'r1' as refusal_id, 'unsubscribed' as reason,
    {as_of} - interval 2 day as refused_at, 'done' as state, 'written' as answer,
    1::bigint as attempt_count, {as_of} - interval 1 day as first_tried_at,
    {as_of} - interval 1 day as last_tried_at, {as_of} - interval 1 day as done_at;
create table activity.fct_held_back as
select 'y' as sync_run_id, customer_id, 'recent_buyers' as segment, 'file' as destination,
    'email' as channel, 'marketing' as purpose, 'no_consent' as reason,
    {as_of} - interval 1 day as held_back_at
from dim_customers where last_ordered_at > {as_of} - interval 4 day
"""

RULES = {
    "abandoned_cart": "last_cart_at between {as_of} - interval 7 day and {as_of} - interval 1 hour"
    " and coalesce(last_ordered_at < last_cart_at, true) and is_known",
    "abandoned_browse": "last_seen_at between {as_of} - interval 7 day and {as_of} - interval 1 hour"
    " and coalesce(last_cart_at < last_seen_at, true) and is_known",
    "recent_buyers": "last_ordered_at >= {as_of} - interval 14 day",
    "one_time_buyers": "order_count = 1",
    "loyal_customers": "order_count >= 4 and last_ordered_at >= {as_of} - interval 180 day",
    "at_risk": "order_count >= 3 and last_ordered_at < {as_of} - interval 180 day",
    "vip": "order_count >= 3 and lifetime_net_sales >= (select quantile_cont(lifetime_net_sales,"
    " 0.95) from dim_customers where order_count > 0)",
    "high_intent": "customer_id in (select 'c' || person from visits where clicked and views >= 2"
    " and visited_at >= {as_of} - interval 7 day) and coalesce(last_ordered_at < {as_of} - interval 7 day, true)",
    "first_time_visitors": "visit_count = 1 and first_seen_at >= {as_of} - interval 30 day",
    "new_subscribers": "customer_id in (select 'c' || person from permissions"
    " where granted_at >= {as_of} - interval 30 day and revoked_at > {as_of})",
    "buyers_without_email_permission": "customer_type = 'buyer' and customer_id in (select"
    " customer_id from contactability where channel = 'email' and purpose = 'marketing'"
    " and not is_contactable)",
}

OPS = """
create table ops.runs as select '{run}' as run_id, 'test' as code_version, 'succeeded' as status,
    true as is_current, 110::bigint as rows_received, 100::bigint as rows_loaded,
    4::bigint as rows_quarantined, 6::bigint as rows_duplicate, {as_of} as as_of;
create table ops.run_sources as select '{run}' as run_id, source, 'events' as table_name,
    55::bigint as rows_received, 50::bigint as rows_loaded, 2::bigint as rows_quarantined,
    3::bigint as rows_duplicate, 0::bigint as values_emptied, 0::bigint as rows_missing from (values ('web'), ('orders')) t(source);
create table ops.source_freshness as select 'web' as source, 'visits' as what, count(*) as row_count,
    count(*) filter (where started_at > {as_of} - interval 1 day) as row_count_1d,
    count(*) filter (where started_at > {as_of} - interval 7 day) as row_count_7d,
    5::bigint as hours_since_last_event, min(started_at) as first_event_at,
    max(started_at) as last_event_at from fct_web_sessions
"""

# The days after which a stay in a segment ends by itself.
WINDOWS = {
    "abandoned_cart": 7,
    "abandoned_browse": 7,
    "high_intent": 7,
    "recent_buyers": 14,
    "first_time_visitors": 30,
    "new_subscribers": 30,
}


def _empty_tables() -> list[str]:
    """What the contract names and this shop has nothing to say about."""
    return [
        f"create table if not exists {name} ({', '.join(f'{c} text' for c in table.columns)})"
        for name, table in PUBLIC_TABLES.items()
        if name.startswith("marts.")
    ]
