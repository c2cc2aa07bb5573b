{{ science('recommendation_backtests', [
    ('method', dbt.type_string()),
    ('origin_date', 'date'),
    ('people', 'integer'),
    ('right_count', 'bigint'),
    ('hit_rate_10', 'double'),
    ('is_published', 'boolean'),
    ('null_reason', dbt.type_string()),
    ('as_of_date', 'date'),
]) }}
