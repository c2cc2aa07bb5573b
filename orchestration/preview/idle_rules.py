"""Hand-made identity rules that do nothing as the people stand: why, how many, and on which lines.

Belongs here: finding them in a resolved home. Does not belong here: the words
(orchestration/commands/identity.py), what a rule means (dbt_project/models/intermediate/identity).

Data flow: warehouse.duckdb (rules, dictionary, judged links), raw.duckdb (lines) -> counts. Values
stay inside the query.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ingestion.duckdb import connect, literal
from orchestration.home.layout import Home

_FEW = 5
_LINES = "select _row_id, _line from raw_identity_rules.identity_rules where _line is not null"


@dataclass(frozen=True)
class IdleRules:
    """Rules that do nothing for one reason.

    `reason` is same_value, unknown_value, contradicted or refused; `lines` are the first few of the
    file, as far as they are known.
    """

    reason: str
    rules: int
    lines: list[int]


_IDLE = """
with rules as (
    select told.*, ends_a.identifier_key as key_a, ends_b.identifier_key as key_b
    from warehouse.staging.stg_identity_rules__identity_rules as told
    left join warehouse.intermediate.int_identifier_values as ends_a
        on told.type_a = ends_a.identifier_type and told.value_a = ends_a.raw_value
    left join warehouse.intermediate.int_identifier_values as ends_b
        on told.type_b = ends_b.identifier_type and told.value_b = ends_b.raw_value
),
-- The dictionary also holds what only a rule names
known as (
    select identifier_key from warehouse.intermediate.int_customer_identifiers
    union
    select identifier_key
    from warehouse.intermediate.int_identity_registry_next
    join warehouse.intermediate.int_identifiers using (identifier_type, identifier_value)
),
must_links as (
    select key_a, key_b, refusal_reason
    from warehouse.intermediate.int_identity_edges_judged
    where source_system = 'identity_rules' and rule = 'must_link'
),
judged as (
    select
        rules._row_id,
        case
            when rules.rule <> 'block' and (
                rules.key_a = rules.key_b
                or (rules.type_a = rules.type_b and rules.value_a = rules.value_b)
            ) then 'same_value'
            when known_a.identifier_key is null
                or (rules.rule <> 'block' and known_b.identifier_key is null) then 'unknown_value'
            when rules.rule = 'must_link' and must_links.refusal_reason = 'cannot_link'
                then 'contradicted'
            when rules.rule = 'must_link' and must_links.refusal_reason is not null then 'refused'
        end as reason
    from rules
    left join known as known_a on rules.key_a = known_a.identifier_key
    left join known as known_b on rules.key_b = known_b.identifier_key
    left join must_links
        on least(rules.key_a, rules.key_b) = must_links.key_a
        and greatest(rules.key_a, rules.key_b) = must_links.key_b
)
select reason, list(_row_id) from judged where reason is not null group by reason order by reason
"""


def idle_rules(home: Home, lines: Mapping[str, int]) -> list[IdleRules]:
    """The rules of a resolved home that do nothing.

    Args:
        home: where the rules are in force and resolved.
        lines: the line of the file by row id; it may lack any.
    """
    with connect() as connection:
        connection.execute(f"attach {literal(str(home.warehouse))} as warehouse (read_only)")
        # Staging is made of views, which look for this name
        connection.execute(f"attach {literal(str(home.raw))} as raw (read_only)")
        rows = connection.execute(_IDLE).fetchall()
    return [IdleRules(reason, len(ids), _first(ids, lines)) for reason, ids in rows]


def file_lines(raw: Path) -> dict[str, int]:
    """On which line of the file each rule of a raw store was read; none where nothing was read."""
    if not raw.exists():
        return {}
    with connect(raw, read_only=True) as connection:
        try:
            return dict(connection.execute(_LINES).fetchall())
        except duckdb.CatalogException:
            return {}


def _first(ids: Iterable[str], lines: Mapping[str, int]) -> list[int]:
    return sorted(lines[row_id] for row_id in ids if row_id in lines)[:_FEW]
