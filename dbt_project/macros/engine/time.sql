{#- Days are the shop's, everything else is UTC. None of these reads the zone of the process. -#}

{#- The calendar day in the shop's zone of a UTC timestamp. -#}
{% macro shop_date(timestamp_utc) -%}
    {{ return(adapter.dispatch('shop_date', 'regulars')(timestamp_utc)) }}
{%- endmacro %}

{% macro duckdb__shop_date(timestamp_utc) -%}
    cast(timezone('{{ var("shop_timezone") }}', timezone('UTC', {{ timestamp_utc }})) as date)
{%- endmacro %}

{% macro spark__shop_date(timestamp_utc) -%}
    to_date(from_utc_timestamp({{ timestamp_utc }}, '{{ var("shop_timezone") }}'))
{%- endmacro %}

{#- The hour of the shop's clock, 0 to 23, and the day of its week, of a UTC timestamp. -#}
{% macro shop_hour(timestamp_utc) -%}
    {{ return(adapter.dispatch('shop_hour', 'regulars')(timestamp_utc)) }}
{%- endmacro %}

{% macro duckdb__shop_hour(timestamp_utc) -%}
    hour(timezone('{{ var("shop_timezone") }}', timezone('UTC', {{ timestamp_utc }})))
{%- endmacro %}

{% macro spark__shop_hour(timestamp_utc) -%}
    hour(from_utc_timestamp({{ timestamp_utc }}, '{{ var("shop_timezone") }}'))
{%- endmacro %}

{% macro shop_weekday(timestamp_utc) -%}
    {{ return(adapter.dispatch('shop_weekday', 'regulars')(timestamp_utc)) }}
{%- endmacro %}

{% macro duckdb__shop_weekday(timestamp_utc) -%}
    lower(dayname({{ shop_date(timestamp_utc) }}))
{%- endmacro %}

{% macro spark__shop_weekday(timestamp_utc) -%}
    lower(date_format({{ shop_date(timestamp_utc) }}, 'EEEE'))
{%- endmacro %}

{#- Whether a text is the name of a time zone. Spark cannot ask; it tells of an unknown one where it is used. -#}
{% macro is_zone(text) -%}
    {{ return(adapter.dispatch('is_zone', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__is_zone(text) -%}
    {{ text }} in (select name from pg_timezone_names())
{%- endmacro %}

{% macro spark__is_zone(text) -%}
    {{ text }} is not null
{%- endmacro %}

{#- The hour and the day of the week by the clock of a zone (is_zone) that stands in a column. -#}
{% macro local_hour(timestamp_utc, zone) -%}
    {{ return(adapter.dispatch('local_hour', 'regulars')(timestamp_utc, zone)) }}
{%- endmacro %}

{% macro duckdb__local_hour(timestamp_utc, zone) -%}
    hour(timezone({{ zone }}, timezone('UTC', {{ timestamp_utc }})))
{%- endmacro %}

{% macro spark__local_hour(timestamp_utc, zone) -%}
    hour(from_utc_timestamp({{ timestamp_utc }}, {{ zone }}))
{%- endmacro %}

{% macro local_weekday(timestamp_utc, zone) -%}
    {{ return(adapter.dispatch('local_weekday', 'regulars')(timestamp_utc, zone)) }}
{%- endmacro %}

{% macro duckdb__local_weekday(timestamp_utc, zone) -%}
    lower(dayname(timezone({{ zone }}, timezone('UTC', {{ timestamp_utc }}))))
{%- endmacro %}

{% macro spark__local_weekday(timestamp_utc, zone) -%}
    lower(date_format(from_utc_timestamp({{ timestamp_utc }}, {{ zone }}), 'EEEE'))
{%- endmacro %}

{#- UTC of an ISO 8601 text with or without an offset; NULL if it is no time. -#}
{% macro utc_from_text(iso_text) -%}
    {{ return(adapter.dispatch('utc_from_text', 'regulars')(iso_text)) }}
{%- endmacro %}

{% macro duckdb__utc_from_text(iso_text) -%}
    timezone('UTC', try_cast({{ iso_text }} as timestamptz))
{%- endmacro %}

{% macro spark__utc_from_text(iso_text) -%}
    try_cast({{ iso_text }} as timestamp)
{%- endmacro %}

{#- Microseconds since 1970, for sorting and for arithmetic. -#}
{% macro epoch_micros(timestamp_utc) -%}
    {{ return(adapter.dispatch('epoch_micros', 'regulars')(timestamp_utc)) }}
{%- endmacro %}

{% macro duckdb__epoch_micros(timestamp_utc) -%}
    epoch_us({{ timestamp_utc }})
{%- endmacro %}

{% macro spark__epoch_micros(timestamp_utc) -%}
    unix_micros({{ timestamp_utc }})
{%- endmacro %}

{#- The timestamp that `epoch_micros` came from. -#}
{% macro timestamp_from_micros(micros) -%}
    {{ return(adapter.dispatch('timestamp_from_micros', 'regulars')(micros)) }}
{%- endmacro %}

{% macro duckdb__timestamp_from_micros(micros) -%}
    make_timestamp({{ micros }})
{%- endmacro %}

{% macro spark__timestamp_from_micros(micros) -%}
    timestamp_micros({{ micros }})
{%- endmacro %}
