{#-
    A number in national form means nothing without its country, so it travels as one text with the country
    of its own record: `(415) 555-2671;country=us`. The dictionary of identifiers reads that country first
    and the shop's next, each only where the number is possible there.
-#}

{#- A phone as a record wrote it, with the record's country (code or name) where that may matter. -#}
{% macro phone_with_country(phone, country) -%}
    case
        when
            nullif(trim({{ country }}), '') is null
            or trim({{ phone }}) = ''
            or lower(trim({{ country }})) = '{{ var("default_country") | lower }}'
            or {{ phone }} like '%+%'
            then {{ phone }}
        else concat_ws('', trim({{ phone }}), ';country=', lower(trim({{ country }})))
    end
{%- endmacro %}

{#- The number as it was written. -#}
{% macro phone_as_written(phone) -%}
    split_part({{ phone }}, ';country=', 1)
{%- endmacro %}

{#- The country that was written with it, in lower case; NULL if none was. -#}
{% macro phone_country(phone) -%}
    nullif(split_part({{ phone }}, ';country=', 2), '')
{%- endmacro %}
