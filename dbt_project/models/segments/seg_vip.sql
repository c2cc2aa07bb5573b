{{ config(meta={'segment': {
    'label': 'VIP',
    'description': 'The best ' ~ '%g' | format(var('vip_top_share') * 100) ~ ' % of buyers by what they kept, with at least '
        ~ var('vip_min_orders') ~ ' orders.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 20,
}}) }}

-- The share is of all buyers whose value is known. Equal values are told apart by more orders, the
-- later order and the id, so the number of places never depends on ties.
with buyers as (
    select
        *,
        row_number() over (
            order by lifetime_net_sales desc, order_count desc, last_ordered_at desc, customer_id
        ) as value_rank,
        count(*) over () as buyer_count
    from {{ ref('fct_customer_order_summary') }}
    where order_count > 0 and lifetime_net_sales is not null
),

purchases as (
    select * from {{ ref('customer_last_purchases') }}
),

final as (
    select
        buyers.customer_id,
        'Among the best {{ '%g' | format(var('vip_top_share') * 100) }} % of buyers by value: '
        || {{ money_in_words('buyers.lifetime_net_sales', 'buyers.currency') }} || ' after returns, over '
        || {{ count_in_words('buyers.order_count', 'order', 'orders') }} || '.' as reason,
        {{ json_object_text({
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
        }) }} as context
    from buyers
    left join purchases on buyers.customer_id = purchases.customer_id
    where
        buyers.value_rank <= ceil({{ var('vip_top_share') }} * buyers.buyer_count)
        and buyers.order_count >= {{ var('vip_min_orders') }}
        and buyers.lifetime_net_sales > 0
)

select * from final
