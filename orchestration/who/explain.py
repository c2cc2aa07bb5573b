"""Who is this, and why do we say so: everything the published file knows about one person.

Belongs here: finding the person behind any identifier or id, reading their rows by equality, and
ordering the evidence into a chain. Does not belong here: laying it out for a terminal
(view.py) or working anything out anew; what stands here was decided by the models.

The same trace is a table: `marts.fct_identity_edges` holds every pair with its record, rule, grade,
date and refusal, and `marts.fct_customer_field_provenance` every value that was claimed.

Reads `published.duckdb`, so it works while a run is under way and shows what was published; only
what was sent or held back comes from the ledger, which knows it first. What may be sent is of the
run too; `now` puts the gate's answers of this moment in its place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace

import duckdb
from sqlalchemy import Connection, Table, select

from ingestion.duckdb import dicts, literal
from ingestion.errors import RegularsError, UsageError
from ingestion.functions.identifiers import match_identifier
from ingestion.settings_file import load_settings
from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.store import from_micros, has_store, open_store
from orchestration.published.reader import open_published
from orchestration.who.evidence import (
    Edge,
    Explanation,
    Identifier,
    Node,
    Row,
    by_evidence,
    by_worth,
    chain,
    email_reason,
)
from orchestration.who.predicted import Predicted
from orchestration.who.preferences import Preferences
from orchestration.who.timeline import Timeline, timeline
from orchestration.who.view import render
from orchestration.words.amounts import exact
from orchestration.words.codes import refusal

__all__ = ["AmbiguousError", "NotFoundError", "explain", "render"]

MAX_IDENTIFIERS = 200  # a kiosk may own thousands of devices; its chain is drawn from the best ones
MAX_EDGES = 2_000
MAX_ACTIVITY = 50
MAX_CLAIMS = 200
MAX_INTERACTIONS = 300
_PRODUCTS = ("product_id", "with_product_id", "other_product_id")


class NotFoundError(RegularsError):
    """Nobody is known by what was asked for."""


class AmbiguousError(UsageError):
    """What was asked for is known of several people."""


def explain(home: Home, who: str, default_country: str | None = None) -> Explanation:
    """Everything published about the person behind `who`.

    Args:
        home: the shop's home; its published file is read.
        who: an email, phone, login, device, card, loyalty id, any source's customer id, a
            customer_id or an earlier id of a merged person; `type:value` where a value alone could
            mean several.
        default_country: how a phone number without a country code is read; the settings' one
            unless given.

    Raises:
        NotFoundError: nobody is known by it, or the value is shared and joins nobody.
        AmbiguousError: several people are.
        RegularsError: nothing is published yet.
    """
    country = default_country or load_settings().shop.default_country
    try:
        with open_published(home) as connection:
            explanation = explain_from(connection, who, country)
    except duckdb.Error as error:
        raise unreadable(home) from error
    return with_ledger(home, explanation)


def explain_from(
    connection: duckdb.DuckDBPyConnection, who: str, default_country: str
) -> Explanation:
    """The same of an open published file alone; what was sent is then as of its run."""
    reader = Reader(connection)
    return _collect(reader, *find_person(reader, who, default_country))


def with_ledger(home: Home, explanation: Explanation) -> Explanation:
    """The explanation with what was sent and held back by now, where the home has a ledger."""
    ledger = _ledger(home, explanation.customer_id)
    return (
        replace(explanation, deliveries=ledger[0], held_back=ledger[1]) if ledger else explanation
    )


def unreadable(home: Home) -> RegularsError:
    """What to do about a published file that is none."""
    return RegularsError(
        f"The published file {home.published} cannot be read.",
        "Run `regulars doctor`; a new `regulars run` replaces the file.",
    )


class Reader:
    """Rows of the published tables as dicts; a table that was not published has none."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() order by all"
        ).fetchall()
        self.tables = {f"{schema}.{table}" for schema, table in tables}
        self.missing: list[str] = []

    def rows(self, table: str, query: str) -> list[Row]:
        if table not in self.tables:
            self.missing.append(table)
            return []
        return dicts(self._connection.execute(query))

    def of_person(self, table: str, customer_id: str, tail: str = "") -> list[Row]:
        return self.rows(
            table, f"select * from {table} where customer_id = {_quoted(customer_id)} {tail}"
        )


def find_person(
    reader: Reader, who: str, default_country: str
) -> tuple[str, str, str | None, Node | None]:
    """The customer_id, how it was found, the older id it was found by, and where to start.

    Raises:
        UsageError: nothing is named.
        NotFoundError: nobody is known by it.
        AmbiguousError: several people are known by it.
    """
    text = who.strip()
    if not text:
        raise UsageError("Say who: an identifier or an id.", "Try `regulars explain EMAIL`.")
    kind, value = split_kind(text)
    people: dict[str, tuple[str, str | None, Node | None]] = {}
    candidates = candidates_of(kind, value, default_country)
    for row in _bridge_rows(reader, candidates):
        node = Node(row["identifier_type"], row["identifier_value"])
        people.setdefault(row["customer_id"], (node.type, None, node))
    if kind in (None, "customer_id"):
        for row in reader.of_person("marts.dim_customers", value):
            people[row["customer_id"]] = ("customer_id", None, None)
        query = f"select customer_id from marts.customer_aliases where alias_id = {_quoted(value)}"
        for row in reader.rows("marts.customer_aliases", query):
            people.setdefault(row["customer_id"], ("alias", value, None))
    if not people:
        raise _nobody(reader, candidates)
    if len(people) > 1:
        ways = sorted({way[0] for way in people.values()})
        raise AmbiguousError(
            f"That value belongs to {len(people)} people (as {', '.join(ways)}).",
            "Say which kind it is, for example `loyalty_id:VALUE` or `customer_id:VALUE`.",
        )
    ((customer_id, way),) = people.items()
    return customer_id, *way


def split_kind(text: str) -> tuple[str | None, str]:
    """`type:value` in its two parts; a text without a known type has none."""
    kind, colon, value = text.partition(":")
    if colon and kind in (*IDENTIFIER_TYPES, "customer_id") and value.strip():
        return kind, value.strip()
    return None, text


def candidates_of(kind: str | None, value: str, default_country: str) -> list[Node]:
    """What `value` may be, in the form that identifiers are compared in."""
    types = (kind,) if kind else IDENTIFIER_TYPES
    forms = ((name, match_identifier(name, value, default_country)) for name in types)
    return [Node(name, form) for name, form in forms if form]


def _bridge_rows(reader: Reader, candidates: Sequence[Node]) -> list[Row]:
    values = sorted({node.value for node in candidates})
    if not values:
        return []
    query = f"""
        select distinct customer_id, identifier_type, identifier_value
        from marts.bridge_customer_identifiers
        where identifier_value in ({_list(values)})
        order by all
    """
    rows = reader.rows("marts.bridge_customer_identifiers", query)
    wanted = set(candidates)
    return [row for row in rows if Node(row["identifier_type"], row["identifier_value"]) in wanted]


def is_refused(reader: Reader, candidates: Sequence[Node]) -> bool:
    """Whether a value stands for nobody: several people share it, or it is blocked."""
    refused = (edge.refusal_reason for edge in edges_of(reader, candidates))
    return bool(_refused_rows(reader, candidates)) or any(refused)


def _refused_rows(reader: Reader, candidates: Sequence[Node]) -> list[Row]:
    """What stands for nobody among the candidates, also where it stood alone on its records."""
    values = sorted({node.value for node in candidates})
    if not values:
        return []
    query = (
        f"select * from marts.qa_refused_identifiers where identifier_value in ({_list(values)})"
    )
    rows = reader.rows("marts.qa_refused_identifiers", query)
    wanted = set(candidates)
    return [row for row in rows if Node(row["identifier_type"], row["identifier_value"]) in wanted]


def _nobody(reader: Reader, candidates: Sequence[Node]) -> NotFoundError:
    """The sentence for a value that belongs to no one: unknown, or known and refused."""
    standing = _refused_rows(reader, candidates)
    if standing:
        kinds = sorted({str(row["identifier_type"]) for row in standing})
        reasons = sorted({str(row["reason"]) for row in standing})
        records = sum(row["observation_count"] for row in standing)
        orders = sum(row["order_count"] for row in standing)
        sales = sum(row["net_sales"] for row in standing)
        query = "select max(currency) as currency from marts.dim_customers"
        (of,) = reader.rows("marts.dim_customers", query) or [{}]
        sold = exact(sales, of.get("currency") or "")
        left = f" {orders} order(s), {sold} net, name nobody else." if orders else ""
        return NotFoundError(
            f"That {' or '.join(kinds)} was seen in {records} record(s) but belongs to nobody: "
            f"{', '.join(reasons)}. {' '.join(map(refusal, reasons))}{left}",
            "Ask for another identifier of the person you mean; what is blocked, and how to change "
            "it, is in docs/identity.md.",
        )
    refused = [edge for edge in edges_of(reader, candidates) if edge.refusal_reason]
    if refused:
        kinds = sorted({n.type for e in refused for n in (e.a, e.b) if n in set(candidates)})
        reasons = sorted({edge.refusal_reason or "" for edge in refused})
        return NotFoundError(
            f"That {' or '.join(kinds)} was seen in {len(refused)} record(s) but belongs to "
            f"nobody: {', '.join(reasons)}. {' '.join(map(refusal, reasons))}",
            "Ask for another identifier of the person you mean.",
        )
    return NotFoundError(
        "Nobody is known by that value as of the published run.",
        "Check its spelling, or write its kind before it, for example `phone:VALUE`.",
    )


def _collect(
    reader: Reader, customer_id: str, asked_for: str, alias_of: str | None, start: Node | None
) -> Explanation:
    person = next(iter(reader.of_person("marts.dim_customers", customer_id)), {})
    identifiers = identifiers_of(reader, customer_id)
    nodes = [identifier.node for identifier in identifiers]
    edges = edges_of(reader, nodes[:MAX_IDENTIFIERS])
    used = [edge for edge in edges if edge.refusal_reason is None]
    latest = "order by as_of_date desc limit 1"
    stages = reader.of_person(
        "marts.fct_customer_journey_stages", customer_id, "order by entered_at, stage"
    )
    builds = reader.rows("ops.build", "select * from ops.build limit 1")
    segments = reader.rows("marts.dim_segments", "select * from marts.dim_segments order by all")
    return Explanation(
        customer_id=customer_id,
        asked_for=asked_for,
        alias_of=alias_of,
        as_of=builds[0].get("as_of") if builds else None,
        person=person,
        email_reason=email_reason(person.get("email"), identifiers),
        identifiers=identifiers,
        fields=reader.of_person(
            "marts.fct_customer_field_provenance",
            customer_id,
            f"order by field, is_winner desc, claim_count desc, claimed_value limit {MAX_CLAIMS}",
        ),
        chain=chain(nodes, used, start or best_start(identifiers, person)),
        refused=[edge for edge in edges if edge.refusal_reason is not None],
        stages=stages,
        timeline=_timeline(reader, customer_id, stages),
        rfm=_rfm(reader, customer_id),
        clv=next(iter(reader.of_person("marts.fct_customer_clv", customer_id, latest)), {}),
        segments=_segments(reader, customer_id),
        personas=reader.of_person(
            "marts.persona_assignments", customer_id, "order by is_first desc, persona"
        ),
        path=next(iter(reader.of_person("marts.fct_persona_paths", customer_id)), {}),
        permissions=reader.of_person(
            "marts.contactability", customer_id, "order by channel, purpose"
        ),
        decisions=reader.of_person(
            "activity.fct_contact_decisions",
            customer_id,
            "qualify decided_for = max(decided_for) over () order by class",
        ),
        deliveries=reader.of_person(
            "activity.fct_deliveries",
            customer_id,
            f"order by delivered_at desc, destination, segment limit {MAX_ACTIVITY}",
        ),
        held_back=reader.of_person(
            "activity.fct_held_back",
            customer_id,
            f"order by held_back_at desc, destination, segment limit {MAX_ACTIVITY}",
        ),
        predicted=_predicted(reader, customer_id),
        preferences=_preferences(reader, customer_id),
        not_published=sorted(set(reader.missing)),
        purposes={row["segment"]: row["purpose"] for row in segments if row.get("purpose")},
    )


def _timeline(reader: Reader, customer_id: str, stages: list[Row]) -> Timeline:
    """How it began and what happened last, with the products' names and the stages between."""
    table = "marts.fct_interactions"

    def rows(condition: str, order: str, limit: int) -> list[Row]:
        return reader.of_person(
            table, customer_id, f"and {condition} order by {order}, interaction_id limit {limit}"
        )

    first = rows("direction = 'inbound'", "occurred_at", 1)
    looked_at = rows("kind = 'product_viewed'", "occurred_at", 1)
    latest = rows("true", "occurred_at desc", MAX_INTERACTIONS)
    ids = sorted({row["product_id"] for row in (*looked_at, *latest) if row["product_id"]})
    return timeline(first, looked_at, latest, product_names(reader, ids), stages)


def _predicted(reader: Reader, customer_id: str) -> Predicted:
    """What is worked out of their future, with the products' names and the shop's back-tests."""
    latest = "order by as_of_date desc limit 1"
    predictions = reader.of_person("marts.fct_customer_predictions", customer_id, latest)
    backtests = reader.rows(
        "marts.rpt_prediction_backtests",
        "select * from marts.rpt_prediction_backtests order by target, model, origin_date",
    )
    intent = reader.of_person("marts.fct_customer_intent", customer_id, "and is_current limit 1")
    recommendations = reader.of_person(
        "marts.fct_recommendations", customer_id, "and rank = 1 order by kind"
    )
    due = f"order by due_at, product_id limit {MAX_ACTIVITY}"
    replenishments = reader.of_person("marts.fct_replenishments", customer_id, due)
    shown = (*recommendations, *replenishments)
    ids = sorted({str(row[key]) for row in shown for key in _PRODUCTS if row.get(key)})
    names = product_names(reader, ids)
    for row, key in itertools.product(shown, _PRODUCTS):
        row[f"{key.removesuffix('_id')}_name"] = names.get(str(row.get(key)))
    levels = reader.of_person("marts.customer_personalisation", customer_id)
    return Predicted(
        predictions=next(iter(predictions), {}),
        backtests=backtests,
        recommendations=recommendations,
        replenishments=replenishments,
        level=levels[0]["level"] if levels else None,
        intent=next(iter(intent), {}),
    )


def _preferences(reader: Reader, customer_id: str) -> Preferences:
    """What they prefer and how to reach them, as it holds now."""
    preferences = reader.of_person("marts.customer_preferences", customer_id)
    traits = "and valid_to is null order by trait, value"
    return Preferences(
        preferences=next(iter(preferences), {}),
        channels=reader.of_person(
            "marts.customer_channel_preferences", customer_id, "order by rank"
        ),
        traits=reader.of_person("marts.customer_traits", customer_id, traits),
    )


def product_names(reader: Reader, ids: Sequence[str]) -> dict[str, str]:
    """The names of products that have one, by id."""
    query = (
        "select product_id, product_name from marts.dim_products"
        f" where product_name is not null and product_id in ({_list(ids)})"
    )
    rows = reader.rows("marts.dim_products", query) if ids else []
    return {row["product_id"]: row["product_name"] for row in rows}


def _rfm(reader: Reader, customer_id: str) -> Row:
    """The person's latest scores, with how many buyers they were ranked among."""
    table = "marts.fct_customer_rfm"
    latest = "order by as_of_date desc limit 1"
    for row in reader.of_person(table, customer_id, latest):
        query = f"select count(*) as buyer_count from {table} where as_of_date = date '{{}}'"
        (ranked,) = reader.rows(table, query.format(row["as_of_date"]))
        return {**row, **ranked}
    return {}


def _ledger(home: Home, customer_id: str) -> tuple[list[Row], list[Row]] | None:
    """Sent and held back by now: a sync follows the publishing, so the file lags one behind."""
    if not has_store(home):
        return None
    with open_store(home) as store, store.read() as connection:
        sent = _newest(connection, schema.deliveries, "delivered_at", customer_id)
        return sent, _newest(connection, schema.held_back, "held_back_at", customer_id)


def _newest(connection: Connection, table: Table, moment: str, customer_id: str) -> list[Row]:
    query = select(table).where(table.c.customer_id == customer_id)
    query = query.order_by(table.c[moment].desc(), table.c.destination, table.c.segment)
    rows = connection.execute(query.limit(MAX_ACTIVITY)).mappings().all()
    return [{**row, moment: from_micros(row[moment])} for row in rows]


def identifiers_of(reader: Reader, customer_id: str) -> list[Identifier]:
    rows = reader.of_person("marts.bridge_customer_identifiers", customer_id)
    names = Identifier.__dataclass_fields__
    identifiers = [Identifier(**{name: row[name] for name in names}) for row in rows]
    return sorted(identifiers, key=by_worth)


def best_start(identifiers: Sequence[Identifier], person: Row) -> Node | None:
    """Where the chain begins when an id was asked for: the best email, else the best identifier."""
    best_email = Node("email", str(person.get("email")))
    nodes = [identifier.node for identifier in identifiers]
    return best_email if best_email in nodes else next(iter(nodes), None)


def edges_of(reader: Reader, nodes: Iterable[Node]) -> list[Edge]:
    """Every pair that one of `nodes` was seen in; used pairs first, best evidence first."""
    wanted = list(nodes)
    values = sorted({node.value for node in wanted})
    if not values:
        return []
    # Row numbers first: a search of two narrow columns, then the few wide rows.
    query = f"""
        select * from marts.fct_identity_edges where rowid in (
            select rowid from marts.fct_identity_edges where identifier_a_value in ({_list(values)})
            union
            select rowid from marts.fct_identity_edges where identifier_b_value in ({_list(values)})
        )
    """
    mine = set(wanted)
    edges = [_edge(row) for row in reader.rows("marts.fct_identity_edges", query)]
    edges = [edge for edge in edges if edge.a in mine or edge.b in mine]
    return sorted(edges, key=by_evidence)[:MAX_EDGES]


def _edge(row: Row) -> Edge:
    reason = row["refusal_reason"] or ("refused" if row["status"] != "used" else None)
    return Edge(
        a=Node(row["identifier_a_type"], row["identifier_a_value"]),
        b=Node(row["identifier_b_type"], row["identifier_b_value"]),
        source_system=row["source_system"],
        source_record_id=row["source_record_id"],
        observed_at=row["observed_at"],
        rule=row["rule"],
        evidence_grade=row["evidence_grade"],
        refusal_reason=reason if row["status"] != "used" else None,
    )


def _segments(reader: Reader, customer_id: str) -> list[Row]:
    """The segments the person is in now, with the label people know them by."""
    names = sorted(table for table in reader.tables if table.startswith("segments.seg_"))
    if not names:
        reader.missing.append("segments.*")
        return []
    parts = [
        f"select '{name.removeprefix('segments.seg_')}' as segment, reason, context "
        f"from {name} where customer_id = {_quoted(customer_id)}"
        for name in names
    ]
    rows = reader.rows(names[0], " union all ".join(parts) + " order by segment")
    labels = reader.rows("marts.dim_segments", "select segment, label from marts.dim_segments")
    by_name = {row["segment"]: row["label"] for row in labels}
    stays = reader.of_person("marts.fct_segment_memberships", customer_id)
    entered = {row["segment"]: row["entered_at"] for row in stays if row["is_current"]}
    return [
        {**row, "label": by_name.get(row["segment"]), "entered_at": entered.get(row["segment"])}
        for row in rows
    ]


def _list(values: Sequence[str]) -> str:
    return ", ".join(_quoted(value) for value in values)


def _quoted(value: str) -> str:
    """A text as an SQL literal.

    Not bound: the client imports pandas to look at a bound value, which takes longer than the
    whole explanation. A NUL would end the statement and is in no stored value.
    """
    return literal(value.replace("\x00", ""))
