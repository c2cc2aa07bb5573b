{#- How much each search of the last days found. What was searched for stands in the timeline alone. -#}
{%- set days = [var('abandoned_max_days'), var('high_intent_window_days')] | max %}

select
    interaction_id,
    customer_id,
    cast({{ json_text('detail', '$.results') }} as bigint) as result_count,
    row_number() over (partition by customer_id order by occurred_at desc, interaction_id desc) = 1 as is_last,
    occurred_at as searched_at
from {{ ref('fct_interactions') }}
where
    kind = 'products_searched'
    and customer_id is not null
    -- One more day, so that a segment's own boundary and not this window decides
    and occurred_at >= {{ before_as_of(days + 1, 'day') }}
