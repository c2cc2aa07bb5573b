{#- Whose each order is, by the most trusted of its identifiers that stands for one person. The lookup is
    not a CTE: read seven times, it would be written out whole first. -#}
{%- set lookups = {
    'shopify_customer_id': 'orders.shopify_customer_id',
    'orders_customer_id': 'orders.orders_customer_id',
    'login': 'completions.login_id',
    'email': 'orders.email',
    'payment_card': 'payments.payment_fingerprint',
    'phone': 'orders.phone',
    'device': 'coalesce(orders.device_id, completions.device_id)',
} %}

with orders as (
    select *
    from {{ ref('int_orders_unioned') }}
),

payments as (
    select *
    from {{ ref('int_order_payments') }}
),

completions as (
    select
        order_id,
        min(device_id) as device_id,
        min(login_id) as login_id
    from {{ ref('int_web_order_completions') }}
    group by order_id
)

select
    orders.order_id,
    orders.order_source,
    coalesce(
        {%- for type in lookups %}
        {{ type }}_owners.customer_id{{ ',' if not loop.last }}
        {%- endfor %}
    ) as customer_id,
    {%- for column in ['identifier_type', 'identifier_value'] %}
    -- Of an order of nobody: the most trusted of its identifiers, none of which may stand for somebody
    case
        when
            coalesce(
                {%- for type in lookups %}
                {{ type }}_owners.customer_id{{ ',' if not loop.last }}
                {%- endfor %}
            ) is null
            then coalesce(
                {%- for type in lookups %}
                {{ type }}_owners.{{ column }}{{ ',' if not loop.last }}
                {%- endfor %}
            )
    end as refused_{{ column }},
    {%- endfor %}
    payments.is_card_paid,
    payments.payment_fingerprint
from orders
left join payments
    on orders.order_id = payments.order_id and orders.order_source = payments.order_source
left join completions on orders.order_id = completions.order_id
{%- for type, value in lookups.items() %}
left join {{ ref('int_raw_identifier_customers') }} as {{ type }}_owners
    on
        trim({{ value }}) = {{ type }}_owners.raw_value
        and {{ type }}_owners.identifier_type = '{{ type }}'
        {%- if type == 'device' %}
        and not {{ type }}_owners.is_shared
        {%- endif %}
{%- endfor %}
