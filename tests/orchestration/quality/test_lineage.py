"""Columns are followed to tables through whatever a query puts between, or the query is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.quality.lineage import LineageError, trace

TABLES = {
    "marts.people": ("customer_id", "name", "spent"),
    "marts.traits": ("customer_id", "trait", "value"),
    "marts.views": ("customer_id", "product_id", "seen_at"),
    "marts.products": ("product_id", "title"),
}
SECRET = "marts.traits.value"


def origins(sql: str, column: str = "context") -> set[str]:
    return {f"{each.table}.{each.column}" for each in trace(sql, TABLES).columns[column]}


# Each of them takes the secret by another way
WAYS = {
    "named": "select customer_id, value as context from marts.traits",
    "quoted": 'select customer_id, value as context from "warehouse"."marts"."traits"',
    "two CTEs and a new name": """
        with a as (select customer_id, value as mild from marts.traits),
        b as (select customer_id, mild as milder from a)
        select customer_id, milder as context from b""",
    "select *": """
        with a as (select * from marts.traits), b as (select a.* from a)
        select customer_id, value as context from b""",
    "an expression": """
        select customer_id, json_object('a', 1, 'b', lower(coalesce(value, 'x'))) as context
        from marts.traits""",
    "a struct": "select customer_id, {'a': {'b': value}} as context from marts.traits",
    "a function of texts": "select customer_id, strip_accents(value) as context from marts.traits",
    "a map": "select customer_id, map {'a': value} as context from marts.traits",
    "a case": """
        select customer_id, case when value = 'x' then 'A' else 'B' end as context
        from marts.traits""",
    "an aggregate": """
        select customer_id, list(value order by value)[1] as context from marts.traits
        group by customer_id""",
    "a filter": """
        select customer_id, count(*) filter (where value = 'x') as context from marts.traits
        group by customer_id""",
    "a window": """
        select customer_id, row_number() over (order by value) as context from marts.traits""",
    "a named window": """
        select customer_id, rank() over secret as context from marts.traits
        window secret as (order by value)""",
    "the right side of a union": """
        with a as (
            select customer_id, name as x from marts.people
            union all select customer_id, value as y from marts.traits
        ) select customer_id, x as context from a""",
    "what an except leaves": """
        with a as (
            select customer_id, name from marts.people
            except select customer_id, value from marts.traits
        ) select customer_id, name as context from a""",
    "a scalar subquery": """
        select customer_id, (
            select max(value) from marts.traits as t where t.customer_id = p.customer_id
        ) as context from marts.people as p""",
    "exists": """
        select customer_id, exists (
            select 1 from marts.traits as t
            where t.customer_id = p.customer_id and t.value = 'x'
        ) as context from marts.people as p""",
    "in": """
        select customer_id, customer_id in (
            select customer_id from marts.traits where value = 'x'
        ) as context from marts.people""",
    "a derived table": """
        select customer_id, v as context from (select customer_id, value as v from marts.traits)""",
    "the condition of what is joined": """
        with believers as (select customer_id from marts.traits where value = 'x')
        select p.customer_id, believers.customer_id is not null as context
        from marts.people as p left join believers on p.customer_id = believers.customer_id""",
    "a constant of what is joined": """
        with believers as (select customer_id, 'yes' as flag from marts.traits where value = 'x')
        select p.customer_id, coalesce(believers.flag, 'no') as context
        from marts.people as p left join believers using (customer_id)""",
    "a condition two CTEs down": """
        with a as (select customer_id from marts.traits where value = 'x'),
        b as (select customer_id, 'yes' as flag from a)
        select p.customer_id, b.flag as context
        from marts.people as p left join b on p.customer_id = b.customer_id""",
    "which row is taken": """
        with t as (
            select customer_id, trait from marts.traits
            qualify row_number() over (partition by customer_id order by value) = 1
        ) select customer_id, trait as context from t""",
    "which row is looked up": """
        select t.customer_id, products.title as context
        from marts.traits as t inner join marts.products as products
            on products.product_id = t.value""",
    "which row is looked up by what is looked up": """
        select t.customer_id, products.title as context
        from marts.traits as t
        inner join marts.views as views on views.seen_at = t.value
        inner join marts.products as products on products.product_id = views.product_id""",
    "having": """
        with a as (
            select customer_id, count(*) as n from marts.traits
            group by customer_id having max(value) = 'x'
        ) select customer_id, n as context from a""",
    "columns of a CTE named by position": """
        with a (customer_id, value, trait) as (select customer_id, trait, value from marts.traits)
        select customer_id, trait as context from a""",
    "columns of a subquery named by position": """
        select customer_id, trait as context
        from (select customer_id, trait, value from marts.traits) as t (customer_id, v, trait)""",
    "a final CTE": """
        with final as (select customer_id, value as context from marts.traits)
        select * from final""",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_column_is_found_whichever_way_it_comes(way: str) -> None:
    assert SECRET in origins(WAYS[way])


REFUSED = {
    "a whole row": "select customer_id, to_json(t) as context from marts.traits as t",
    "a row by its alias": "select t.customer_id, t as context from marts.traits as t",
    "a star in an object": "select customer_id, to_json(struct_pack(t.*)) as context"
    " from marts.traits as t",
    "all columns at once": "select customer_id, concat(columns(*)) as context from marts.traits",
    "a file": "select customer_id, value as context from read_parquet('traits.parquet')",
    "a table of elsewhere": "select customer_id, value as context from raw.contacts",
    "a table of the same name elsewhere": "select customer_id, value as context from raw.traits",
    "an unknown column": "select customer_id, religion as context from marts.traits",
    "unnest": "select customer_id, v as context from marts.traits, unnest([value]) as u(v)",
    "a lateral join": "select p.customer_id, t.value as context from marts.people as p,"
    " lateral (select value from marts.traits as t where t.customer_id = p.customer_id) as t",
    "a union by name": "select customer_id, value as context from marts.traits"
    " union all by name select customer_id, name as context from marts.people",
    "other names for a table's columns": "select t.value as context"
    " from marts.traits as t (customer_id, value, trait)",
    "other names for a CTE's columns where it is read": "with a as (select * from marts.traits)"
    " select t.value as context from a as t (customer_id, value, trait)",
    "a join in brackets": "select p.name as context from marts.people as p"
    " inner join (marts.views as v inner join marts.traits as t on v.product_id = t.value)"
    " on p.customer_id = v.customer_id",
    "a sample": "select customer_id, value as context from marts.traits tablesample 10 percent",
    "a macro": "select customer_id, religion_of(customer_id) as context from marts.people",
    "a macro of a schema": "select customer_id, main.lower(name) as context from marts.people",
    "a variable": "select customer_id, getvariable('religions') as context from marts.people",
    "a union with a limit": "(select customer_id, value as context from marts.traits"
    " union all select customer_id, name from marts.people) limit 1",
    "a pivot": "pivot marts.traits on trait using first(value)",
    "a recursive CTE": "with recursive r as (select customer_id, value as context from marts.traits"
    " union all select customer_id, context from r) select customer_id, context from r",
    "two statements": "select 1 as context; select 2 as context",
    "no query": "drop table marts.people",
    "no SQL": "select from where (",
    "nothing": "",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_followed_is_an_error(what: str) -> None:
    with pytest.raises(LineageError):
        trace(REFUSED[what], TABLES)


@pytest.mark.parametrize("part", ["limit", "offset"])
def test_how_many_rows_there_are_is_of_what_the_number_is_counted_from(part: str) -> None:
    lineage = trace(
        "select customer_id, 'x' as context from marts.people"
        f" {part} (select count(*) from marts.traits where value = 'x')",
        TABLES,
    )
    assert SECRET in {f"{each.table}.{each.column}" for each in lineage.rows}


def test_conditions_of_the_querys_own_rows_stand_apart() -> None:
    lineage = trace(
        """
        with final as (
            select p.customer_id, 'WELCOME' as context
            from marts.people as p inner join marts.traits as t on p.customer_id = t.customer_id
            where t.value = 'x'
        ) select * from final
        """,
        TABLES,
    )
    assert not lineage.columns["context"]
    assert SECRET in {f"{each.table}.{each.column}" for each in lineage.rows}


@pytest.mark.parametrize(
    ("sql", "is_of_all"),
    [
        ("select customer_id, count(*) over () as context from marts.people", True),
        ("select customer_id, avg(spent) over () as context from marts.people", True),
        (
            "with s as (select sum(spent) as n from marts.people)"
            " select customer_id, s.n as context from marts.traits cross join s",
            True,
        ),
        ("select customer_id, max(spent) over () as context from marts.people", False),
        ("select customer_id, spent / sum(spent) over () as context from marts.people", False),
        (
            "select customer_id, sum(spent) over (partition by customer_id) as context"
            " from marts.people",
            False,
        ),
        ("select customer_id, count(*) over (order by spent) as context from marts.people", False),
        ("select customer_id, count(*) as context from marts.people group by customer_id", False),
        (
            "select customer_id, (select count(*) from marts.traits as t"
            " where t.customer_id = p.customer_id) as context from marts.people as p",
            False,
        ),
    ],
)
def test_a_figure_over_all_is_told_from_one_of_a_person(sql: str, is_of_all: bool) -> None:
    found = trace(sql, TABLES).columns["context"]
    assert found
    assert all(each.is_of_all for each in found) is is_of_all


# What a CTE does with its rows, and the trait that a condition outside then leaves its value
BELOW_A_FILTER: dict[str, set[str] | None] = {
    "lag(value) over (partition by customer_id order by trait) as v from marts.traits": None,
    "string_agg(value) over () as v from marts.traits": None,
    "bool_or(value = 'x') over (partition by customer_id) as v from marts.traits": None,
    "max(value) over w as v from marts.traits window w as (partition by customer_id)": None,
    "max(value) over w as v from marts.traits window w as (partition by trait)": {"hobby"},
    "lag(value) over (partition by customer_id, trait order by value) as v from marts.traits": {
        "hobby"
    },
    "value as v from marts.traits"
    " qualify row_number() over (partition by customer_id order by value) = 1": None,
    "value as v from marts.traits"
    " qualify row_number() over (partition by trait order by value) = 1": {"hobby"},
    "max(value) as v from marts.traits group by trait": {"hobby"},
    "max(value) as v from marts.traits group by rollup (trait)": None,
    "max(value) as v from marts.traits group by all": None,
    "value as v from marts.traits order by value limit 5": None,
    "value as v from marts.traits offset 5": None,
    "v from (select distinct trait, value as v from marts.traits)": {"hobby"},
    "v from (select distinct on (customer_id) trait, value as v from marts.traits)": None,
    "v from (select trait, first(value) over (order by value) as v from marts.traits)": None,
}


@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("select value as context from marts.traits where trait = 'hobby'", {"hobby"}),
        ("select value as context from marts.traits where 'hobby' = trait and 1 = 1", {"hobby"}),
        (
            "with t as (select * from marts.traits)"
            " select t.value as context from t where t.trait in ('hobby', 'size')",
            {"hobby", "size"},
        ),
        (
            "with t as (select customer_id, trait as k, value as v from marts.traits)"
            " select t.v as context from marts.people as p left join t"
            " on p.customer_id = t.customer_id and t.k = 'hobby'",
            {"hobby"},
        ),
        (
            "with t as (select * from marts.traits where trait in ('hobby', 'size'))"
            " select value as context from t where trait in ('size', 'faith')",
            {"size"},
        ),
        ("select value as context from marts.traits where trait = 'hobby' or 1 = 1", None),
        ("select value as context from marts.traits where trait not in ('faith')", None),
        ("select value as context from marts.traits where lower(trait) = 'hobby'", None),
        (
            "select a.value as context from marts.traits as a inner join marts.traits as b"
            " on a.customer_id = b.customer_id where b.trait = 'hobby'",
            None,
        ),
        *(
            (
                f"select t.value as context from marts.people as p {side} join marts.traits as t"
                " on p.customer_id = t.customer_id and t.trait = 'hobby'",
                kept,
            )
            for side, kept in {
                "inner": {"hobby"},
                "left": {"hobby"},
                "left outer": {"hobby"},
                "right": None,
                "right outer": None,
                "full": None,
                "full outer": None,
            }.items()
        ),
        (
            "select t.value as context from marts.traits as t left join marts.people as p"
            " on p.customer_id = t.customer_id and t.trait = 'hobby'",
            None,
        ),
        *(
            (
                f"with t as (select trait, {made})"
                " select v as context from t where trait = 'hobby'",
                kept,
            )
            for made, kept in BELOW_A_FILTER.items()
        ),
        (
            "with t as (select lower(trait) as trait, value from marts.traits)"
            " select value as context from t where trait = 'hobby'",
            None,
        ),
    ],
)
def test_conditions_say_which_values_a_column_has_left(sql: str, kept: set[str] | None) -> None:
    found = trace(sql, TABLES).columns["context"]
    (value,) = {each for each in found if f"{each.table}.{each.column}" == SECRET}
    assert dict(value.kept).get("trait") == (kept and frozenset(kept))


# A name read from people `b` beside the people `a` that the query is of, and whether it is theirs
TIES = {
    "select a.customer_id, b.name as context {pairs} a.customer_id = b.customer_id": True,
    "select a.customer_id, b.name as context {pairs} a.spent = b.spent": False,
    "select a.customer_id, b.name as context {pairs} a.customer_id <> b.customer_id": False,
    "select a.customer_id, b.name as context {pairs} a.customer_id = b.customer_id or true": False,
    "select b.customer_id, b.name as context {pairs} a.spent = b.spent": True,
    "with c as (select a.customer_id, b.customer_id as other_id, b.name {pairs} a.spent = b.spent)"
    " select customer_id, name as context from c": False,
    "with c as (select a.customer_id, b.customer_id as other_id, b.name {pairs} a.spent = b.spent)"
    " select other_id as customer_id, name as context from c": True,
    "with c as (select spent, max(name) as name from marts.people group by spent)"
    " select a.customer_id, c.name as context from marts.people as a"
    " inner join c on a.spent = c.spent": False,
    "select customer_id, lag(name) over (partition by spent order by name) as context"
    " from marts.people": False,
    "select customer_id, lag(name) over (partition by customer_id order by name) as context"
    " from marts.people": True,
    "select customer_id, max(name) over w as context from marts.people"
    " window w as (order by spent)": False,
    "select customer_id, rank() over (order by name) as context from marts.people": True,
    "select customer_id, rank() over (partition by spent order by name) as context"
    " from marts.people": False,
    "select a.customer_id, (select max(b.name) from marts.people as b"
    " where b.customer_id = a.customer_id) as context from marts.people as a": True,
    "select a.customer_id, (select max(b.name) from marts.people as b"
    " where b.spent = a.spent) as context from marts.people as a": False,
    "select a.customer_id, a.customer_id in (select b.customer_id from marts.people as b"
    " where b.name = 'x') as context from marts.people as a": True,
    "select a.customer_id, a.spent in (select b.spent from marts.people as b"
    " where b.name = 'x') as context from marts.people as a": False,
    # Where `c` is not there, nothing ties `b`
    "select a.customer_id, b.name as context from marts.people as a"
    " left join marts.people as b on a.spent = b.spent left join marts.traits as c"
    " on b.customer_id = c.customer_id and a.customer_id = c.customer_id": False,
    "select any_value(customer_id) as customer_id, max(name) as context from marts.people"
    " group by spent": False,
    "select customer_id, max(name) as context from marts.people group by customer_id": True,
    "with c as (select name, lead(customer_id) over (order by spent) as customer_id"
    " from marts.people) select customer_id, name as context from c": False,
}


@pytest.mark.parametrize("sql", TIES)
def test_a_row_is_the_persons_only_by_customer_id(sql: str) -> None:
    pairs = "from marts.people as a inner join marts.people as b on"
    found = trace(sql.format(pairs=pairs), TABLES).columns["context"]
    assert {each.is_own for each in found if each.column == "name"} == {TIES[sql]}


def test_one_side_of_a_union_that_is_anothers_is_enough() -> None:
    found = trace(
        "select customer_id, name as context from marts.people union all"
        " select a.customer_id, b.name from marts.people as a inner join marts.people as b"
        " on a.spent = b.spent",
        TABLES,
    ).columns["context"]
    assert {each.is_own for each in found if each.column == "name"} == {True, False}


STEPS = st.lists(
    st.sampled_from(
        [
            "select customer_id, {c} as {n} from {t}",
            "select customer_id, upper({c}) as {n} from {t} where customer_id <> ''",
            "select customer_id, max({c}) as {n} from {t} group by customer_id",
            "select a.customer_id, b.{c} as {n} from marts.people as a"
            " left join {t} as b on a.customer_id = b.customer_id",
            "select customer_id, {c} as {n} from {t}"
            " union all select customer_id, name as {n} from marts.people",
            "select customer_id, (select min(x.{c}) from {t} as x"
            " where x.customer_id = p.customer_id) as {n} from marts.people as p",
            "select customer_id, {{'v': {c}}} as {n} from {t}",
            "select customer_id, first_value({c}) over (partition by customer_id order by {c})"
            " as {n} from {t}",
        ]
    ),
    max_size=8,
)


@given(STEPS)
def test_no_chain_of_steps_loses_a_column(steps: list[str]) -> None:
    table, column, ctes = "marts.traits", "value", []
    for number, step in enumerate(steps):
        ctes.append(f"c{number} as ({step.format(c=column, n=f'v{number}', t=table)})")
        table, column = f"c{number}", f"v{number}"
    start = f"with {', '.join(ctes)} " if ctes else ""
    assert SECRET in origins(f"{start}select customer_id, {column} as context from {table}")
