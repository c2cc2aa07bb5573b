select
    marketing_channel,
    as_of_date,
    removal_effect,
    credited_share,
    credited_orders,
    path_count,
    converting_path_count
from {{ ref('stg_science__channel_effects') }}
