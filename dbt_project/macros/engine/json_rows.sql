{#-
    The rows of a group as a JSON array of objects, as text, in the order of `order_by` (name it
    totally). `pairs` maps names to expressions, as in json_object_text.
-#}
{% macro json_rows_text(pairs, order_by) -%}
    {{ return(adapter.dispatch('json_rows_text', 'regulars')(pairs, order_by)) }}
{%- endmacro %}

{% macro duckdb__json_rows_text(pairs, order_by) -%}
    cast(to_json(list(json_object({% for name, value in pairs.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}) order by {{ order_by }})) as varchar)
{%- endmacro %}

{% macro spark__json_rows_text(pairs, order_by) -%}
    to_json(transform(
        array_sort(collect_list(struct(
            {{ order_by }} as sort_key,
            named_struct({% for name, value in pairs.items() %}'{{ name }}', {{ value }}{{ ', ' if not loop.last }}{% endfor %}) as record
        ))),
        gathered -> gathered.record
    ), map('ignoreNullFields', 'false'))
{%- endmacro %}
