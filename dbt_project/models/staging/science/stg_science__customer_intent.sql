{{ science('customer_intent', [
    ('customer_id', dbt.type_string()),
    ('as_of_date', 'date'),
    ('computed_on', 'date'),
    ('intent', 'double'),
    ('alike_share', 'double'),
    ('alike_people', 'bigint'),
    ('null_reason', dbt.type_string()),
    ('next_stage', dbt.type_string()),
    ('next_stage_28d', 'double'),
    ('next_stage_null_reason', dbt.type_string()),
]) }}
