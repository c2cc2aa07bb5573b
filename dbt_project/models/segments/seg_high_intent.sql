{{ config(meta={'segment': {
    'label': 'High intent',
    'description': 'Opened or clicked an email, then viewed products, all within ' ~ var('high_intent_window_days')
        ~ ' days; no order since.',
    'channel': 'email',
    'purpose': 'marketing',
    'message_kind': 'offer',
    'plain_context': {},
    'exit_on': ['order_placed'],
    'destinations': ['file'],
    'priority': 16,
    'window_days': var('high_intent_window_days'),
}}) }}

-- The whole chain lies in the last days before the run: an old click is no intent of today.
with touches as (
    select
        customer_id,
        case when clicked_at >= {{ before_as_of(var('high_intent_window_days'), 'day') }} then clicked_at end
            as clicked_at,
        case when opened_at >= {{ before_as_of(var('high_intent_window_days'), 'day') }} then opened_at end
            as opened_at
    from {{ ref('fct_messages') }}
    where
        customer_id is not null
        and channel = 'email'
        and (
            clicked_at >= {{ before_as_of(var('high_intent_window_days'), 'day') }}
            or opened_at >= {{ before_as_of(var('high_intent_window_days'), 'day') }}
        )
),

moments as (
    select
        customer_id,
        opened_at as touched_at,
        false as is_click
    from touches
    where opened_at is not null
    union all
    select
        customer_id,
        clicked_at as touched_at,
        true as is_click
    from touches
    where clicked_at is not null
),

views as (
    select * from {{ ref('recent_interactions') }}
    where event_name = 'Product Viewed' and is_after_last_order
),

first_moments as (
    select
        moments.customer_id,
        min(moments.touched_at) as touched_at,
        bool_or(moments.is_click) as has_clicked
    from moments
    inner join (
        select distinct
            customer_id,
            last_order_at
        from views
    ) as viewers
        on moments.customer_id = viewers.customer_id
    where viewers.last_order_at is null or viewers.last_order_at < moments.touched_at
    group by moments.customer_id
),

views_after as (
    select views.*
    from first_moments
    inner join views
        on
            first_moments.customer_id = views.customer_id
            and first_moments.touched_at <= views.occurred_at
),

interest as (
    select
        customer_id,
        count(distinct product_key) as product_count,
        max(occurred_at) as last_viewed_at
    from views_after
    group by customer_id
),

last_views as (
    select *
    from views_after
    qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
),

final as (
    select
        interest.customer_id,
        case when first_moments.has_clicked then 'Clicked' else 'Opened' end || ' an email, then viewed '
        || {{ count_in_words('interest.product_count', 'product', 'products') }} || ', last '
        || {{ product_in_words('last_views.product_name', 'last_views.sku') }} || ' '
        || {{ on_day_in_words('interest.last_viewed_at') }} || '; no order since.' as reason,
        {{ json_object_text({
            'product': 'last_views.product_name',
            'product_id': 'last_views.product_id',
            'sku': 'last_views.sku',
            'category': 'last_views.category',
            'product_count': 'interest.product_count',
            'value': money_in_context('last_views.price'),
            'link': 'last_views.page_url',
            'touched_at': 'first_moments.touched_at',
            'viewed_at': 'interest.last_viewed_at',
        }) }} as context
    from interest
    inner join first_moments on interest.customer_id = first_moments.customer_id
    inner join last_views on interest.customer_id = last_views.customer_id
    where interest.product_count >= {{ var('high_intent_min_product_views') }}
)

select * from final
