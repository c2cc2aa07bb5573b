{#- The matching form of a raw email or phone: ingestion/identifiers.py as a function of the engine.
    It runs in Python, so models call it once per distinct value. -#}
{% macro match_identifier(identifier_type, value) -%}
    {{ return(adapter.dispatch('match_identifier', 'regulars')(identifier_type, value)) }}
{%- endmacro %}

{% macro default__match_identifier(identifier_type, value) -%}
    match_identifier({{ identifier_type }}, {{ value }}, '{{ var("default_country") }}')
{%- endmacro %}
