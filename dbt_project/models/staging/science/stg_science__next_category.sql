{{ science('next_category', [
    ('customer_id', dbt.type_string()),
    ('as_of_date', 'date'),
    ('next_category', dbt.type_string()),
    ('model', dbt.type_string()),
    ('null_reason', dbt.type_string()),
]) }}
