{{ science('customer_predictions', [
    ('customer_id', dbt.type_string()),
    ('as_of_date', 'date'),
    ('churn_risk', 'double'),
    ('low', 'double'),
    ('high', 'double'),
    ('buys_in_7d', 'double'),
    ('buys_in_30d', 'double'),
    ('buys_in_90d', 'double'),
    ('model', dbt.type_string()),
    ('null_reason', dbt.type_string()),
]) }}
