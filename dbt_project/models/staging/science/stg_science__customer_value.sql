{{ science('customer_value', [
    ('customer_id', dbt.type_string()),
    ('as_of_date', 'date'),
    ('predicted_clv_365d', 'decimal(18, 4)'),
    ('predicted_clv_low', 'decimal(18, 4)'),
    ('predicted_clv_high', 'decimal(18, 4)'),
    ('margin_365d', 'decimal(18, 4)'),
    ('probability_alive', 'double'),
    ('expected_orders_365d', 'double'),
    ('predicted_next_order_at', 'timestamp'),
    ('null_reason', dbt.type_string()),
    ('margin_null_reason', dbt.type_string()),
]) }}
