with latest as (
    {{ latest_versions(
        source('raw_spend', 'spend'),
        ['date', 'marketing_channel', 'campaign', 'programme', 'currency'],
        where='date <= cast(' ~ as_of() ~ ' as date)'
    ) | indent(4) }}
)

select
    date as spend_date,
    lower(trim(marketing_channel)) as marketing_channel,
    campaign,
    nullif(trim(programme), '') as programme,
    cost,
    upper(trim(currency)) as currency,
    claimed_orders,
    claimed_value,
    _row_id
from latest
