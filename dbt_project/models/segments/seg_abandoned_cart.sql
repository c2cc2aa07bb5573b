{{ config(meta={'segment': {
    'label': 'Abandoned cart',
    'description': 'Left products in the cart in the last ' ~ var('abandoned_max_days') ~ ' days, and no order since.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'reminder',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 12,
    'window_days': var('abandoned_max_days'),
}}) }}

with open_steps as (
    select * from {{ ref('recent_interactions') }}
    where is_cart_event and is_after_last_order
),

carts as (
    select
        customer_id,
        max(occurred_at) as last_cart_at
    from open_steps
    group by customer_id
),

-- The last word on each product: taken out again, or still in.
products as (
    select *
    from open_steps
    where event_name in ('Product Added', 'Product Removed') and product_key is not null
    qualify row_number() over (
        partition by customer_id, product_key
        order by occurred_at desc, event_id desc
    ) = 1
),

contents as (
    select
        customer_id,
        count(*) filter (where event_name = 'Product Added') as product_count,
        count(*) filter (where event_name = 'Product Removed') as removed_count,
        sum(price * coalesce(quantity, 1)) filter (where event_name = 'Product Added') as cart_value
    from products
    group by customer_id
),

last_added as (
    select *
    from products
    where event_name = 'Product Added'
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
),

final as (
    select
        carts.customer_id,
        'Left ' || {{ product_in_words('last_added.product_name', 'last_added.sku') }}
        || case
            when contents.product_count > 1
                then ' and ' || cast(contents.product_count - 1 as {{ dbt.type_string() }}) || ' more'
            else ''
        end
        || ' in the cart ' || {{ on_day_in_words('carts.last_cart_at') }} || '.' as reason,
        {{ json_object_text({
            'product': 'last_added.product_name',
            'product_id': 'last_added.product_id',
            'sku': 'last_added.sku',
            'category': 'last_added.category',
            'product_count': 'contents.product_count',
            'value': money_in_context('contents.cart_value'),
            'cart_id': 'last_added.cart_id',
            'link': 'last_added.page_url',
            'left_at': 'carts.last_cart_at',
        }) }} as context
    from carts
    left join contents on carts.customer_id = contents.customer_id
    left join last_added on carts.customer_id = last_added.customer_id
    where
        carts.last_cart_at >= {{ before_as_of(var('abandoned_max_days'), 'day') }}
        and carts.last_cart_at <= {{ before_as_of(var('abandoned_min_hours'), 'hour') }}
        -- An emptied cart is a decision, not an accident.
        and (coalesce(contents.product_count, 0) > 0 or coalesce(contents.removed_count, 0) = 0)
)

select * from final
