{#- A surrogate key: md5 over the parts, NULL told apart from empty. -#}
{% macro hash_key(parts) -%}
    md5(concat_ws('|'{% for part in parts %}, coalesce(cast({{ part }} as {{ dbt.type_string() }}), '~'){% endfor %}))
{%- endmacro %}

{#- The same key as a number of 60 bits, for tables of many millions of rows: a fourth of the text's room. Two of so
    many rows may share one, so such a key is unique together with another column. -#}
{% macro key_number(parts) -%}
    {{ number_from_hex('substr(' ~ hash_key(parts) ~ ', 1, 15)') }}
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
