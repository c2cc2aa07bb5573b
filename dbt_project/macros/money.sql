{#- Money is DECIMAL(18, 4) in major units: exact, and equal on every engine. -#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#- Money from a text of a source; NULL if it is no number. -#}
{% macro money_from_text(expression) -%}
    try_cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#-
    An amount in the shop's currency from what Shopify writes of it: the plain text, which is the shop's
    (in the order's own parts, not in transactions), else the set of both currencies.
-#}
{% macro shop_amount(plain, set) -%}
    coalesce({{ money_from_text(plain) }}, {{ money_from_text(set ~ '.shop_money.amount') }})
{%- endmacro %}
