{#- The calendar day, in the shop's zone, of a UTC timestamp. -#}
{% macro shop_date(moment) -%}
    {{ return(adapter.dispatch('shop_date', 'regulars')(moment)) }}
{%- endmacro %}

{% macro duckdb__shop_date(moment) -%}
    cast(timezone('{{ var("shop_timezone") }}', timezone('UTC', {{ moment }})) as date)
{%- endmacro %}

{% macro spark__shop_date(moment) -%}
    to_date(from_utc_timestamp({{ moment }}, '{{ var("shop_timezone") }}'))
{%- endmacro %}
