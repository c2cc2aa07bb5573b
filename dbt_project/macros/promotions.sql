{#-
    Promotions that can be used at the run, and who has used theirs: for marts.customer_benefits and for conditions on offers.

    Belongs here: what of dim_promotions holds now. Does not belong here: whom it is for.
-#}

{#- A promotion that is live, one row each: of many codes none is everybody's. -#}
{% macro live_promotions() -%}
    select
        promotion_source,
        promotion_id,
        promotion_name,
        case when count(*) over (partition by promotion_source, promotion_id) = 1 then code end as code,
        discount_kind,
        percent_off,
        amount_off,
        currency,
        category,
        product_id,
        for_segment,
        voucher_count,
        starts_at,
        ends_at
    from {{ ref('dim_promotions') }}
    where status = 'live' and coalesce(starts_at, {{ as_of() }}) <= {{ as_of() }}
    qualify row_number() over (
        partition by promotion_source, promotion_id
        order by percent_off desc nulls last, amount_off desc nulls last, promotion_code_id
    ) = 1
{%- endmacro %}

{#- When each person last wrote each code in an order that was kept: customer_id, code (upper case), last_used_at. -#}
{% macro used_codes() -%}
    select
        customer_id,
        code,
        max(ordered_at) as last_used_at
    from {{ ref('fct_order_codes') }}
    where customer_id is not null
    group by customer_id, code
{%- endmacro %}

{#-
    Joins the last time that somebody wrote a promotion's code, by equality alone, so that no row meets every other;
    `is_unused` says whether that was within its time.
-#}
{% macro join_used_code(person, promotion) -%}
    left join ({{ used_codes() }}) as used
        on {{ person }}.customer_id = used.customer_id and upper({{ promotion }}.code) = used.code
{%- endmacro %}

{#- Whether the person of `join_used_code` has not used the promotion in its time; of one without a beginning, ever. -#}
{% macro is_unused(promotion) -%}
    (used.customer_id is null or coalesce(used.last_used_at < {{ promotion }}.starts_at, false))
{%- endmacro %}
