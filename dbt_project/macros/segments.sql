{#-
    What segments share. A segment is one file, models/segments/seg_<name>.sql; the command line
    hands dbt the names it finds there as the var `segments`, so adding a file is enough.
    The list below serves a bare `dbt build`; a test compares it with the folder.
-#}
{% macro segment_names() -%}
    {{ return(var('segments', none) or [
        'abandoned_browse',
        'abandoned_cart',
        'at_risk',
        'buyers_without_email_permission',
        'first_time_visitors',
        'high_intent',
        'loyal_customers',
        'new_subscribers',
        'one_time_buyers',
        'recent_buyers',
        'vip',
    ]) }}
{%- endmacro %}

{#- Every member of every segment: segment, customer_id. -#}
{% macro all_segment_members() -%}
    {%- for segment in segment_names() %}
    select
        '{{ segment }}' as segment,
        customer_id
    from {{ ref('seg_' ~ segment) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- What a product is called in a sentence. -#}
{% macro product_in_words(product_name, sku) -%}
    coalesce({{ product_name }}, {{ sku }}, 'a product')
{%- endmacro %}

{#- What tells one product from another where a source leaves out the id. -#}
{% macro product_key_of(product_id, sku, product_name) -%}
    coalesce({{ product_id }}, {{ sku }}, {{ product_name }})
{%- endmacro %}
