{#-
    Tiers of value: above the 95th, 80th and 50th percentile of all buyers' values, else low. Equal
    values have equal tiers; a shop in which all are worth the same has only low.
-#}
{% macro clv_tiers() -%}
    {{ return({'top': 0.95, 'high': 0.8, 'middle': 0.5}) }}
{%- endmacro %}

{% macro clv_tier_cuts(value) -%}
    {%- for tier, share in clv_tiers().items() %}
    percentile_disc({{ share }}) within group (order by {{ value }}) as {{ tier }}_cut
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
{%- endmacro %}

{% macro clv_tier(value, cuts) -%}
    case
        when {{ value }} is null then null
        {%- for tier in clv_tiers() %}
        when {{ value }} > {{ cuts }}.{{ tier }}_cut then '{{ tier }}'
        {%- endfor %}
        else 'low'
    end
{%- endmacro %}

{#- What each buyer is worth: net sales to date, and what is predicted for a year where that is proven. -#}
{% macro lifetime_values() -%}
    select
        customers.customer_id,
        cast(
            customers.lifetime_net_sales + coalesce(cast(clv.predicted_clv_365d as decimal(18, 4)), 0)
            as decimal(18, 4)
        ) as lifetime_value,
        clv.null_reason,
        {%- for end in ['365d', 'low', 'high'] %}
        cast(clv.predicted_clv_{{ end }} as decimal(18, 4)) as predicted_clv_{{ end }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from {{ ref('dim_customers') }} as customers
    left join {{ ref('fct_customer_clv') }} as clv
        on customers.customer_id = clv.customer_id and clv.as_of_date = {{ as_of_date() }}
    where customers.order_count > 0
{%- endmacro %}
