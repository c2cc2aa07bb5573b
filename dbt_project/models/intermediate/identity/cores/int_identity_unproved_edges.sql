{#-
    An account that was signed in where somebody typed an address or number that is another's: a friend's, a
    relative's, or a victim's. Only signing in with an address proves that both are one person, so where an
    address or number was seen with several accounts, or was paid under a full name that is not the account
    holder's, an edge that is not proved is refused.
-#}
{%- set others = identifier_types() | reject('in', bridging_identifier_types()) | reject('eq', 'login') | list %}

with edges as (
    select
        key_a,
        key_b,
        evidence_rank <= 2 as is_proved
    from {{ ref('int_identity_edges_in_scope') }}
    where refusal_reason is null and not is_bridge_a and not is_bridge_b
),

logins as (
    select identifier_key
    from {{ ref('int_identifiers') }}
    where identifier_type = 'login'
),

login_edges as (
    {%- for login, other in [('key_a', 'key_b'), ('key_b', 'key_a')] %}
    select
        edges.key_a,
        edges.key_b,
        edges.{{ login }} as login_key,
        edges.{{ other }} as other_key,
        edges.is_proved
    from edges
    inner join logins on edges.{{ login }} = logins.identifier_key
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

named_records as (
    select
        records.*,
        names.full_name
    from {{ ref('int_identity_records') }} as records
    inner join {{ ref('int_person_names') }} as names on records.person_name = names.person_name
    where records.evidence_rank <= 2 and names.full_name is not null and {{ in_scope('records.hub_key') }}
),

holders as (
    select distinct
        login as login_key,
        full_name
    from named_records
    where login is not null and evidence_rank = 2
),

named_logins as (
    select distinct login_key
    from holders
),

payers as (
    {%- for type in others %}
    select
        {{ type }} as other_key,
        full_name
    from named_records
    where {{ type }} is not null and evidence_rank = 1
    {{ 'union' if not loop.last }}
    {%- endfor %}
),

counted as (
    select
        key_a,
        key_b,
        login_key,
        other_key,
        is_proved,
        count(*) over (partition by other_key) as login_count
    from login_edges
),

paid_by_another as (
    select distinct
        counted.login_key,
        counted.other_key
    from counted
    inner join payers on counted.other_key = payers.other_key
    inner join named_logins on counted.login_key = named_logins.login_key
    left join holders on counted.login_key = holders.login_key and payers.full_name = holders.full_name
    where not counted.is_proved and holders.login_key is null
)

select
    counted.key_a,
    counted.key_b,
    counted.login_key,
    counted.other_key,
    'unproved_login' as refusal_reason
from counted
left join paid_by_another
    on counted.login_key = paid_by_another.login_key and counted.other_key = paid_by_another.other_key
where not counted.is_proved and (counted.login_count > 1 or paid_by_another.login_key is not null)
