with latest as (
    {{ latest_versions(
        source('raw_rates', 'rates'),
        ['date', 'upper(trim(currency))'],
        where='date <= cast(' ~ as_of() ~ ' as date)'
    ) | indent(4) }}
)

select
    date as rate_date,
    upper(trim(currency)) as currency,
    rate,
    _row_id
from latest
where rate > 0
