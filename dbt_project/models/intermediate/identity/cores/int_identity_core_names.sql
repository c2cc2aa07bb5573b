{#-
    The full names on the records of a core. A name on a record speaks for every usable account and address
    beside it, but not for an account that was signed in while another's address was typed. Several names
    are a reason for doubt, unless a must-link rule put them together: then each of them is the person's, as
    after a marriage.
-#}
{%- set bridges = bridging_identifier_types() %}

with evidence as (
    select *
    from {{ ref('int_identity_records') }}
    where person_name is not null and {{ in_scope('hub_key') }}
),

unproved as (
    select *
    from {{ ref('int_identity_unproved_edges') }}
),

cores as (
    select *
    from {{ ref('int_identity_cores') }}
),

named as (
    {%- for type in identifier_types() if type not in bridges %}
    select distinct
        evidence.{{ type }} as identifier_key,
        evidence.person_name
    from evidence
    {%- if type == 'login' %}
    left join unproved as beside_hub
        on evidence.login = beside_hub.login_key and evidence.hub_key = beside_hub.other_key
    left join unproved as beside_email
        on evidence.login = beside_email.login_key and evidence.email = beside_email.other_key
    {%- endif %}
    where
        evidence.{{ type }} is not null
        and evidence.{{ type }}_refusal is null
        {%- if type == 'login' %}
        and coalesce(beside_hub.login_key, beside_email.login_key) is null
        {%- endif %}
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

joined_by_hand as (
    select distinct cores_a.component as core
    from {{ ref('int_identity_rule_edges') }} as rules
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
