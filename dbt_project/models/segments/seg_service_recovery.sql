{{ config(meta={'segment': {
    'label': 'Service recovery',
    'description': 'Complained, asked for help or wrote a bad review in the last ' ~ var('service_recovery_days')
        ~ ' days, and the case is not closed: put it right.',
    'channel': 'email',
    'purpose': 'transactional',
    'message_kind': 'service',
    'plain_context': {},
    'destinations': ['file'],
    'priority': 5,
    'window_days': var('service_recovery_days'),
}}) }}

with open_cases as (
    select *
    from {{ ref('customer_engagement') }}
    where open_case_count > 0 and last_open_case_at >= {{ before_as_of(var('service_recovery_days'), 'day') }}
),

products as (
    select * from {{ ref('dim_products') }}
),

final as (
    select
        open_cases.customer_id,
        case open_cases.last_open_case_kind
            when 'complaint' then 'Complained' when 'support' then 'Asked for help' else 'Wrote a bad review'
        end
        || coalesce(' about ' || products.product_name, '') || ' '
        || {{ on_day_in_words('open_cases.last_open_case_at') }} || ', and the case is open.' as reason,
        {{ json_object_text({
            'case': 'open_cases.last_open_case_kind',
            'case_at': 'open_cases.last_open_case_at',
            'case_count': 'open_cases.open_case_count',
            'product': 'products.product_name',
            'product_id': 'open_cases.last_open_case_product_id',
        }) }} as context
    from open_cases
    left join products on open_cases.last_open_case_product_id = products.product_id
)

select * from final
