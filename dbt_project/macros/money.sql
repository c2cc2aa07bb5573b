{#- Money is DECIMAL(18, 4) in major units: exact, and equal on every engine. -#}
{% macro money(expression) -%}
    cast({{ expression }} as decimal(18, 4))
{%- endmacro %}

{#- Money from a text of a source; NULL if it is no number. -#}
{% macro money_from_text(expression) -%}
    {{ number_from_text(expression, 'decimal(18, 4)') }}
{%- endmacro %}

{#- What one piece costs, which may be a fraction of the smallest coin: it is rounded only after it was
    multiplied. -#}
{% macro price_from_text(expression) -%}
    {{ number_from_text(expression, 'decimal(26, 12)') }}
{%- endmacro %}

{#- A number from a text of a JSON document: as JSON writes numbers, or with signs between the thousands
    where it can be read one way only (1,234.50, 1.234,50 and 12,50; what may mean two numbers is kept out
    when it is loaded). -#}
{% macro number_from_text(expression, type) -%}
    coalesce(
        try_cast({{ expression }} as {{ type }}),
        case
            when {{ text_matches(expression, "'^-?[0-9]{1,3}(,[0-9]{3})+[.][0-9]+$|^-?[0-9]{1,3}(,[0-9]{3}){2,}$'") }}
                then try_cast(replace({{ expression }}, ',', '') as {{ type }})
            when {{ text_matches(expression, "'^-?[0-9]{1,3}([.][0-9]{3})+,[0-9]+$|^-?[0-9]+,([0-9]{1,2}|[0-9]{4,})$'") }}
                then try_cast(replace(replace({{ expression }}, '.', ''), ',', '.') as {{ type }})
        end
    )
{%- endmacro %}

{#-
    An amount in the shop's currency from what Shopify writes of it: the plain text, which is the shop's
    (in the order's own parts, not in transactions), else the set of both currencies.
-#}
{% macro shop_amount(plain, set) -%}
    coalesce({{ money_from_text(plain) }}, {{ money_from_text(set ~ '.shop_money.amount') }})
{%- endmacro %}

{#- The same for the price of one piece. -#}
{% macro shop_price(plain, set) -%}
    coalesce({{ price_from_text(plain) }}, {{ price_from_text(set ~ '.shop_money.amount') }})
{%- endmacro %}

{#- The latest rate into the shop's currency on or before the day of each amount that has one. -#}
{% macro latest_rates(amounts, day, keys) -%}
    select
        {%- for key in keys %}
        {{ amounts }}.{{ key }},
        {%- endfor %}
        max_by(rates.rate, rates.rate_date) as rate
    from {{ amounts }}
    inner join {{ ref('stg_rates__rates') }} as rates
        on {{ amounts }}.currency = rates.currency and {{ amounts }}.{{ day }} >= rates.rate_date
    group by {{ amounts }}.{{ keys | join(', ' ~ amounts ~ '.') }}
{%- endmacro %}

{#- Why an amount has no value in the shop's currency. -#}
{% macro conversion_issue(known_currency, rate) -%}
    case
        when {{ known_currency }} is null then 'unknown_currency'
        when {{ rate }} is null then 'missing_rate'
    end
{%- endmacro %}
