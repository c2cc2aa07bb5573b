{#-
    The shop's own rhythm: thresholds that count orders or days and follow how often people come back.

    Belongs here: which thresholds there are, their formulas, and how a model reads one. Does not belong
    here: what a threshold means for a person (segments and stages say that).

    A var of such a threshold is `auto` or a whole number. A number holds as it is. `auto` is the formula
    where the shop has enough repeats to tell (rhythm_min_repeats, from rhythm_min_repeat_buyers), else
    the fixed number. The formulas read the columns of shop_rhythm:
    a repeat is a gap between two order days of a person; median_gap_days and long_gap_days are the 50th
    and the 95th percentile of all repeats, median_order_count and high_order_count the 50th and the 75th
    percentile of the orders of everybody with two or more.
-#}
{% macro rhythm_thresholds() -%}
    {%- set many -%}
        greatest(4, high_order_count, median_order_count + 1)
    {%- endset -%}
    {{ return([
        {'name': 'loyal_min_orders', 'unit': 'orders', 'fixed': 4, 'formula': many},
        {'name': 'advocacy_min_orders', 'unit': 'orders', 'fixed': 4, 'formula': many},
        {'name': 'at_risk_min_orders', 'unit': 'orders', 'fixed': 3, 'formula': 'greatest(3, median_order_count)'},
        {'name': 'overdue_min_days', 'unit': 'days', 'fixed': 180,
            'formula': 'long_gap_days + ' ~ var('overdue_grace_days')},
        {'name': 'recent_buyer_days', 'unit': 'days', 'fixed': 14,
            'formula': 'least(30, greatest(2, floor(median_gap_days / 2)))'},
        {'name': 'quiet_time_days', 'unit': 'days', 'fixed': 14,
            'formula': 'least(30, greatest(2, floor(median_gap_days / 2)))'},
        {'name': 'win_back_60_days', 'unit': 'days', 'fixed': 60, 'formula': 'floor(greatest(12, long_gap_days) * 2 / 3)'},
        {'name': 'win_back_75_days', 'unit': 'days', 'fixed': 75, 'formula': 'floor(greatest(12, long_gap_days) * 5 / 6)'},
        {'name': 'win_back_90_days', 'unit': 'days', 'fixed': 90, 'formula': 'greatest(12, long_gap_days)'},
    ]) }}
{%- endmacro %}

{#- The value of a threshold in this build, as an expression. -#}
{% macro threshold(name) -%}
    (select threshold_value from {{ ref('shop_rhythm') }} where threshold = '{{ name }}')
{%- endmacro %}

{#- A literal in which `{loyal_min_orders}` stands for that threshold's value. -#}
{% macro with_thresholds(words) -%}
    {%- set found = namespace(text=segment_text(words)) -%}
    {%- for each in rhythm_thresholds() if '{' ~ each.name ~ '}' in words -%}
        {%- set found.text = "replace(" ~ found.text ~ ", '{" ~ each.name ~ "}', cast("
            ~ threshold(each.name) ~ " as " ~ dbt.type_string() ~ "))" -%}
    {%- endfor -%}
    {{ return(found.text) }}
{%- endmacro %}

{#- Days between a person's order days, one row per order day; NULL for the first. -#}
{% macro order_gaps(orders) -%}
    select
        customer_id,
        {{ dbt.datediff(
            "lag(ordered_date) over (partition by customer_id order by ordered_date)", "ordered_date", "day"
        ) }} as gap_days
    from (
        select distinct
            customer_id,
            ordered_date
        from {{ orders }}
        where is_kept
    ) as order_days
{%- endmacro %}
