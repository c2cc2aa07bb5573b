{#-
    All that speaks for or against an identifier, as a count and a checksum: its records with what is refused
    on them, its names on paid orders, its rules. Times of later sightings are not in it: they move every day
    and decide nothing.
-#}
{%- set types = identifier_types() %}

with records as (
    select
        *,
        {{ hash_number(
            'source_system, rule, evidence_rank, source_record_id, observed_at, person_name, '
            ~ types | join(', ') ~ ', ' ~ types | join('_refusal, ') ~ '_refusal, previous_login, previous_login_refusal'
        ) }} as fact
    from {{ ref('int_identity_records') }}
),

facts as (
    {%- for type in types + ['previous_login'] %}
    select
        {{ type }} as identifier_key,
        fact
    from records
    where {{ type }} is not null
    union all
    {%- endfor %}
    select
        identifier_key,
        {{ hash_number("'two names'") }} as fact
    from {{ ref('int_identifiers_of_two_names') }}
    {%- for end in ['key_a', 'key_b'] %}
    union all
    -- A rule is as old as the run: whom it names is looked at every time
    select
        {{ end }} as identifier_key,
        {{ hash_number("rule, key_a, key_b, block_reason, reason, " ~ as_of()) }} as fact
    from {{ ref('int_identity_rule_edges') }}
    {%- endfor %}
)

select
    identifier_key,
    count(*) as fact_count,
    {{ hash_total('fact') }} as fact_checksum
from facts
group by identifier_key
