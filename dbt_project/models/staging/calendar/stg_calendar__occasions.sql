select
    _row_id as occasion_key,
    occasion,
    starts_on,
    ends_on,
    upper(nullif(trim(country), '')) as country
from {{ source('raw_calendar', 'occasions') }}
