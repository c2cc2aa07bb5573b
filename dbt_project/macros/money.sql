{#- Money is DECIMAL(18, 4) in major units: exact, and equal on every engine. -#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#- Money from a text of a source; NULL if it is no number. -#}
{% macro money_from_text(expression) -%}
    try_cast({{ expression }} as decimal(18, 4))
{%- endmacro %}
