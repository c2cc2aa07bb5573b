-- The run does not know the future.
{%- set moments = [
    ('fct_orders', 'ordered_at'), ('fct_web_sessions', 'started_at'), ('fct_messages', 'sent_at'),
    ('fct_customer_journey_stages', 'entered_at'), ('fct_customer_journey_stages', 'exited_at'),
    ('fct_interactions', 'occurred_at'), ('recent_interactions', 'occurred_at'), ('dim_customers', 'first_seen_at'),
] %}
with late as (
    {%- for model, column in moments %}
    select
        '{{ model }}.{{ column }}' as what,
        count(*) as row_count
    from {{ ref(model) }}
    where {{ column }} > {{ as_of() }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from late
where row_count > 0
