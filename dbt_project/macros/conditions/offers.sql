{#- Conditions on what people may have for less: vouchers of their own, promotions that are live. -#}

{#- A voucher of their own that can be used: `has_voucher(unused_for_days=14)`, `has_voucher(expires_within_days=7)`. -#}
{% macro has_voucher() -%}
    {%- set known = {'unused_for_days': {'kind': 'days'}, 'expires_within_days': {'kind': 'days'}} -%}
    {%- set given = condition_arguments('has_voucher', known, varargs, kwargs) -%}
    {%- set unused, expires = given.get('unused_for_days'), given.get('expires_within_days') -%}
    {%- set begins = ['coalesce(valid_from, issued_at)'] -%}
    {%- if unused -%}
        {%- do begins.append('coalesce(valid_from, issued_at) + ' ~ days_sql(unused)) -%}
    {%- endif -%}
    {%- if expires -%}
        {%- do begins.append('valid_until - ' ~ days_sql(expires)) -%}
    {%- endif -%}
    {%- set sql -%}
        select
            customer_id,
            coalesce(promotion_name, promotion_id, 'a voucher') as value,
            {{ segment_text((
                ('unused for ' ~ unused ~ ' days ' if unused else '') ~ ('ends within ' ~ expires ~ ' days' if expires else '')
            ) | trim or 'open') }} as threshold,
            {{ 'greatest(' ~ begins | join(', ') ~ ')' if begins | length > 1 else begins[0] }} as since,
            valid_until as ends_at
        from ({{ soonest_vouchers(unused, expires) }}) as vouchers
    {%- endset -%}
    {{ return(condition('has_voucher', known, given, 'fct_vouchers',
        words='has a voucher that they can use'
            ~ (', unused for ' ~ number_in_words(unused, 'day', 'days') if unused else '')
            ~ (', which ends within ' ~ number_in_words(expires, 'day', 'days') if expires else ''),
        negated=none if given else 'no voucher that they can use',
        ends_by='when they use it, or it ends', sql=sql)) }}
{%- endmacro %}

{#- Of each person the open voucher that ends first. -#}
{% macro soonest_vouchers(unused=none, expires=none) -%}
    select *
    from {{ ref('fct_vouchers') }}
    where
        status = 'open'
        and customer_id is not null
        {%- if unused %}
        and coalesce(valid_from, issued_at) <= {{ as_of() }} - {{ days_sql(unused) }}
        {%- endif %}
        {%- if expires %}
        and valid_until <= {{ as_of() }} + {{ days_sql(expires) }}
        {%- endif %}
    qualify row_number() over (
        partition by customer_id order by valid_until nulls last, issued_at nulls last, voucher_key
    ) = 1
{%- endmacro %}

{#- Looked at a product for which, or for whose category, a promotion of everybody's is live that they have not used, and
    ordered nothing since: `viewed_on_offer(within_days=7)`. -#}
{% macro viewed_on_offer() -%}
    {%- set known = {'within_days': {'kind': 'days', 'default': var('abandoned_max_days'), 'max': recent_days()}} -%}
    {%- set given = condition_arguments('viewed_on_offer', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {%- set sql -%}
        select
            customer_id,
            coalesce(promotion_name, promotion_id) as value,
            {{ segment_text('within ' ~ days ~ ' days') }} as threshold,
            greatest(viewed_at, coalesce(starts_at, viewed_at)) as since,
            least(viewed_at + {{ days_sql(days) }}, coalesce(ends_at, viewed_at + {{ days_sql(days) }})) as ends_at
        from ({{ viewed_offers() }}) as offers
        where viewed_at >= {{ as_of() }} - {{ days_sql(days) }}
    {%- endset -%}
    {{ return(condition('viewed_on_offer', known, given, 'dim_promotions',
        words='looked at a product with a promotion on it or on its category' ~ within_in_words(days)
            ~ ', without an order since',
        ends_by='when that is too long ago, when the promotion ends, or with an order', sql=sql)) }}
{%- endmacro %}

{#- Of each person the product last looked at that a live promotion of everybody's is on, with the promotion. -#}
{% macro viewed_offers() -%}
    select
        views.customer_id,
        views.product_id as viewed_product_id,
        views.product_name,
        views.sku,
        views.category as viewed_category,
        views.occurred_at as viewed_at,
        promotions.*
    from (
        {{ last_web_steps_by_category() }}
    ) as views
    inner join ({{ live_promotions() }}) as promotions
        on coalesce(promotions.category, views.category, '') = coalesce(views.category, '')
    {{ join_used_code('views', 'promotions') }}
    where
        promotions.for_segment is null
        and promotions.voucher_count = 0
        and coalesce(promotions.category, promotions.product_id) is not null
        and coalesce(promotions.product_id = views.product_id, promotions.product_id is null)
        and {{ is_unused('promotions') }}
    qualify row_number() over (
        partition by views.customer_id
        order by
            views.occurred_at desc, promotions.percent_off desc nulls last, promotions.amount_off desc nulls last,
            promotions.promotion_source, promotions.promotion_id, views.product_id
    ) = 1
{%- endmacro %}

{#- The last look of each person at each product since their last order. -#}
{% macro last_web_steps_by_category() -%}
    select *
    from {{ ref('recent_interactions') }}
    where event_name = 'Product Viewed' and is_after_last_order and coalesce(product_id, category) is not null
    qualify row_number() over (
        partition by customer_id, product_id, category order by occurred_at desc, event_id desc
    ) = 1
{%- endmacro %}
