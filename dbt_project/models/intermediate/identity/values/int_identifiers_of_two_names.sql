{#- Cards and phones under two full names on paid orders, whoever else was seen with them. -#}
with dictionary as (
    select *
    from {{ ref('int_identifier_values') }}
),

orders as (
    select
        orders.phone,
        order_payments.payment_fingerprint as payment_card,
        {{ written_name('orders.first_name', 'orders.last_name') }} as person_name
    from {{ ref('int_orders_unioned') }} as orders
    inner join {{ ref('int_order_payments') }} as order_payments
        on orders.order_id = order_payments.order_id and orders.order_source = order_payments.order_source
    where
        not orders.is_test
        and orders.financial_status in ('paid', 'partially_paid', 'partially_refunded', 'refunded')
),

written_names as (
    select distinct
        'phone' as identifier_type,
        trim(phone) as raw_value,
        person_name
    from orders
    union all
    select distinct
        'payment_card' as identifier_type,
        trim(payment_card) as raw_value,
        person_name
    from orders
    union all
    select distinct
        'payment_card' as identifier_type,
        trim(payment_fingerprint) as raw_value,
        billing_name as person_name
    from {{ ref('stg_payments__payments') }}
    where is_successful
),

keyed_names as (
    select distinct
        dictionary.identifier_key,
        written_names.person_name
    from written_names
    inner join dictionary
        on
            written_names.identifier_type = dictionary.identifier_type
            and written_names.raw_value = dictionary.raw_value
    where dictionary.identifier_key is not null and written_names.person_name <> ''
),

-- Comparing names is costly and most values have one
several_names as (
    select identifier_key
    from keyed_names
    group by identifier_key
    having count(*) > 1
)

select identifier_key
from (
    select
        identifier_key,
        {{ full_name('person_name') }} as full_name
    from keyed_names
    where identifier_key in (select identifier_key from several_names)
) as compared
where full_name is not null
group by identifier_key
having count(distinct full_name) > 1
