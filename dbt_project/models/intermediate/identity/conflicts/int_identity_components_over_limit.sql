{#-
    Identifiers of one component that are more of a kind than one person may have (seed `person_limits`).
    A limit is named by its place in `person_limits()`.
-#}
with members as (
    select
        before_cuts.component,
        before_cuts.node,
        identifiers.identifier_type,
        {{ epoch_micros('sightings.first_seen_at') }} as first_seen_micros
    from {{ ref('int_identity_components_before_cuts') }} as before_cuts
    inner join {{ ref('int_identifiers') }} as identifiers on before_cuts.node = identifiers.identifier_key
    inner join {{ ref('int_identifier_sightings') }} as sightings on before_cuts.node = sightings.identifier_key
),

counted as (
    {%- for limit in person_limits() %}
    select
        component,
        node,
        {{ loop.index }} as limit_number,
        first_seen_micros,
        {% if limit.window_days -%}
        count(*) over (
            partition by component
            order by first_seen_micros
            range between {{ limit.window_days * 86400000000 }} preceding and current row
        ) > {{ limit.max_count }} as is_beyond
        {%- else -%}
        count(*) over (partition by component) > {{ limit.max_count }} as is_beyond
        {%- endif %}
    from members
    where identifier_type = '{{ limit.identifier_type }}'
    {{ 'union all' if not loop.last }}
    {%- else %}
    select
        component,
        node,
        1 as limit_number,
        first_seen_micros,
        false as is_beyond
    from members
    where false
    {%- endfor %}
),

over_limit as (
    select distinct component
    from counted
    where is_beyond
)

select
    counted.component,
    counted.node,
    counted.limit_number,
    counted.first_seen_micros
from counted
inner join over_limit on counted.component = over_limit.component
