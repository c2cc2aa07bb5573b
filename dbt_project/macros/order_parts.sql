{#-
    The web visitor's anonymous id that a shop wrote into an order's attributes, from their JSON text
    ([{"name": "anonymousId", "value": "…"}]; the key is `name` in REST and `key` in GraphQL).
-#}
{% macro device_in_attributes(attributes, key) -%}
    nullif(coalesce(
        nullif(regexp_extract({{ attributes }}, '"{{ key }}" *: *"_?(?i:anonymous_?id)" *, *"value" *: *"([^"]+)"', 1), ''),
        regexp_extract({{ attributes }}, '"value" *: *"([^"]+)" *, *"{{ key }}" *: *"_?(?i:anonymous_?id)"', 1)
    ), '')
{%- endmacro %}

{#- Shopify's global ids end in the number that every other surface shows: gid://shopify/Order/42. -#}
{% macro gid_number(gid) -%}
    nullif(regexp_replace({{ gid }}, '^.*/', ''), '')
{%- endmacro %}

{#- This line's part of an amount of the whole order, by the lines' value; the parts add up exactly. -#}
{% macro spread_over_lines(amount) -%}
    case
        when {{ amount }} = 0 or order_value = 0 then {{ money('0') }}
        else
            {{ money('round(' ~ amount ~ ' * value_up_to_here / order_value, 4)') }}
            - {{ money('round(' ~ amount ~ ' * (value_up_to_here - value_as_written) / order_value, 4)') }}
    end
{%- endmacro %}
