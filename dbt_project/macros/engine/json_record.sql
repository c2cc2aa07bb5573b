{#-
    Building JSON. `fields` is a list of [name, SQL expression].
    json_record gives one object as text; json_rows gathers the rows of a group into an array that
    may stand as a value inside json_record, ordered by `order_by` (name it totally).
-#}
{% macro json_record(fields) -%}
    {{ return(adapter.dispatch('json_record', 'regulars')(fields)) }}
{%- endmacro %}

{% macro duckdb__json_record(fields) -%}
    cast(json_object(
        {%- for name, expression in fields %}
        '{{ name }}', {{ expression }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{% macro spark__json_record(fields) -%}
    to_json(named_struct(
        {%- for name, expression in fields %}
        '{{ name }}', {{ expression }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    ), map('ignoreNullFields', 'false'))
{%- endmacro %}

{% macro json_rows(fields, order_by) -%}
    {{ return(adapter.dispatch('json_rows', 'regulars')(fields, order_by)) }}
{%- endmacro %}

{% macro duckdb__json_rows(fields, order_by) -%}
    to_json(list(json_object(
        {%- for name, expression in fields %}
        '{{ name }}', {{ expression }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    ) order by {{ order_by }}))
{%- endmacro %}

{% macro spark__json_rows(fields, order_by) -%}
    transform(
        array_sort(collect_list(struct({{ order_by }}, named_struct(
            {%- for name, expression in fields %}
            '{{ name }}', {{ expression }}{% if not loop.last %},{% endif %}
            {%- endfor %}
        ) as record))),
        gathered -> gathered.record
    )
{%- endmacro %}
