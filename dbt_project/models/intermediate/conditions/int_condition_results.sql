{#-
    Each condition that a segment uses, worked out once. The conditions are what `members()` recorded in the models of
    segments; they read the tables of condition_sources() and nothing else.
-#}
{%- if not execute -%}
    {#- dbt learns what a model rests on when it reads the project, and knows no conditions yet -#}
    {%- for table in condition_sources() -%}
        {%- do ref(table) -%}
    {%- endfor -%}
{%- endif -%}

with results as (
    {{ condition_results(segment_rules()) }}
),

final as (
    select
        condition,
        customer_id,
        value,
        threshold,
        source,
        since,
        ends_at,
        case
            when ends_at is null then ends_by
            else cast(cast(ends_at as date) as {{ dbt.type_string() }}) || ', ' || ends_by
        end as ends_when
    from results
    where customer_id is not null
)

select * from final
