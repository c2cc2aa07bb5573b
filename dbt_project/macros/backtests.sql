{#- What models of back-tests share. -#}

{#- The columns of every table of back-tests that has targets. -#}
{% macro backtest_columns() -%}
    {{ return([
        ('model', dbt.type_string()),
        ('target', dbt.type_string()),
        ('origin_date', 'date'),
        ('horizon_days', 'integer'),
        ('people', 'bigint'),
        ('error', 'double'),
        ('baseline_error', 'double'),
        ('baseline', dbt.type_string()),
        ('predicted_total', 'double'),
        ('actual_total', 'double'),
        ('coverage_90', 'double'),
        ('coverage_90_people', 'double'),
        ('is_published', 'boolean'),
        ('null_reason', dbt.type_string()),
        ('as_of_date', 'date'),
    ]) }}
{%- endmacro %}
