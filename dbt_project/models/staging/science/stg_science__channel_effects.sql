{{ science('channel_effects', [
    ('marketing_channel', dbt.type_string()),
    ('as_of_date', 'date'),
    ('removal_effect', 'double'),
    ('credited_share', 'double'),
    ('credited_orders', 'double'),
    ('path_count', 'bigint'),
    ('converting_path_count', 'bigint'),
]) }}
