{#-
    Two identifiers that must not end in one person although a chain of edges connects them: the ends of a
    cannot-link rule, and cores that are different people by their names and accounts, unless a rule joined
    just these names. A component of too many has no such two, but is looked at in the same way.
-#}
with before_cuts as (
    select *
    from {{ ref('int_identity_components_before_cuts') }}
),

apart_by_rule as (
    select
        before_cuts_a.component,
        rules.key_a,
        rules.key_b
    from {{ ref('int_identity_rule_edges') }} as rules
    inner join before_cuts as before_cuts_a on rules.key_a = before_cuts_a.node
    inner join before_cuts as before_cuts_b on rules.key_b = before_cuts_b.node
    where rules.rule = 'cannot_link' and before_cuts_a.component = before_cuts_b.component
),

facts as (
    select
        before_cuts.component,
        facts.core,
        facts.fact_type,
        facts.fact
    from {{ ref('int_identity_core_facts') }} as facts
    inner join before_cuts on facts.core = before_cuts.node
    where facts.fact_type = 'full_name' and facts.fact_count = 1
),

-- A component of one name needs no second look
several_names as (
    select component
    from facts
    group by component
    having count(distinct fact) > 1
),

-- Both names of a core that a must-link rule made are one person's, wherever else they stand
names_joined as (
    select distinct
        before_cuts.component,
        names_a.full_name as fact_a,
        names_b.full_name as fact_b
    from {{ ref('int_identity_core_names') }} as names_a
    inner join {{ ref('int_identity_core_names') }} as names_b
        on names_a.core = names_b.core and names_a.full_name <> names_b.full_name
    inner join before_cuts on names_a.core = before_cuts.node
    where names_a.is_joined_by_hand
),

core_pairs as (
    select
        firsts.component,
        firsts.core as core_a,
        seconds.core as core_b
    from facts as firsts
    inner join facts as seconds
        on firsts.component = seconds.component and firsts.core < seconds.core and firsts.fact <> seconds.fact
    left join names_joined
        on
            firsts.component = names_joined.component
            and firsts.fact = names_joined.fact_a
            and seconds.fact = names_joined.fact_b
    where
        firsts.component in (select several_names.component from several_names)
        and names_joined.component is null
)

select
    component,
    key_a,
    key_b,
    'cannot_link' as reason
from apart_by_rule
union all
select
    component,
    core_a as key_a,
    core_b as key_b,
    'several_people' as reason
from core_pairs
union all
select distinct
    component,
    cast(null as bigint) as key_a,
    cast(null as bigint) as key_b,
    'too_many' as reason
from {{ ref('int_identity_components_over_limit') }}
