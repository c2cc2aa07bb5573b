{#-
    The full names on the records of a core. A name on a record speaks for every usable account and address
    beside it. Several names are a reason for doubt, unless a must-link rule put them together: then each of
    them is the person's, as after a marriage.
-#}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_records') }}
    where person_name is not null and {{ in_scope('hub_key') }}
),

cores as (
    select *
    from {{ ref('int_identity_cores') }}
),

named as (
    {%- for type in identifier_types() if type not in bridges %}
    select distinct
        {{ type }} as identifier_key,
        person_name
    from evidence
    where {{ type }} is not null and {{ type }}_refusal is null
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

joined_by_hand as (
    select distinct cores_a.component as core
    from {{ ref('int_identity_rule_links') }} as rules
    inner join cores as cores_a on rules.key_a = cores_a.node
    inner join cores as cores_b on rules.key_b = cores_b.node
    where rules.rule = 'must_link' and cores_a.component = cores_b.component
),

core_names as (
    select distinct
        coalesce(cores.component, named.identifier_key) as core,
        names.full_name
    from named
    inner join {{ ref('int_person_names') }} as names on named.person_name = names.person_name
    left join cores on named.identifier_key = cores.node
    where names.full_name is not null
)

select
    core_names.core,
    core_names.full_name,
    joined_by_hand.core is not null as is_joined_by_hand
from core_names
left join joined_by_hand on core_names.core = joined_by_hand.core
