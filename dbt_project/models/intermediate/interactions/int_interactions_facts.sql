{#-
    What happened with a person apart from visits and messages: one row of a source is one interaction, or one for
    each of its moments.
-#}
{{ config(materialized='view') }}

{%- set text = dbt.type_string() %}

with orders as (
    select *
    from {{ ref('int_orders_resolved') }}
    where customer_id is not null and status <> 'test'
),

feedback as (
    select *
    from {{ ref('int_feedback_resolved') }}
    -- What was reviewed or shared on the site is there as an event of the visit
    where customer_id is not null and source = 'feedback'
),

vouchers as (
    select *
    from {{ ref('int_vouchers_resolved') }}
    where customer_id is not null
),

checkouts as (
    select *
    from {{ ref('int_checkouts_resolved') }}
    where customer_id is not null
),

contacts as (
    select *
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null and contact_source = 'contacts' and created_at <= {{ as_of() }}
),

facts as (
    {%- for kind, moment, value, condition in [
        ('order_placed', 'ordered_at', 'gross_sales - discounts', 'not is_return_document'),
        ('order_cancelled', 'cancelled_at', 'gross_sales - discounts', 'cancelled_at is not null'),
        ('order_returned', 'refunded_at', 'returns', 'refunded_at is not null'),
    ] %}
    select
        {{ key_number(["'" ~ kind ~ "'", 'order_source', 'order_id']) }} as interaction_id,
        customer_id,
        {{ moment }} as occurred_at,
        order_source as source_system,
        case sales_channel when 'store' then 'store' else 'web' end as channel,
        case sales_channel when 'store' then 'store' else 'web' end as touchpoint,
        '{{ kind }}' as kind,
        country_code as place,
        {{ plain_words('city') }} as city,
        store_id,
        cast(null as {{ text }}) as product_id,
        order_id,
        cast({{ value }} as decimal(18, 4)) as value,
        currency,
        {{ json_object_text({'sales_channel': 'sales_channel', 'discount_code': 'discount_code'}) }} as detail
    from orders
    where {{ condition }}
    union all
    {%- endfor %}
    select
        {{ key_number(["'feedback'", 'feedback_key']) }} as interaction_id,
        customer_id,
        occurred_at,
        source as source_system,
        'other' as channel,
        cast(null as {{ text }}) as touchpoint,
        kind,
        cast(null as {{ text }}) as place,
        cast(null as {{ text }}) as city,
        cast(null as {{ text }}) as store_id,
        product_id,
        cast(null as {{ text }}) as order_id,
        cast(null as decimal(18, 4)) as value,
        cast(null as {{ text }}) as currency,
        case
            when question is not null
                then {{ json_object_text({'question': plain_words('question'), 'score': 'score'}) }}
            when score is not null then {{ json_object_text({'score': 'score'}) }}
        end as detail
    from feedback
    union all
    -- The site tells of carts by its own events; this is the shop system's word
    select
        {{ key_number(["'checkout_begun'", 'checkout_id']) }} as interaction_id,
        customer_id,
        started_at as occurred_at,
        'shopify' as source_system,
        'web' as channel,
        'web' as touchpoint,
        'checkout_begun' as kind,
        cast(null as {{ text }}) as place,
        cast(null as {{ text }}) as city,
        cast(null as {{ text }}) as store_id,
        product_id,
        cast(null as {{ text }}) as order_id,
        total as value,
        currency,
        {{ json_object_text({
            'checkout': plain_code('checkout_id'), 'status': 'status', 'lines': 'line_count',
        }) }} as detail
    from checkouts
    {%- for kind, moment in [('voucher_issued', 'issued_at'), ('voucher_redeemed', 'redeemed_at')] %}
    union all
    select
        {{ key_number(["'" ~ kind ~ "'", 'voucher_key']) }} as interaction_id,
        customer_id,
        {{ moment }} as occurred_at,
        'promotions' as source_system,
        'other' as channel,
        cast(null as {{ text }}) as touchpoint,
        '{{ kind }}' as kind,
        cast(null as {{ text }}) as place,
        cast(null as {{ text }}) as city,
        cast(null as {{ text }}) as store_id,
        product_id,
        {{ 'redeemed_order_id' if kind == 'voucher_redeemed' else 'cast(null as ' ~ text ~ ')' }} as order_id,
        value_amount as value,
        currency,
        {{ json_object_text({'promotion': plain_code('promotion_id')}) }} as detail
    from vouchers
    where {{ moment }} is not null
    {%- endfor %}
    {%- for kind, condition in [
        ('signed_up', "source <> 'import'"), ('loyalty_joined', 'loyalty_id is not null'),
    ] %}
    union all
    select
        {{ key_number(["'" ~ kind ~ "'", 'contact_key']) }} as interaction_id,
        customer_id,
        created_at as occurred_at,
        contact_source as source_system,
        case source when 'store_till' then 'store' when 'checkout' then 'web' else 'other' end as channel,
        case source when 'store_till' then 'store' when 'checkout' then 'web' end as touchpoint,
        '{{ kind }}' as kind,
        country_code as place,
        cast(null as {{ text }}) as city,
        cast(null as {{ text }}) as store_id,
        cast(null as {{ text }}) as product_id,
        cast(null as {{ text }}) as order_id,
        cast(null as decimal(18, 4)) as value,
        cast(null as {{ text }}) as currency,
        {{ json_object_text({'list': plain_code('source')}) }} as detail
    from contacts
    where {{ condition }}
    {%- endfor %}
)

select *
from facts
where occurred_at <= {{ as_of() }}
