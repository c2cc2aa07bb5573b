{{ science('replenishment_intervals', [
    ('product_id', dbt.type_string()),
    ('as_of_date', 'date'),
    ('interval_days', 'integer'),
    ('basis', dbt.type_string()),
    ('found_days', 'double'),
    ('category_days', 'double'),
    ('declared_days', 'double'),
    ('repeat_buyer_count', 'bigint'),
    ('comeback_count', 'bigint'),
    ('found_right_count', 'bigint'),
    ('declared_right_count', 'bigint'),
    ('null_reason', dbt.type_string()),
]) }}
