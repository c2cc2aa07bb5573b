{{ config(meta={'segment': {
    'label': 'First-time visitors',
    'description': 'One visit so far, in the last ' ~ var('first_time_visitor_days')
        ~ ' days, and no order: show them around.',
    'channel': 'onsite',
    'purpose': 'personalisation',
    'message_kind': 'welcome',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 90,
    'window_days': var('first_time_visitor_days'),
}}) }}

with visits as (
    select
        customer_id,
        count(*) as visit_count,
        min(started_at) as started_at,
        max(marketing_channel) as marketing_channel,
        sum(product_view_count) as product_view_count
    from {{ ref('fct_web_sessions') }}
    where customer_visit_number is not null
    group by customer_id
    having count(*) = 1
),

newcomers as (
    select visits.*
    from visits
    inner join {{ ref('dim_customers') }} as customers on visits.customer_id = customers.customer_id
    where
        visits.started_at >= {{ before_as_of(var('first_time_visitor_days'), 'day') }}
        and customers.first_ordered_at is null
),

final as (
    select
        customer_id,
        'First visit ' || {{ on_day_in_words('started_at') }}
        || coalesce(', ' || {{ marketing_channel_in_words('marketing_channel') }}, '') || ', '
        || case
            when product_view_count = 0 then 'no product viewed.'
            else {{ count_in_words('cast(product_view_count as bigint)', 'product', 'products') }} || ' viewed.'
        end as reason,
        {{ json_object_text({
            'marketing_channel': 'marketing_channel',
            'product_view_count': 'cast(product_view_count as bigint)',
            'visited_at': 'started_at',
        }) }} as context
    from newcomers
)

select * from final
