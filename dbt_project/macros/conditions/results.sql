{#-
    Working out the conditions that segments use, each distinct one once.

    Belongs here: which tables conditions may read, and the SQL of int_condition_results. Does not belong here: what
    a condition means.
-#}

{#- The published tables that conditions may read; none of them may rest on a segment. A test compares the list. -#}
{% macro condition_sources() -%}
    {{ return([
        'contactability',
        'customer_engagement',
        'customer_interests',
        'customer_lists',
        'customer_personalisation',
        'customer_preferences',
        'customer_traits',
        'dim_customers',
        'dim_occasions',
        'dim_products',
        'dim_promotions',
        'fct_checkouts',
        'fct_customer_clv',
        'fct_customer_intent',
        'fct_customer_journey_stages',
        'fct_customer_order_summary',
        'fct_customer_predictions',
        'fct_customer_rfm',
        'fct_customer_rfm_engagement',
        'fct_experiment_assignments',
        'fct_interactions',
        'fct_messages',
        'fct_order_codes',
        'fct_order_lines',
        'fct_order_tags',
        'fct_orders',
        'fct_persona_paths',
        'fct_product_states',
        'fct_recommendations',
        'fct_replenishments',
        'fct_sign_ups',
        'fct_vouchers',
        'fct_web_sessions',
        'recent_interactions',
        'recent_searches',
        'shop_rhythm',
    ]) }}
{%- endmacro %}

{#- Each condition of these rules once, by its key, in the order of the keys. -#}
{% macro distinct_conditions(rules) -%}
    {%- set by_key = {} -%}
    {%- for _, rule in rules -%}
        {%- for leaf in leaves_of({'all_of': rule or []}) if 'segment' not in leaf -%}
            {%- do by_key.update({leaf.key: leaf}) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(by_key.values() | sort(attribute='key') | list) }}
{%- endmacro %}

{#- Whoever each condition holds for. Its macro is called again: what a segment recorded has no moment in it. -#}
{% macro condition_results(rules) -%}
    {%- set text = dbt.type_string() -%}
    {%- for leaf in distinct_conditions(rules) %}
    select
        {{ segment_text(leaf.key) }} as condition,
        customer_id,
        cast(value as {{ text }}) as value,
        cast(threshold as {{ text }}) as threshold,
        {{ segment_text(leaf.source) }} as source,
        cast(since as timestamp) as since,
        cast(ends_at as timestamp) as ends_at,
        {{ segment_text(leaf.ends_by) }} as ends_by
    from (
        {{ context[leaf.condition](**leaf.arguments)['sql'] }}
    ) as people_{{ loop.index }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        cast(null as {{ text }}) as condition,
        cast(null as {{ text }}) as customer_id,
        cast(null as {{ text }}) as value,
        cast(null as {{ text }}) as threshold,
        cast(null as {{ text }}) as source,
        cast(null as timestamp) as since,
        cast(null as timestamp) as ends_at,
        cast(null as {{ text }}) as ends_by
    {%- endfor %}
{%- endmacro %}
