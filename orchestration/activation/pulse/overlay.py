"""New web events laid over what is published, so that conditions read both.

Belongs here: the tables of visits and of what people did in them, with the new events in them, in a
file of views whose base is the published file. Does not belong here: reading the events
(arrivals.py), segments (triggers.py).

The events go through the project's own models of visits, rendered as a preview renders conditions.
Whose they are is said by the published bridge: a device or login that it does not know is nobody's
yet, and its events are left to the next run. A visit that goes on is one visit: what is new of it
is added to its published row.

Data flow: rows of raw_web.events -> marts.fct_web_sessions, fct_interactions, recent_interactions
and recent_searches of the overlay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from ingestion.duckdb import literal, name
from orchestration.published.reader import BASE
from orchestration.segments.rendering import DBT_PROJECT, Project

# The published tables that new web events change
LAID = "laid"  # the schema of the rows that are laid over
RENEWED = ("fct_interactions", "fct_web_sessions", "recent_interactions", "recent_searches")
_MODELS = {
    path.stem: path
    for folder in ("staging/web", "intermediate/sessions", "intermediate/interactions", "marts")
    for path in (DBT_PROJECT / "models" / folder).rglob("*.sql")
}
_OWN = (
    *("stg_web__events", "int_web_events", "int_web_sessions", "int_web_user_agents"),
    *("int_web_traffic_sources", "int_web_session_owners", "int_web_sessions_resolved"),
    *("int_interaction_visits", "int_interactions_web", "int_web_interactions"),
)
_SEEDS = ("bot_patterns", "marketing_channel_rules")
# Of these nothing is new; their columns are wanted all the same.
_NOTHING = {
    "int_interactions_messages": "(from marts.fct_interactions limit 0)",
    "int_interactions_facts": "(from marts.fct_interactions limit 0)",
    "int_orders_resolved": (
        "(select *, null::varchar as cart_token, null::varchar as checkout_token,"
        " null::varchar as checkout_id from marts.fct_orders limit 0)"
    ),
}
_VISITOR = "coalesce(visits.device_id, concat('login ', visits.login_id))"


@dataclass(frozen=True)
class Laid:
    """What was laid over: events that a run has not read, and those of people who are known."""

    events: int
    of_people: int


def make_table(connection: duckdb.DuckDBPyConnection, table: str, sql: str) -> None:
    """A table of the session with the rows of a query, in place of one of that name."""
    connection.execute(f"create or replace temp table {table} as {sql}")


def rows_in(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    """How many rows a table, a part of one, or a query in brackets has."""
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


class Overlay:
    """The published tables with new events in them.

    Args:
        connection: opened on the overlay for writing, its base attached.
        variables: the settings' variables, as dbt gets them.
        as_of: the moment that is judged, naive UTC.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, variables: Mapping[str, Any], as_of: datetime
    ) -> None:
        """Name every published table in the file; add nothing yet."""
        self._connection = connection
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = $base",
            {"base": BASE},
        ).fetchall()
        for schema_name in (*sorted({each for each, _ in tables}), LAID):
            connection.execute(f"create schema if not exists {name(schema_name)}")
        for each in tables:
            connection.execute(f"create view {name(*each)} as from {name(BASE, *each)}")
        self._project = Project(
            variables,
            as_of,
            {
                **{
                    table: f"marts.{table}"
                    for schema_name, table in tables
                    if schema_name == "marts"
                },
                **{model: model for model in _OWN},
                **{seed: f"seed_{seed}" for seed in _SEEDS},
                **_NOTHING,
                "raw_web.events": "raw_events",
                "int_raw_identifier_customers": "owners",
                "int_customer_identifiers": "marts.bridge_customer_identifiers",
            },
        )
        self._silence = int(self._project.variable("session_inactivity_minutes"))

    def lay(self, rows: pa.Table) -> Laid:
        """Lay the rows of new events over the published tables."""
        connection = self._connection
        for seed in _SEEDS:
            path = DBT_PROJECT / f"seeds/{seed}.csv"
            make_table(
                self._connection, f"seed_{seed}", f"from read_csv({literal(path)}, header = true)"
            )
        connection.register("rows_of_events", rows)
        make_table(
            self._connection, "raw_events", "select *, 'pulse' as _dlt_load_id from rows_of_events"
        )
        self._model("stg_web__events")
        self._model("int_web_events")
        self._drop_known_events()
        make_table(self._connection, "owners", _OWNERS)
        self._model("int_web_sessions")
        self._join_visits_that_go_on()
        for model in _OWN[3:]:
            self._model(model)
        self._lay_visits()
        self._lay_interactions()
        self._lay_recent()
        return Laid(
            rows_in(self._connection, "int_web_events"),
            rows_in(self._connection, "int_web_interactions where customer_id is not null"),
        )

    def _drop_known_events(self) -> None:
        """Take out what is published already: of the timeline by its id, pages by their visit."""
        key = self._project.call("key_number", ["'web'", "event_id", "visitor_id"])
        self._connection.execute(
            f"""
            delete from int_web_events
            where {key} in (
                select interaction_id from marts.fct_interactions
                where occurred_at >= (select min(occurred_at) from int_web_events)
            )
            """
        )
        self._connection.execute(
            f"""
            delete from int_web_events
            using marts.fct_web_sessions as visits
            where event_name = 'Page Viewed' and visitor_id = {_VISITOR}
                and occurred_at between visits.started_at and visits.ended_at
            """
        )

    def _join_visits_that_go_on(self) -> None:
        """Give new parts of published visits the visit's id and login; those of robots go."""
        make_table(
            self._connection,
            "continued",
            _CONTINUED.format(visitor=_VISITOR, silence=self._silence),
        )
        self._connection.execute(
            """
            update int_web_sessions as parts
            set session_id = continued.session_id,
                login_at = case
                    when parts.login_id is null and continued.login_id is not null
                        then parts.started_at else parts.login_at end,
                login_id = coalesce(parts.login_id, continued.login_id)
            from continued
            where parts.session_id = continued.part_id
            """
        )
        self._connection.execute(
            "delete from int_web_sessions where session_id in"
            " (select session_id from continued where not is_human)"
        )

    def _lay_visits(self) -> None:
        """Visits of whoever came, with the new parts in them and numbered anew."""
        make_table(self._connection, "new_web_sessions", self._sql("fct_web_sessions"))
        make_table(self._connection, "visits_now", _VISITS_OF_THE_SAME)
        for statement in (_ADD_TO_VISITS, _ADD_VISITS, _NUMBER_VISITS):
            self._connection.execute(statement)
        self._lay("fct_web_sessions", "from visits_now", "session_id")

    def _lay_interactions(self) -> None:
        """What is new of the timeline; a visit that went on has its row."""
        make_table(self._connection, "new_interactions", self._sql("fct_interactions"))
        self._lay(
            "fct_interactions",
            f"""
            from new_interactions
            where interaction_id not in (
                select interaction_id from {BASE}.marts.fct_interactions where kind = 'visit'
            )
            """,
        )

    def _lay_recent(self) -> None:
        """What people did in the last days, of whoever did something new; and all searches."""
        make_table(self._connection, "new_recent_steps", "from int_web_interactions")
        make_table(self._connection, "earlier_recent", _EARLIER_RECENT)
        make_table(
            self._connection, "int_web_interactions", _STEPS_OF_BOTH.format(visitor=_VISITOR)
        )
        make_table(self._connection, "new_recent", self._sql("recent_interactions"))
        make_table(self._connection, "int_web_interactions", "from new_recent_steps")
        make_table(self._connection, "recent_now", _RECENT_NOW)
        self._lay("recent_interactions", "from recent_now", "customer_id")
        searches = self._sql("recent_searches")
        self._connection.execute(f"create table {LAID}.recent_searches as {searches}")
        self._connection.execute(
            f"create or replace view marts.recent_searches as from {LAID}.recent_searches"
        )

    def _lay(self, table: str, rows: str, key: str = "") -> None:
        """Let a published table have these rows beside its own; of a key only these."""
        base, laid = f"{BASE}.marts.{table}", f"{LAID}.{table}"
        self._connection.execute(f"create table {laid} as from {base} limit 0")
        self._connection.execute(f"insert into {laid} by name {rows}")
        known = f"select {key} from {laid} where {key} is not null"
        rest = f" where {key} not in ({known}) or {key} is null" if key else ""
        self._connection.execute(
            f"create or replace view marts.{table} as"
            f" from {base}{rest} union all by name from {laid}"
        )

    def _sql(self, model: str) -> str:
        return self._project.render_file(_MODELS[model])

    def _model(self, model: str) -> None:
        make_table(self._connection, model, self._sql(model))


_OWNERS = """
    select identifier_type, identifier_value as raw_value, identifier_value, customer_id, is_shared
    from marts.bridge_customer_identifiers
    where (identifier_type, identifier_value) in (
        select ('device', visitor_id) from int_web_events
        union all
        select ('login', login_id) from int_web_events where login_id is not null
    )
"""
_CONTINUED = """
    select parts.session_id as part_id, visits.session_id, visits.login_id, visits.is_human
    from int_web_sessions as parts
    inner join marts.fct_web_sessions as visits
        on parts.visitor_id = {visitor}
        and parts.started_at <= visits.ended_at + interval '{silence}' minute
        and parts.ended_at >= visits.started_at - interval '{silence}' minute
        and coalesce(parts.login_id = visits.login_id, true)
    qualify row_number() over (
        partition by parts.session_id order by visits.started_at desc, visits.session_id
    ) = 1
"""
# Visits of whoever came and those that went on: to number visits, all of a person are wanted
_VISITS_OF_THE_SAME = f"""
    from {BASE}.marts.fct_web_sessions
    where customer_id in (select customer_id from new_web_sessions)
        or session_id in (select session_id from new_web_sessions)
"""
_ADD_TO_VISITS = """
    update visits_now as visits
    set customer_id = coalesce(parts.customer_id, visits.customer_id),
        login_id = coalesce(visits.login_id, parts.login_id),
        event_count = visits.event_count + parts.event_count,
        page_view_count = visits.page_view_count + parts.page_view_count,
        product_view_count = visits.product_view_count + parts.product_view_count,
        order_completed_count = visits.order_completed_count + parts.order_completed_count,
        product_view_1_at = views[1],
        product_view_2_at = views[2],
        product_view_3_at = views[3],
        last_product_view_at = greatest(visits.last_product_view_at, parts.last_product_view_at),
        first_wishlist_at = least(visits.first_wishlist_at, parts.first_wishlist_at),
        first_cart_at = least(visits.first_cart_at, parts.first_cart_at),
        last_cart_at = greatest(visits.last_cart_at, parts.last_cart_at),
        first_checkout_at = least(visits.first_checkout_at, parts.first_checkout_at),
        started_at = least(visits.started_at, parts.started_at),
        ended_at = greatest(visits.ended_at, parts.ended_at)
    from (
        select
            added.session_id,
            max(added.customer_id) as customer_id,
            max(added.login_id) as login_id,
            sum(added.event_count)::bigint as event_count,
            sum(added.page_view_count)::bigint as page_view_count,
            sum(added.product_view_count)::bigint as product_view_count,
            sum(added.order_completed_count)::bigint as order_completed_count,
            list_sort(list_filter(
                [any_value(known.product_view_1_at), any_value(known.product_view_2_at),
                    any_value(known.product_view_3_at)]
                || list(added.product_view_1_at) || list(added.product_view_2_at)
                || list(added.product_view_3_at),
                lambda moment: moment is not null
            )) as views,
            max(added.last_product_view_at) as last_product_view_at,
            min(added.first_wishlist_at) as first_wishlist_at,
            min(added.first_cart_at) as first_cart_at,
            max(added.last_cart_at) as last_cart_at,
            min(added.first_checkout_at) as first_checkout_at,
            min(added.started_at) as started_at,
            max(added.ended_at) as ended_at
        from new_web_sessions as added
        inner join visits_now as known on added.session_id = known.session_id
        group by added.session_id
    ) as parts
    where visits.session_id = parts.session_id
"""
_ADD_VISITS = """
    insert into visits_now by name
    from new_web_sessions
    where session_id not in (select session_id from visits_now)
"""
_NUMBER_VISITS = """
    update visits_now as visits
    set customer_visit_number = numbered.number
    from (
        select session_id,
            row_number() over (partition by customer_id order by started_at, session_id) as number
        from visits_now
        where is_human and customer_id in (select customer_id from new_web_sessions)
    ) as numbered
    where visits.session_id = numbered.session_id
"""
_EARLIER_RECENT = """
    select * from marts.recent_interactions
    where customer_id in (select customer_id from new_recent_steps)
"""
# What is published of these people with what is new, as the model of the last days reads it.
_STEPS_OF_BOTH = """
    select event_id, visitor_id, customer_id, session_id, event_name, product_id, sku, product_name,
        category, cart_id, checkout_id, page_url, price, quantity, occurred_at
    from new_recent_steps
    union all by name
    select earlier.event_id, {visitor} as visitor_id, earlier.customer_id, earlier.session_id,
        earlier.event_name, earlier.product_id, earlier.sku, earlier.product_name,
        earlier.category, earlier.cart_id, null::varchar as checkout_id, earlier.page_url,
        earlier.price, earlier.quantity, earlier.occurred_at
    from earlier_recent as earlier
    inner join marts.fct_web_sessions as visits on earlier.session_id = visits.session_id
"""
# Published steps keep their own words: only whether an order followed may be another by now.
_RECENT_NOW = """
    with answered as (
        select customer_id, max(last_order_at) as last_order_at
        from earlier_recent group by customer_id
    )
    select renewed.* exclude (last_order_at, is_after_last_order)
            replace (coalesce(earlier.product_key, renewed.product_key) as product_key),
        greatest(renewed.last_order_at, answered.last_order_at) as last_order_at,
        renewed.is_after_last_order
            and coalesce(earlier.is_after_last_order, true)
            and renewed.occurred_at > coalesce(answered.last_order_at, timestamp '1900-01-01')
            as is_after_last_order
    from new_recent as renewed
    left join answered on renewed.customer_id = answered.customer_id
    left join earlier_recent as earlier
        on renewed.event_id = earlier.event_id and renewed.customer_id = earlier.customer_id
"""
