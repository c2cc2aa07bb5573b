{#- Conditions on products that are used up: who will need one again, and who was not pleased with it. -#}

{#- A product will be used up, and it is time to say so, until so many days after it is: `due_again(within_days=30)`.
    displeased=true: those who were not pleased with it, where there is one of another brand. -#}
{% macro due_again() -%}
    {%- set known = {
        'displeased': {'kind': 'flag', 'default': false},
        'within_days': {'kind': 'days', 'default': 30},
    } -%}
    {%- set given = condition_arguments('due_again', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {%- set sql -%}
        select
            customer_id,
            {{ product_in_words('product_name', 'sku') }} as value,
            {{ segment_text('until ' ~ days ~ ' days after it is used up') }} as threshold,
            remind_at as since,
            due_at + {{ days_sql(days) }} as ends_at
        from ({{ last_due(given['displeased']) }}) as due
        where due_at >= {{ as_of() }} - {{ days_sql(days) }}
    {%- endset -%}
    {{ return(condition('due_again', known, given, 'fct_replenishments',
        words='a product that they bought '
            ~ ('and were not pleased with ' if given['displeased'] else '') ~ 'is soon used up, or was in the last '
            ~ number_in_words(days, 'day', 'days'),
        ends_by='when that is too long ago, or when they buy it again', sql=sql)) }}
{%- endmacro %}

{#- What each person needs again, the latest need first; of who was displeased, with the other brand's product. -#}
{% macro last_due(displeased) -%}
    select
        replenishments.customer_id,
        replenishments.product_id,
        replenishments.displeased_by,
        replenishments.other_product_id,
        replenishments.other_promotion_id,
        replenishments.last_bought_at,
        replenishments.remind_at,
        replenishments.due_at,
        products.product_name,
        products.sku,
        products.category,
        products.price,
        others.product_name as other_product_name
    from {{ ref('fct_replenishments') }} as replenishments
    inner join {{ ref('dim_products') }} as products on replenishments.product_id = products.product_id
    left join {{ ref('dim_products') }} as others on replenishments.other_product_id = others.product_id
    where
        replenishments.remind_at <= {{ as_of() }}
        {%- if displeased %}
        and replenishments.is_displeased
        and replenishments.other_product_id is not null
        {%- else %}
        and not replenishments.is_displeased
        and coalesce(products.in_stock, true)
        {%- endif %}
    qualify row_number() over (
        partition by replenishments.customer_id order by replenishments.due_at desc, replenishments.product_id
    ) = 1
{%- endmacro %}
