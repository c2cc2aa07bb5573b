{#-
    The links of people with several accounts and a link of a list or an import, without those weak links:
    what would still hold together. Few people have both, so few links are looked at.
-#}
with links as (
    select *
    from {{ ref('int_identity_edges_judged') }}
    where refusal_reason is null
),

members as (
    select *
    from {{ ref('int_identity_members') }}
    where not is_alone
),

several_accounts as (
    select component
    from members
    where identifier_type in ({{ quoted(person_account_types()) }})
    group by component
    having count(*) > 1
),

weakly_tied as (
    select distinct members.component
    from links
    inner join members on links.key_a = members.identifier_key
    inner join several_accounts on members.component = several_accounts.component
    where links.evidence_rank >= 5
)

select
    members.component as person,
    links.key_a,
    links.key_b,
    links.evidence_rank >= 5 as is_weak
from links
inner join members on links.key_a = members.identifier_key
inner join weakly_tied on members.component = weakly_tied.component
