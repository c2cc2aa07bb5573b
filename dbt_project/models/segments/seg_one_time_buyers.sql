{{ config(meta={'segment': {
    'label': 'One-time buyers',
    'description': 'Exactly one kept order: the second order is the one to win.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 60,
}}) }}

with buyers as (
    select * from {{ ref('fct_customer_order_summary') }}
    where order_count = 1
),

first_products as (
    select * from {{ ref('customer_last_purchases') }}
),

final as (
    select
        buyers.customer_id,
        'Bought once, ' || {{ on_date_in_words('buyers.last_ordered_date') }} || ': '
        || first_products.product_words || '.' as reason,
        {{ json_object_text({
            'product': 'first_products.product_name',
            'product_id': 'first_products.product_id',
            'category': 'first_products.category',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'last_ordered_on': 'buyers.last_ordered_date',
        }) }} as context
    from buyers
    left join first_products on buyers.customer_id = first_products.customer_id
)

select * from final
