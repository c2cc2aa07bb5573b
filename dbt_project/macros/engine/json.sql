{#-
    JSON differs between engines, so models reach it only through these. `json_texts` reads many
    paths in one pass over the text, which is where most of the time of a build goes.
-#}

{#- An array of texts, one per path; a missing path is NULL. -#}
{% macro json_texts(column, paths) -%}
    {{ return(adapter.dispatch('json_texts', 'regulars')(column, paths)) }}
{%- endmacro %}

{% macro duckdb__json_texts(column, paths) -%}
    json_extract_string({{ column }}, ['{{ paths | join("', '") }}'])
{%- endmacro %}

{% macro spark__json_texts(column, paths) -%}
    array({% for path in paths %}get_json_object({{ column }}, '{{ spark_path(path) }}'){{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{#- The element at a position counted from 1. -#}
{% macro array_item(array, position) -%}
    {{ return(adapter.dispatch('array_item', 'regulars')(array, position)) }}
{%- endmacro %}

{% macro duckdb__array_item(array, position) -%}
    {{ array }}[{{ position }}]
{%- endmacro %}

{% macro spark__array_item(array, position) -%}
    get({{ array }}, {{ position }} - 1)
{%- endmacro %}

{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'regulars')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_text(column, path) -%}
    json_extract_string({{ column }}, '{{ path }}')
{%- endmacro %}

{% macro spark__json_text(column, path) -%}
    get_json_object({{ column }}, '{{ spark_path(path) }}')
{%- endmacro %}

{#- A path as Spark writes it: `$."Bounce Type"` is `$['Bounce Type']`. -#}
{% macro spark_path(path) -%}
    {{ path | replace('."', "[\\'") | replace('"', "\\']") }}
{%- endmacro %}

{#- Two select items: `item` (JSON text of one element) and `position` (from 1). -#}
{% macro json_elements(column, path) -%}
    {{ return(adapter.dispatch('json_elements', 'regulars')(column, path)) }}
{%- endmacro %}

{% macro duckdb__json_elements(column, path) -%}
    unnest(json_extract({{ column }}, '{{ path }}[*]')) as item,
        generate_subscripts(json_extract({{ column }}, '{{ path }}[*]'), 1) as position
{%- endmacro %}

{% macro spark__json_elements(column, path) -%}
    inline(transform(
            from_json(get_json_object({{ column }}, '{{ spark_path(path) }}'), 'array<string>'),
            (element, place) -> struct(place + 1, element)
        )) as (position, item)
{%- endmacro %}

{#- Two select items for an object of texts, one row per entry: `name` and `value`. -#}
{% macro json_entries(column) -%}
    {{ return(adapter.dispatch('json_entries', 'regulars')(column)) }}
{%- endmacro %}

{% macro duckdb__json_entries(column) -%}
    unnest(map_keys(cast(cast({{ column }} as json) as map(varchar, varchar)))) as name,
        unnest(map_values(cast(cast({{ column }} as json) as map(varchar, varchar)))) as value
{%- endmacro %}

{% macro spark__json_entries(column) -%}
    explode(from_json({{ column }}, 'map<string, string>')) as (name, value)
{%- endmacro %}

{#- A JSON object as text from names and expressions; NULLs stay in it. Each value stands in brackets, so that
    a comparison may be one. -#}
{% macro json_object_text(pairs) -%}
    {{ return(adapter.dispatch('json_object_text', 'regulars')(pairs)) }}
{%- endmacro %}

{% macro duckdb__json_object_text(pairs) -%}
    cast(json_object({% for name, value in pairs.items() %}'{{ name }}', ({{ value }}){{ ', ' if not loop.last }}{% endfor %}) as varchar)
{%- endmacro %}

{#- A moment, which is named `..._at` or `..._until`, stands in it as DuckDB writes one; Spark's own way has a T and a Z. -#}
{% macro spark__json_object_text(pairs) -%}
    to_json(named_struct({% for name, value in pairs.items() %}'{{ name }}', {{ 'cast(' ~ value ~ ' as string)' if name.endswith('_at') or name.endswith('_until') else value }}{{ ', ' if not loop.last }}{% endfor %}), map('ignoreNullFields', 'false'))
{%- endmacro %}

{#- A JSON array as text of the ordered distinct values of a group. -#}
{% macro json_array_agg_text(expression) -%}
    {{ return(adapter.dispatch('json_array_agg_text', 'regulars')(expression)) }}
{%- endmacro %}

{% macro duckdb__json_array_agg_text(expression) -%}
    cast(to_json(list(distinct {{ expression }} order by {{ expression }})) as varchar)
{%- endmacro %}

{% macro spark__json_array_agg_text(expression) -%}
    to_json(sort_array(collect_set({{ expression }})))
{%- endmacro %}

{#-
    A record with named, typed fields from a JSON object, in one pass and a fifth cheaper than texts
    by path. `fields` is a name → type mapping; a nested mapping is an object inside, a list with one
    mapping in it a list of objects, of any length. What does not fit its type is NULL; an object or a
    list asked for as varchar is its JSON text.
-#}
{% macro json_record(column, fields) -%}
    {{ return(adapter.dispatch('json_record', 'regulars')(column, fields)) }}
{%- endmacro %}

{% macro duckdb__json_record(column, fields) -%}
    json_transform({{ column }}, '{{ tojson(fields) }}')
{%- endmacro %}

{% macro spark__json_record(column, fields) -%}
    from_json({{ column }}, '{{ spark_schema(fields) }}')
{%- endmacro %}

{#- A schema in Spark's words: `name string, page struct<url: string>, lines array<struct<id: string>>`. -#}
{% macro spark_schema(fields, separator=' ') -%}
    {%- for name, type in fields.items() -%}
        {{ name }}{{ separator }}
        {%- if type is mapping -%}
            struct<{{ spark_schema(type, ': ') }}>
        {%- elif type is not string -%}
            array<struct<{{ spark_schema(type[0], ': ') }}>>
        {%- else -%}
            {{ type | replace('varchar', 'string') }}
        {%- endif -%}
        {{ ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
