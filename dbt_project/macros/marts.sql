{#-
    What marts and segments share: the shop's date of the run, its month ends, and words for people.
    Engine-only functions stand in macros/engine.
-#}

{#- The run's date in the shop's zone, as text: 2026-01-31. -#}
{% macro as_of_date_text() -%}
    {%- if engine_answers() -%}
        {%- set found = run_query("select cast(" ~ shop_date(as_of()) ~ " as " ~ dbt.type_string() ~ ") as d") -%}
        {{ return(found.rows[0][0] | string) }}
    {%- endif -%}
    {{ return('2000-01-01') }}
{%- endmacro %}

{% macro as_of_date() -%}
    date '{{ as_of_date_text() }}'
{%- endmacro %}

{#- The dates that tables keyed by as_of_date hold, oldest first: earlier month ends, then today. -#}
{% macro as_of_dates() -%}
    {%- set today = modules.datetime.datetime.strptime(as_of_date_text(), '%Y-%m-%d').date() -%}
    {%- set one_day = modules.datetime.timedelta(days=1) -%}
    {%- set found = [today] -%}
    {%- for _ in range(var('rfm_month_ends')) -%}
        {%- do found.insert(0, found[0].replace(day=1) - one_day) -%}
    {%- endfor -%}
    {{ return(found | map('string') | list) }}
{%- endmacro %}

{#- So many days before a date, both as text. -#}
{% macro days_before(date, days) -%}
    {%- set day = modules.datetime.datetime.strptime(date, '%Y-%m-%d').date() -%}
    {{ return((day - modules.datetime.timedelta(days=days)) | string) }}
{%- endmacro %}

{#- The first day of a date's month. -#}
{% macro month_of(day) -%}
    make_date(year({{ day }}), month({{ day }}), 1)
{%- endmacro %}

{#- Calendar months from one date to another. -#}
{% macro months_from(first, last) -%}
    ((year({{ last }}) - year({{ first }})) * 12 + month({{ last }}) - month({{ first }}))
{%- endmacro %}

{#- A moment so many hours or days before the run. -#}
{% macro before_as_of(number, unit) -%}
    ({{ as_of() }} - interval '{{ number }}' {{ unit }})
{%- endmacro %}

{#- Calendar days of the shop from a date to the run. -#}
{% macro days_until_as_of(date_column) -%}
    {{ dbt.datediff(date_column, as_of_date(), 'day') }}
{%- endmacro %}

{#- Whether a line of an order that was kept is goods that were bought, whether or not they came back. -#}
{% macro is_purchase_of_goods(orders, lines) -%}
    ({{ orders }}.is_kept and {{ lines }}.line_kind = 'goods' and not {{ lines }}.is_return_line and {{ lines }}.quantity > 0)
{%- endmacro %}

{#- "on 2026-06-19", of a day: a sentence that is true tomorrow too sends nobody an update. -#}
{% macro on_date_in_words(day) -%}
    'on ' || cast({{ day }} as {{ dbt.type_string() }})
{%- endmacro %}

{#- "on 2026-06-19": the shop's day of a moment. -#}
{% macro on_day_in_words(moment) -%}
    {{ on_date_in_words(shop_date(moment)) }}
{%- endmacro %}

{#- "1 day", "12 days". -#}
{% macro days_in_words(days) -%}
    cast({{ days }} as {{ dbt.type_string() }}) || case when {{ days }} = 1 then ' day' else ' days' end
{%- endmacro %}

{#- "3 orders", "1 order". -#}
{% macro count_in_words(number, singular, plural) -%}
    cast({{ number }} as {{ dbt.type_string() }})
    || case when {{ number }} = 1 then ' {{ singular }}' else ' {{ plural }}' end
{%- endmacro %}

{#- "12.50 GBP", "9400 JPY": with the decimals of its currency, as orchestration/words/amounts.py has them. -#}
{% macro money_in_words(amount, currency) -%}
    case
        when {{ currency }} in ({{ quoted(currencies_without_decimals()) }})
            then cast(cast({{ amount }} as decimal(18, 0)) as {{ dbt.type_string() }})
        when {{ currency }} in ({{ quoted(currencies_of_three_decimals()) }})
            then cast(cast({{ amount }} as decimal(18, 3)) as {{ dbt.type_string() }})
        else cast(cast({{ amount }} as decimal(18, 2)) as {{ dbt.type_string() }})
    end || ' ' || {{ currency }}
{%- endmacro %}

{% macro currencies_of_three_decimals() -%}
    {{ return(['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND']) }}
{%- endmacro %}

{% macro currencies_without_decimals() -%}
    {{ return([
        'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF',
    ]) }}
{%- endmacro %}

{#-
    The same amount for a template: two decimals. A fraction becomes a decimal of more places first: at half a penny
    engines round a fraction differently.
-#}
{% macro money_in_context(amount) -%}
    cast(cast({{ amount }} as decimal(28, 10)) as decimal(18, 2))
{%- endmacro %}

{#-
    The part of an amount that a credit (of nine places, at most 1) is of: exact to 13 places on either engine, whatever
    the amount. A decimal of fewer digits would overflow from 100,000 on, and one of more lose its last place on Spark.
-#}
{% macro credited_part(credit, amount) -%}
    cast({{ credit }} as decimal(19, 9)) * {{ amount }}
{%- endmacro %}

{#- Where a visit came from, as part of a sentence; NULL stays NULL. -#}
{% macro marketing_channel_in_words(marketing_channel) -%}
    case {{ marketing_channel }}
        when 'direct' then 'came directly'
        when 'organic_search' then 'from a search engine'
        when 'paid_search' then 'from a search ad'
        when 'organic_social' then 'from social media'
        when 'paid_social' then 'from a social ad'
        when 'email' then 'from an email'
        when 'sms' then 'from a text message'
        when 'push' then 'from a push message'
        when 'referral' then 'from another site'
        when 'affiliate' then 'from an affiliate'
        when 'display' then 'from a display ad'
        else 'from ' || replace({{ marketing_channel }}, '_', ' ')
    end
{%- endmacro %}

{#- Position of an evidence grade, best first; the order of DESIGN section 5. -#}
{% macro grade_rank(grade) -%}
    case {{ grade }}
        when 'card_paid_order' then 1
        when 'verified_login' then 2
        when 'checkout' then 3
        when 'store_till' then 4
        when 'newsletter' then 5
        else 6
    end
{%- endmacro %}
