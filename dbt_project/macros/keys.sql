{#- A surrogate key: md5 over the parts, NULL told apart from empty. -#}
{% macro hash_key(parts) -%}
    md5(concat_ws('|'{% for part in parts %}, coalesce(cast({{ part }} as {{ dbt.type_string() }}), '~'){% endfor %}))
{%- endmacro %}

{#- In a group, the value that stands beside the earliest time; ties by the value itself. A text of
    fixed width in front of the value sorts as the time does, on every engine. -#}
{% macro first_value_by_time(value, time) -%}
    substr(min(lpad(cast({{ epoch_micros(time) }} as {{ dbt.type_string() }}), 20, '0') || {{ value }}), 21)
{%- endmacro %}

{#- In a group, the value that stands beside the latest time; ties by the value itself. -#}
{% macro last_value_by_time(value, time) -%}
    substr(max(lpad(cast({{ epoch_micros(time) }} as {{ dbt.type_string() }}), 20, '0') || {{ value }}), 21)
{%- endmacro %}

{#- In a group, the first value that a file's lines state; equal line numbers of two files by the value itself. -#}
{% macro first_value_by_line(value) -%}
    substr(min(lpad(cast(_line as {{ dbt.type_string() }}), 20, '0') || {{ value }}), 21)
{%- endmacro %}
