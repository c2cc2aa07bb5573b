{#-
    People whose accounts fall into several parts once the weak links are taken away. With as few weak links
    as hold the parts together at all, any single one of them holds two people's worth of accounts.
-#}
with links as (
    select *
    from {{ ref('int_identity_chain_links') }}
),

parts as (
    select *
    from {{ ref('int_identity_strong_parts') }}
),

ends as (
    select
        person,
        key_a as node
    from links
    union
    select
        person,
        key_b as node
    from links
),

placed as (
    select
        ends.person,
        ends.node,
        coalesce(parts.component, ends.node) as part
    from ends
    left join parts on ends.node = parts.node
),

people as (
    select
        placed.person,
        count(distinct placed.part) as part_count,
        count(distinct case
            when identifiers.identifier_type in ({{ quoted(person_account_types()) }}) then placed.part
        end) as account_part_count
    from placed
    inner join {{ ref('int_identifiers') }} as identifiers on placed.node = identifiers.identifier_key
    group by placed.person
),

weak_ties as (
    select distinct
        links.person,
        least(firsts.part, seconds.part) as part_a,
        greatest(firsts.part, seconds.part) as part_b
    from links
    inner join placed as firsts on links.key_a = firsts.node
    inner join placed as seconds on links.key_b = seconds.node
    where links.is_weak and firsts.part <> seconds.part
),

tied as (
    select
        person,
        count(*) as weak_link_count
    from weak_ties
    group by person
)

select
    people.person as component,
    people.account_part_count,
    tied.weak_link_count,
    tied.weak_link_count < people.part_count as hangs_by_one
from people
inner join tied on people.person = tied.person
where people.account_part_count > 1
