{{ config(severity='warn') }}
{#- Whoever wrote the name of a segment that is not there would wait for a promotion that nobody may have. -#}
select
    promotion_source,
    promotion_id,
    for_segment
from {{ ref('dim_promotions') }}
where
    for_segment is not null
    and status <> 'ended'
    and lower(replace(trim(for_segment), ' ', '_')) not in (
        '{{ segment_names() | join("', '") }}'
    )
