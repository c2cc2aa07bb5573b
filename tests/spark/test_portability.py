"""Every model's SQL for Spark, judged without Spark; known faults may only get fewer."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tests.spark.compile import Compiled, compile_for_spark, with_two_forms
from tests.spark.judge import faults

EXCEPTIONS = Path(__file__).with_name("exceptions.csv")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Compiled]:
    """The manifest for Spark, and every model's SQL in each of its forms."""
    return compile_for_spark(tmp_path_factory.mktemp("spark"))


def test_every_model_and_test_is_compiled_and_models_in_each_of_their_forms(
    project: tuple[dict[str, Any], Compiled],
) -> None:
    manifest, compiled = project
    nodes = manifest["nodes"]
    judged = ("model", "test")
    every = {Path(n["path"]).stem for n in nodes.values() if n["resource_type"] in judged}
    twice = with_two_forms(nodes, manifest["macros"])
    assert {name for name, form in compiled if form == "first"} == every
    # Ephemeral models are compiled along with those that read them
    assert {name for name, form in compiled if form == "later"} >= set(twice)
    # A model that asks for the past and answers alike in both forms was not asked properly
    incremental = {
        n["name"] for n in nodes.values() if n["config"]["materialized"] == "incremental"
    }
    assert {"int_web_events", "int_web_sessions", "stg_orders__orders"} <= incremental & set(twice)
    for name in ("int_identity_scope", "int_web_events", "int_web_sessions", "stg_orders__orders"):
        assert compiled[name, "first"] != compiled[name, "later"]


def test_no_relation_of_the_spark_target_has_two_owners(
    project: tuple[dict[str, Any], Compiled],
) -> None:
    manifest, _ = project
    owners: dict[str, list[str]] = {}
    for node in [*manifest["nodes"].values(), *manifest["sources"].values()]:
        if node["resource_type"] in ("model", "seed", "source"):
            name = f"{node['schema']}.{node.get('alias') or node['identifier']}"
            owners.setdefault(name, []).append(node["unique_id"])
    assert {name: of for name, of in owners.items() if len(of) > 1} == {}


def test_spark_would_understand_every_model_and_test(
    project: tuple[dict[str, Any], Compiled],
) -> None:
    _, compiled = project
    found = {(name, fault) for (name, _), sql in compiled.items() for fault in faults(sql)}
    with EXCEPTIONS.open(encoding="utf-8") as file:
        excused = {(row["model"], row["fault"]): row["reason"] for row in csv.DictReader(file)}
    new = "\n".join(f"  {name}: {fault}" for name, fault in sorted(found - set(excused)))
    assert not new, f"Spark would not understand these; see docs/portability.md:\n{new}"
    stale = "\n".join(f"  {name}: {fault}" for name, fault in sorted(set(excused) - found))
    assert not stale, f"These exceptions are no longer needed; take them out:\n{stale}"
    assert all(len(reason.split()) > 3 for reason in excused.values())


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("select strpos(a, 'x') from t", "function: strpos"),
        ("select concat(a, b) from t", "function: concat"),
        ("select list_sum(a) from t", "function: list_sum"),
        ("select cast(a as varchar) from t", "type: varchar"),
        ("select a::hugeint from t", "type: hugeint"),
        ("select regexp_replace(a, 'x', 'y', 'g') from t", "regexp_replace: "),
        (r"select a rlike '[^\p{L}\p{N}]+' from t", "backslash: "),
        ('select "a" from t', "quotes: "),
        (
            "select a, count(*) from t group by a "
            "qualify row_number() over (order by count(*), a) = 1",
            "qualify: ",
        ),
        (
            "with recursive r as (select 1 as n union select n + 1 from r where n < 9) "
            "select n from r",
            "recursive: ",
        ),
        ("select from where", "grammar: "),
        ("select a from t where a in (select lambda x: x + 1)", "grammar: "),
        ("select * exclude (a) from t", "function: exclude"),
        ("select * exclude a from t", "exclude: "),
        ("select * replace (1 as a) from t", "replace: "),
        ("select a[1] from t", "brackets: "),
        ("select a[1:2] from t", "brackets: "),
        ("select [1, 2] from t", "brackets: "),
        ("select a ^ 2 from t", "power: "),
        ("select distinct on (a) b from t", "distinct on: "),
        ("select * from t using sample 10", "sample: "),
        ("select a from t where a glob 'x'", "glob: "),
        ("select a from t where a similar to 'x'", "similar to: "),
        ("select a -> 'x' from t", "arrow: "),
        ("select cast(a as decimal) from t", "decimal: "),
        ("select min(a order by b) from t", "order by: "),
        ("select a ** b from t", "power: "),
        ("select a, from t", "comma: "),
        ("select a from t asof join u on t.b >= u.b", "asof: "),
        ("select a from t positional join u", "positional: "),
        ("select a from t where a between symmetric 2 and 1", "symmetric: "),
        ("select cast(a as timestamp with time zone) from t", "type: timestamp with"),
        ("select a at time zone 'UTC' from t", "at time zone: "),
        ("select a collate nocase from t", "collate: "),
        ("select a from t limit 5 percent", "percent: "),
        ("pivot t on a using sum(b)", "pivot: "),
    ],
)
def test_the_judge_sees(sql: str, fault: str) -> None:
    assert any(found.startswith(fault) for found in faults(sql)), faults(sql)


@pytest.mark.parametrize(
    "sql",
    [
        r"select a rlike '[^\\p{L}\\p{N}]+' from t",
        "select a from t qualify row_number() over (partition by a order by b) = 1",
        "select * except (a) from t",
        "select a * b as percent, t.* from t where a between 1 and 2 limit 5",
        "select position('x' in a), concat_ws('', a, b), cast(a as string) from t",
        "with recursive r as (select 1 as n union all select n + 1 from r where n < 9) "
        "select n from r",
        "select sum(a) filter (where a > 0) from t group by b having count(*) > 1",
        "select array(1, 2), cast(a as decimal(18, 4)), transform(a, x -> x + 1) from t",
        "select get_json_object(a, '$.b'), array_join(array_sort(collect_list(a)), ',') from t",
        "select 'it''s strpos(x)' as said from t -- concat(a, b)",
    ],
)
def test_the_judge_leaves_alone(sql: str) -> None:
    assert faults(sql) == []
