{#- Conditions on products that people wanted: what became of their price and stock. -#}

{#- What somebody wanted (looked at, put in the cart or on the wishlist in the last `wanted_days`, and did not buy) costs
    less since, by price_drop_min_share or more, and they have not seen it since: `price_dropped(within_days=7)`. -#}
{% macro price_dropped() -%}
    {%- set known = {'within_days': {'kind': 'days', 'default': 7, 'max': wanted_change_days()}} -%}
    {%- set given = condition_arguments('price_dropped', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {{ return(condition('price_dropped', known, given, 'fct_product_states',
        words='a product that they wanted became cheaper' ~ within_in_words(days) ~ ', and they have not seen it since',
        ends_by='when that is too long ago, when they look at it again or buy it, or with its price',
        sql=wanted_within('price', days))) }}
{%- endmacro %}

{#- What somebody wanted, as in price_dropped(), was sold out and can be bought again: `back_in_stock(within_days=7)`. -#}
{% macro back_in_stock() -%}
    {%- set known = {'within_days': {'kind': 'days', 'default': 7, 'max': wanted_change_days()}} -%}
    {%- set given = condition_arguments('back_in_stock', known, varargs, kwargs) -%}
    {%- set days = given['within_days'] -%}
    {{ return(condition('back_in_stock', known, given, 'fct_product_states',
        words='a product that they wanted came back in stock' ~ within_in_words(days) ~ ', and they have not seen it since',
        ends_by='when that is too long ago, when they look at it again or buy it, or when it is sold out',
        sql=wanted_within('stock', days))) }}
{%- endmacro %}

{#- How many days back changes of products are looked for. -#}
{% macro wanted_change_days() -%}
    {{ return(30) }}
{%- endmacro %}

{% macro wanted_within(change, days) -%}
    {%- set text = dbt.type_string() -%}
    {%- set sql -%}
        select
            customer_id,
            {{ product_in_words('product_name', 'sku') }} as value,
            {{ segment_text('within ' ~ days ~ ' days') }} as threshold,
            changed_at as since,
            changed_at + {{ days_sql(days) }} as ends_at
        from ({{ wanted_changes(change) }}) as changes
        where changed_at >= {{ before_as_of(days, 'day') }}
    {%- endset -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Of each person the last change (price, stock) of a product that they wanted, did not buy and have not seen since. -#}
{% macro wanted_changes(change) -%}
    select
        wants.customer_id,
        changes.product_id,
        changes.sku,
        changes.price,
        changes.previous_price,
        changes.currency,
        changes.changed_at,
        wants.wanted_at,
        products.product_name,
        products.category
    from ({{ changes_of_products(change) }}) as changes
    inner join (
        select
            customer_id,
            product_id,
            max(occurred_at) as wanted_at
        from {{ ref('fct_interactions') }}
        where
            kind in ('product_viewed', 'product_added', 'product_added_to_wishlist')
            and product_id is not null
            and occurred_at >= {{ before_as_of(var('wanted_days'), 'day') }}
        group by customer_id, product_id
    ) as wants
        on changes.product_id = wants.product_id and changes.changed_at > wants.wanted_at
    inner join {{ ref('dim_products') }} as products on changes.product_id = products.product_id
    left join ({{ last_purchases_of_products() }}) as purchases
        on
            wants.customer_id = purchases.customer_id
            and wants.product_id = purchases.product_id
            and wants.wanted_at <= purchases.bought_at
    where purchases.customer_id is null
    qualify row_number() over (
        partition by wants.customer_id order by changes.changed_at desc, wants.wanted_at desc, changes.product_id
    ) = 1
{%- endmacro %}

{#- The last change of each product that still holds: a lower price, or that it can be bought again. -#}
{% macro changes_of_products(change) -%}
    select
        changed.product_id,
        changed.sku,
        changed.price,
        changed.previous_price,
        changed.currency,
        changed.valid_from as changed_at
    from {{ ref('fct_product_states') }} as changed
    -- Of another source or variant nothing is known
    inner join {{ ref('fct_product_states') }} as latest
        on
            changed.product_id = latest.product_id
            and changed.product_source = latest.product_source
            and coalesce(changed.sku, '') = coalesce(latest.sku, '')
    where
        latest.is_current
        and changed.valid_from >= {{ before_as_of(wanted_change_days(), 'day') }}
        {%- if change == 'price' %}
        and changed.price <= changed.previous_price * (1 - {{ var('price_drop_min_share') }})
        and latest.price <= changed.price
        and coalesce(latest.in_stock, true)
        {%- else %}
        and changed.in_stock
        and not changed.was_in_stock
        and latest.in_stock
        {%- endif %}
    qualify row_number() over (
        partition by changed.product_id
        order by changed.valid_from desc, changed.price, changed.product_source, changed.sku, changed.product_state_id
    ) = 1
{%- endmacro %}

{#- When people last bought each product: customer_id, product_id, bought_at. -#}
{% macro last_purchases_of_products() -%}
    select
        lines.customer_id,
        lines.product_id,
        max(orders.ordered_at) as bought_at
    from {{ ref('fct_order_lines') }} as lines
    inner join {{ ref('fct_orders') }} as orders
        on
            lines.customer_id = orders.customer_id
            and lines.order_id = orders.order_id
            and lines.order_source = orders.order_source
    where {{ is_purchase_of_goods('orders', 'lines') }}
    group by lines.customer_id, lines.product_id
{%- endmacro %}
