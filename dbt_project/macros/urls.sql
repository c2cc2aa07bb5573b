{#- The host of a web address, lower-cased and without `www.`; NULL if there is none. -#}
{% macro host_of(url) -%}
    nullif(regexp_replace(lower(split_part(split_part({{ url }}, '/', 3), ':', 1)), '^www[.]', ''), '')
{%- endmacro %}
