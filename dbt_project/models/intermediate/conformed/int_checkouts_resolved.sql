{#-
    Checkouts with whose they are and what became of them. One is bought when Shopify says so or an order names it;
    any other order that the person placed since it was begun answers it too, so nobody is reminded of a cart after
    they bought. What was typed in one that was left is no evidence of who somebody is: it is looked up only.
-#}
with checkouts as (
    select *
    from {{ ref('stg_shopify__checkouts') }}
    where created_at <= {{ as_of() }}
),

-- Any order that was placed counts here, also one cancelled since
orders as (
    select *
    from {{ ref('int_orders_resolved') }}
    where status <> 'test' and not is_return_document and (gross_sales > 0 or gift_cards_sold > 0)
),

customers as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where customer_id is not null
),

owned as (
    select
        checkouts.*,
        coalesce(own_ids.customer_id, emails.customer_id, phones.customer_id) as customer_id
    from checkouts
    left join customers as own_ids
        on
            checkouts.shopify_customer_id = own_ids.raw_value
            and own_ids.identifier_type = 'shopify_customer_id'
    left join customers as emails
        on checkouts.email = emails.raw_value and emails.identifier_type = 'email'
    left join customers as phones
        on checkouts.phone = phones.raw_value and phones.identifier_type = 'phone'
),

own_orders as (
    select
        {{ cart_call('checkout_id') }} as checkout_id,
        min(ordered_at) as ordered_at
    from orders
    where checkout_id is not null
    group by {{ cart_call('checkout_id') }}
),

later_orders as (
    select
        owned.checkout_id,
        min(orders.ordered_at) as ordered_at
    from owned
    inner join orders
        on owned.customer_id = orders.customer_id and owned.created_at <= orders.ordered_at
    group by owned.checkout_id
),

-- The most valuable line stands for what was left
items as (
    select
        *,
        count(*) over (partition by checkout_id) as line_count
    from {{ ref('stg_shopify__checkout_items') }}
    qualify row_number() over (
        partition by checkout_id order by unit_price * quantity desc nulls last, line_number
    ) = 1
),

followed as (
    select
        owned.*,
        case when owned.completed_at <= {{ as_of() }} then owned.completed_at else own_orders.ordered_at end
            as bought_at,
        later_orders.ordered_at as next_ordered_at
    from owned
    left join own_orders on owned.checkout_id = own_orders.checkout_id
    left join later_orders on owned.checkout_id = later_orders.checkout_id
)

select
    followed.checkout_id,
    followed.customer_id,
    followed.created_at as started_at,
    followed.updated_at as changed_at,
    followed.bought_at,
    followed.next_ordered_at,
    case
        when followed.bought_at is not null then 'bought'
        when followed.next_ordered_at is not null then 'ordered_since'
        when followed.updated_at > {{ before_as_of(var('abandoned_min_hours'), 'hour') }} then 'open'
        else 'abandoned'
    end as status,
    items.product_id,
    items.sku,
    items.product_name,
    coalesce(items.line_count, 0) as line_count,
    followed.total,
    followed.currency,
    followed.discount_code
from followed
left join items on followed.checkout_id = items.checkout_id
