{#- The matching form of a raw email or phone: ingestion/functions/identifiers.py as a function of the engine.
    It runs in Python, so models call it once per distinct value. `country` says how a number without a
    country code is read. -#}
{% macro match_identifier(identifier_type, value, country) -%}
    {{ return(adapter.dispatch('match_identifier', 'regulars')(identifier_type, value, country)) }}
{%- endmacro %}

{% macro default__match_identifier(identifier_type, value, country) -%}
    match_identifier({{ identifier_type }}, {{ value }}, {{ country }})
{%- endmacro %}
