with latest as (
    {{ latest_versions(
        source('raw_spend', 'spend'),
        ['date', 'marketing_channel', 'campaign', 'currency'],
        where='date <= cast(' ~ as_of() ~ ' as date)'
    ) | indent(4) }}
)

select
    date as spend_date,
    lower(trim(marketing_channel)) as marketing_channel,
    campaign,
    cost,
    upper(trim(currency)) as currency,
    _row_id
from latest
