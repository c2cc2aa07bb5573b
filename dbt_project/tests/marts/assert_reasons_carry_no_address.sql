-- A reason is read by people and printed in reports: no email or phone stands in it.
{%- for segment in segment_names() %}
select
    '{{ segment }}' as segment,
    members.customer_id
from {{ ref('seg_' ~ segment) }} as members
where members.reason like '%_@_%._%' or trim(members.reason) = ''
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
