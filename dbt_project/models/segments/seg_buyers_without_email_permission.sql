{{ config(meta={'segment': {
    'label': 'Buyers without email permission',
    'description': 'A kept order, and no email for marketing allowed: reach them where they said yes.',
    'channel': 'sms',
    'purpose': 'marketing',
    'message_kind': 'newsletter',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 70,
    'may_be_everybody': True,
}}) }}

with buyers as (
    select * from {{ ref('fct_customer_order_summary') }}
    where order_count > 0
),

permission as (
    select * from {{ ref('contactability') }}
    where channel = 'email' and purpose = 'marketing'
),

final as (
    select
        buyers.customer_id,
        {{ count_in_words('buyers.order_count', 'order', 'orders') }}
        || case when buyers.order_count = 1 then ', ' else ', the last ' end
        || {{ on_date_in_words('buyers.last_ordered_date') }} || ', but '
        || {{ permission_in_words('permission.reason') }} || '.' as reason,
        {{ json_object_text({
            'permission': "coalesce(permission.reason, 'no_consent')",
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'last_ordered_on': 'buyers.last_ordered_date',
        }) }} as context
    from buyers
    left join permission on buyers.customer_id = permission.customer_id
    where not coalesce(permission.is_contactable, false)
)

select * from final
