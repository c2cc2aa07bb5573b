with observed as (
    select
        order_source as source,
        'orders' as what,
        ordered_at as event_at
    from {{ ref('fct_orders') }}
    union all
    select
        'web' as source,
        'visits' as what,
        ended_at as event_at
    from {{ ref('fct_web_sessions') }}
    union all
    select
        message_source as source,
        'messages' as what,
        sent_at as event_at
    from {{ ref('fct_messages') }}
    union all
    select
        contact_source as source,
        'contacts' as what,
        coalesce(updated_at, created_at) as event_at
    from {{ ref('int_contacts_resolved') }}
    union all
    select
        'feedback' as source,
        'answers and referrals' as what,
        occurred_at as event_at
    from {{ ref('int_feedback_resolved') }}
    union all
    select
        'consents' as source,
        'consent events' as what,
        occurred_at as event_at
    from {{ ref('stg_ops__consent_events') }}
),

final as (
    select
        source,
        what,
        count(*) as row_count,
        count(*) filter (where event_at >= {{ before_as_of(1, 'day') }}) as row_count_1d,
        count(*) filter (where event_at >= {{ before_as_of(7, 'day') }}) as row_count_7d,
        {{ dbt.datediff('max(event_at)', as_of(), 'hour') }} as hours_since_last_event,
        min(event_at) as first_event_at,
        max(event_at) as last_event_at
    from observed
    where event_at <= {{ as_of() }}
    group by source, what
)

select * from final
