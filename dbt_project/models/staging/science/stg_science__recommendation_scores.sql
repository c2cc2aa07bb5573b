{{ science('recommendation_scores', [
    ('customer_id', dbt.type_string()),
    ('product_id', dbt.type_string()),
    ('score', 'double'),
    ('method', dbt.type_string()),
    ('as_of_date', 'date'),
]) }}
