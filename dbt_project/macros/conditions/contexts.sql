{#-
    What a segment's members carry along: the fields that a template can use, and words for the reason.

    Belongs here: `context_<name>()`, each a mapping of sources (name → SQL with one row per person at most, joined
    by customer_id), fields (name → expression) and words (name → expression, never null). Does not belong here: who
    is a member. Fields and words say days, not ages, and no rank among others, so that they stay as they are until
    something about the person changes.
-#}

{% macro context_names() -%}
    {{ return([
        'browse',
        'bundle',
        'buyer',
        'cart',
        'checkout',
        'cross_sell',
        'due_again',
        'email_then_views',
        'first_visit',
        'just_bought',
        'last_purchase',
        'last_step',
        'open_case',
        'other_brand',
        'permission',
        'price_drop',
        'restock',
        'search',
        'sign_up',
        'up_sell',
        'viewed_offer',
        'visitor',
        'voucher',
        'wishlist',
    ]) }}
{%- endmacro %}

{#- A context by its name, with those of its fields that are wanted; none has neither fields nor words. -#}
{% macro segment_context(name, fields) -%}
    {%- if name is none or name is not defined -%}
        {%- if fields -%}
            {%- do segment_fault('members() has fields and no context that they are of') -%}
        {%- endif -%}
        {{ return({'sources': {}, 'fields': {}, 'words': {}}) }}
    {%- endif -%}
    {%- if name is not string or name not in context_names() -%}
        {%- do segment_fault('there is no context ' ~ as_written(name) ~ right_words(name, context_names())) -%}
    {%- endif -%}
    {%- set whole = context['context_' ~ name]() -%}
    {%- set rule = {'kind': 'ordered_words', 'of': whole['fields'] | list} -%}
    {%- set wanted = {} -%}
    {%- for field in (judged_argument('members(fields=…)', fields, rule) if fields else rule['of']) -%}
        {%- do wanted.update({field: whole['fields'][field]}) -%}
    {%- endfor -%}
    {{ return(dict(whole, fields=wanted)) }}
{%- endmacro %}

{#- What they last bought: the dearest line of their last kept order. -#}
{% macro context_last_purchase() -%}
    {{ return({
        'sources': {
            'buyers': 'select * from ' ~ ref('fct_customer_order_summary'),
            'purchases': 'select * from ' ~ ref('customer_last_purchases'),
        },
        'fields': {
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'order_id': 'purchases.order_id',
            'value': money_in_context('purchases.net_sales'),
            'currency': 'purchases.currency',
            'is_first_order': 'buyers.order_count = 1',
        },
        'words': {
            'products': "coalesce(purchases.product_words, 'a product')",
            'ordered_on': "coalesce(" ~ on_date_in_words('buyers.last_ordered_date') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- Their orders in sum and in rhythm, and what they last bought. -#}
{% macro context_buyer() -%}
    {{ return({
        'sources': {
            'buyers': 'select * from ' ~ ref('fct_customer_order_summary'),
            'purchases': 'select * from ' ~ ref('customer_last_purchases'),
            'preferences': 'select * from ' ~ ref('customer_preferences'),
        },
        'fields': {
            'product': 'purchases.product_name',
            'product_id': 'purchases.product_id',
            'category': 'purchases.category',
            'colour': 'preferences.colour',
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'usual_gap_days': 'buyers.usual_gap_days',
            'last_ordered_on': 'buyers.last_ordered_date',
        },
        'words': {
            'products': "coalesce(purchases.product_words, 'a product')",
            'ordered_on': "coalesce(" ~ on_date_in_words('buyers.last_ordered_date') ~ ", 'once')",
            'orders': "coalesce(" ~ count_in_words('buyers.order_count', 'order', 'orders') ~ ", 'no orders')",
            'value': "coalesce(" ~ money_in_words('buyers.lifetime_net_sales', 'buyers.currency') ~ ", 'an unknown value')",
            'rhythm': "coalesce(" ~ order_rhythm_in_words('buyers') ~ ", 'No orders.')",
        },
    }) }}
{%- endmacro %}

{#- Why a buyer may not be emailed. -#}
{% macro context_permission() -%}
    {%- set permission = "select * from " ~ ref('contactability') ~ " where channel = 'email' and purpose = 'marketing'" -%}
    {{ return({
        'sources': {
            'buyers': 'select * from ' ~ ref('fct_customer_order_summary'),
            'permission': permission,
        },
        'fields': {
            'permission': "coalesce(permission.reason, 'no_consent')",
            'order_count': 'buyers.order_count',
            'value': money_in_context('buyers.lifetime_net_sales'),
            'currency': 'buyers.currency',
            'last_ordered_on': 'buyers.last_ordered_date',
        },
        'words': {
            'orders': "coalesce(" ~ count_in_words('buyers.order_count', 'order', 'orders')
                ~ " || case when buyers.order_count = 1 then ', ' else ', the last ' end || "
                ~ on_date_in_words('buyers.last_ordered_date') ~ ", 'no orders')",
            'permission': permission_in_words('permission.reason'),
        },
    }) }}
{%- endmacro %}

{#- The product that they last looked at. -#}
{% macro context_browse() -%}
    {{ return({
        'sources': {'last_views': last_web_steps(['Product Viewed'])},
        'fields': {
            'product': 'last_views.product_name',
            'product_id': 'last_views.product_id',
            'sku': 'last_views.sku',
            'category': 'last_views.category',
            'value': money_in_context('last_views.price'),
            'link': 'last_views.page_url',
            'viewed_at': 'last_views.occurred_at',
        },
        'words': {
            'product': product_in_words('last_views.product_name', 'last_views.sku'),
            'viewed_on': "coalesce(" ~ on_day_in_words('last_views.occurred_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- The product that they last looked at or put in the cart. -#}
{% macro context_last_step() -%}
    {%- set product = product_in_words('last_steps.product_name', 'last_steps.sku') -%}
    {{ return({
        'sources': {'last_steps': last_web_steps(['Product Viewed', 'Product Added'])},
        'fields': {
            'product': 'last_steps.product_name',
            'product_id': 'last_steps.product_id',
            'sku': 'last_steps.sku',
            'category': 'last_steps.category',
            'seen_at': 'last_steps.occurred_at',
        },
        'words': {
            'step': "case when last_steps.is_cart_event then 'Put ' else 'Looked at ' end || " ~ product
                ~ " || case when last_steps.is_cart_event then ' in the cart' else '' end",
            'seen_on': "coalesce(" ~ on_day_in_words('last_steps.occurred_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- What is left in the cart since their last order: each product by the last word on it. -#}
{% macro context_cart() -%}
    {%- set products = last_cart_words() -%}
    {%- set carts -%}
        select
            customer_id,
            max(occurred_at) as last_cart_at
        from {{ ref('recent_interactions') }}
        where is_cart_event and is_after_last_order
        group by customer_id
    {%- endset -%}
    {%- set contents -%}
        select
            customer_id,
            count(*) as product_count,
            sum(price * coalesce(quantity, 1)) as cart_value
        from ({{ products }}) as products
        where event_name = 'Product Added'
        group by customer_id
    {%- endset -%}
    {%- set last_added -%}
        select *
        from ({{ products }}) as products
        where event_name = 'Product Added'
        qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
    {%- endset -%}
    {%- set more -%}
        case
            when contents.product_count > 1
                then ' and ' || cast(contents.product_count - 1 as {{ dbt.type_string() }}) || ' more'
            else ''
        end
    {%- endset -%}
    {{ return({
        'sources': {'carts': carts, 'contents': contents, 'last_added': last_added},
        'fields': {
            'product': 'last_added.product_name',
            'product_id': 'last_added.product_id',
            'sku': 'last_added.sku',
            'category': 'last_added.category',
            'product_count': 'contents.product_count',
            'value': money_in_context('contents.cart_value'),
            'cart_id': 'last_added.cart_id',
            'link': 'last_added.page_url',
            'left_at': 'carts.last_cart_at',
        },
        'words': {
            'products': product_in_words('last_added.product_name', 'last_added.sku') ~ ' || ' ~ more,
            'left_on': "coalesce(" ~ on_day_in_words('carts.last_cart_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- What they left in the checkout: its most valuable line. -#}
{% macro context_checkout() -%}
    {{ return({
        'sources': {'checkouts': last_left_checkouts()},
        'fields': {
            'product': 'checkouts.product_name',
            'product_id': 'checkouts.product_id',
            'sku': 'checkouts.sku',
            'category': 'checkouts.category',
            'product_count': 'checkouts.line_count',
            'value': money_in_context('checkouts.total'),
            'currency': 'checkouts.currency',
            'left_at': 'checkouts.left_at',
        },
        'words': {
            'product': product_in_words('checkouts.product_name', 'checkouts.sku'),
            'left_on': "coalesce(" ~ on_day_in_words('checkouts.left_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- What they will need again. -#}
{% macro context_due_again() -%}
    {{ return({
        'sources': {'due': last_due(false)},
        'fields': {
            'product': 'due.product_name',
            'product_id': 'due.product_id',
            'sku': 'due.sku',
            'category': 'due.category',
            'last_bought_at': 'due.last_bought_at',
            'due_at': 'due.due_at',
        },
        'words': {
            'product': product_in_words('due.product_name', 'due.sku'),
            'bought_on': "coalesce(" ~ on_day_in_words('due.last_bought_at') ~ ", 'once')",
            'due_on': "coalesce(" ~ on_day_in_words('due.due_at') ~ ", 'soon')",
        },
    }) }}
{%- endmacro %}

{#- The search that found nothing. What they searched for may be anything, so it stays here. -#}
{% macro context_search() -%}
    {%- set searches -%}
        select *
        from {{ ref('recent_searches') }}
        where is_last
    {%- endset -%}
    {{ return({
        'sources': {'searches': searches},
        'fields': {
            'result_count': 'searches.result_count',
            'searched_at': 'searches.searched_at',
        },
        'words': {'searched_on': "coalesce(" ~ on_day_in_words('searches.searched_at') ~ ", 'once')"},
    }) }}
{%- endmacro %}

{#- The product that they wanted and that costs less now. -#}
{% macro context_price_drop() -%}
    {%- set prices -%}
        coalesce({{ money_in_words('drops.price', 'drops.currency') }} || ' instead of '
            || {{ money_in_words('drops.previous_price', 'drops.currency') }}, 'less')
    {%- endset -%}
    {{ return({
        'sources': {'drops': wanted_changes('price')},
        'fields': {
            'product': 'drops.product_name',
            'product_id': 'drops.product_id',
            'sku': 'drops.sku',
            'category': 'drops.category',
            'value': money_in_context('drops.price'),
            'previous_value': money_in_context('drops.previous_price'),
            'currency': 'drops.currency',
            'changed_at': 'drops.changed_at',
        },
        'words': {
            'product': product_in_words('drops.product_name', 'drops.sku'),
            'prices': prices,
            'wanted_on': "coalesce(" ~ on_day_in_words('drops.wanted_at') ~ ", 'once')",
            'changed_on': "coalesce(" ~ on_day_in_words('drops.changed_at') ~ ", 'now')",
        },
    }) }}
{%- endmacro %}

{#- The product that they wanted and that can be bought again. -#}
{% macro context_restock() -%}
    {{ return({
        'sources': {'restocks': wanted_changes('stock')},
        'fields': {
            'product': 'restocks.product_name',
            'product_id': 'restocks.product_id',
            'sku': 'restocks.sku',
            'category': 'restocks.category',
            'value': money_in_context('restocks.price'),
            'currency': 'restocks.currency',
            'changed_at': 'restocks.changed_at',
        },
        'words': {
            'product': product_in_words('restocks.product_name', 'restocks.sku'),
            'wanted_on': "coalesce(" ~ on_day_in_words('restocks.wanted_at') ~ ", 'once')",
            'changed_on': "coalesce(" ~ on_day_in_words('restocks.changed_at') ~ ", 'now')",
        },
    }) }}
{%- endmacro %}

{#- The last product on their wishlist that they have not bought. -#}
{% macro context_wishlist() -%}
    {{ return({
        'sources': {'wishes': last_wishes()},
        'fields': {
            'product': 'wishes.product_name',
            'product_id': 'wishes.product_id',
            'sku': 'wishes.sku',
            'category': 'wishes.category',
            'value': money_in_context('wishes.price'),
            'wished_at': 'wishes.left_at',
        },
        'words': {
            'product': product_in_words('wishes.product_name', 'wishes.sku'),
            'wished_on': "coalesce(" ~ on_day_in_words('wishes.left_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- What of a promotion or voucher a template can use, from a source that has it; NULL where there is none. -#}
{% macro offer_fields(offers, ends) -%}
    {{ return({
        'offer': offers ~ '.promotion_name',
        'offer_code': offers ~ '.code',
        'offer_percent': 'cast(' ~ offers ~ '.percent_off as decimal(18, 2))',
        'offer_amount': money_in_context(offers ~ '.amount_off'),
        'offer_currency': offers ~ '.currency',
        'offer_until': offers ~ '.' ~ ends,
    }) }}
{%- endmacro %}

{% macro until_in_words(moment) -%}
    {{ return("case when " ~ moment ~ " is null then 'without an end' else 'until ' || cast("
        ~ shop_date('(' ~ moment ~ " - interval '1' second)") ~ ' as ' ~ dbt.type_string() ~ ') end') }}
{%- endmacro %}

{#- The voucher of theirs that ends first. -#}
{% macro context_voucher() -%}
    {{ return({
        'sources': {'vouchers': soonest_vouchers()},
        'fields': dict(
            offer_fields('vouchers', 'valid_until'),
            product_id='vouchers.product_id', category='vouchers.category', issued_at='vouchers.issued_at'
        ),
        'words': {
            'offer': "coalesce(vouchers.promotion_name, 'a voucher')",
            'until': until_in_words('vouchers.valid_until'),
        },
    }) }}
{%- endmacro %}

{#- The product that they looked at, and the promotion on it. -#}
{% macro context_viewed_offer() -%}
    {{ return({
        'sources': {'offers': viewed_offers()},
        'fields': dict({
            'product': 'offers.product_name',
            'product_id': 'offers.viewed_product_id',
            'sku': 'offers.sku',
            'category': 'offers.viewed_category',
            'viewed_at': 'offers.viewed_at',
        }, **offer_fields('offers', 'ends_at')),
        'words': {
            'product': product_in_words('offers.product_name', 'offers.sku'),
            'viewed_on': "coalesce(" ~ on_day_in_words('offers.viewed_at') ~ ", 'once')",
            'offer': "coalesce(offers.promotion_name, 'a promotion')",
            'until': until_in_words('offers.ends_at'),
        },
    }) }}
{%- endmacro %}

{#- What another brand has instead of what they were not pleased with, and the promotion on it if one is live. -#}
{% macro context_other_brand() -%}
    {%- set offers -%}
        select
            due.customer_id,
            promotions.*
        from ({{ last_due(true) }}) as due
        inner join ({{ live_promotions() }}) as promotions on due.other_promotion_id = promotions.promotion_id
        {{ join_used_code('due', 'promotions') }}
        where {{ is_unused('promotions') }}
        qualify row_number() over (
            partition by due.customer_id order by promotions.percent_off desc nulls last, promotions.promotion_source
        ) = 1
    {%- endset -%}
    {{ return({
        'sources': {'due': last_due(true), 'offers': offers},
        'fields': dict({
            'product': 'due.other_product_name',
            'product_id': 'due.other_product_id',
            'category': 'due.category',
            'displeased_by': 'due.displeased_by',
            'due_at': 'due.due_at',
        }, **offer_fields('offers', 'ends_at')),
        'words': {
            'product': product_in_words('due.product_name', 'due.sku'),
            'other': "coalesce(due.other_product_name, 'a product of another brand')",
            'said': "case due.displeased_by when 'returned' then 'Sent back'"
                ~ " when 'complaint' then 'Complained about' else 'Wrote a bad review of' end",
        },
    }) }}
{%- endmacro %}

{#- What they viewed after an email of the last days. -#}
{% macro context_email_then_views() -%}
    {%- set views = views_after_email(var('high_intent_window_days')) -%}
    {%- set interest -%}
        select
            customer_id,
            count(distinct product_key) as product_count,
            bool_or(has_clicked) as has_clicked,
            min(touched_at) as touched_at,
            max(occurred_at) as last_viewed_at
        from ({{ views }}) as views
        group by customer_id
    {%- endset -%}
    {%- set last_views -%}
        select *
        from ({{ views }}) as views
        qualify row_number() over (partition by customer_id order by occurred_at desc, event_id desc) = 1
    {%- endset -%}
    {{ return({
        'sources': {'interest': interest, 'last_views': last_views},
        'fields': {
            'product': 'last_views.product_name',
            'product_id': 'last_views.product_id',
            'sku': 'last_views.sku',
            'category': 'last_views.category',
            'product_count': 'interest.product_count',
            'value': money_in_context('last_views.price'),
            'link': 'last_views.page_url',
            'touched_at': 'interest.touched_at',
            'viewed_at': 'interest.last_viewed_at',
        },
        'words': {
            'touched': "case when interest.has_clicked then 'Clicked' else 'Opened' end",
            'products': "coalesce(" ~ count_in_words('interest.product_count', 'product', 'products') ~ ", 'products')",
            'product': product_in_words('last_views.product_name', 'last_views.sku'),
            'viewed_on': "coalesce(" ~ on_day_in_words('interest.last_viewed_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- Their first visit: when, from where, and what they looked at. -#}
{% macro context_first_visit() -%}
    {%- set visits -%}
        select *
        from {{ ref('fct_web_sessions') }}
        where customer_visit_number = 1
    {%- endset -%}
    {%- set came -%}
        coalesce({{ on_day_in_words('visits.started_at') }}, 'once')
        || coalesce(', ' || {{ marketing_channel_in_words('visits.marketing_channel') }}, '')
    {%- endset -%}
    {%- set viewed -%}
        case
            when coalesce(visits.product_view_count, 0) = 0 then 'no product viewed'
            else {{ count_in_words('cast(visits.product_view_count as bigint)', 'product', 'products') }} || ' viewed'
        end
    {%- endset -%}
    {{ return({
        'sources': {'visits': visits},
        'fields': {
            'marketing_channel': 'visits.marketing_channel',
            'product_view_count': 'cast(visits.product_view_count as bigint)',
            'visited_at': 'visits.started_at',
        },
        'words': {'came': came, 'viewed': viewed},
    }) }}
{%- endmacro %}

{#- How they signed up for email, and what they ordered since they are known. -#}
{% macro context_sign_up() -%}
    {%- set sign_ups -%}
        select *
        from {{ ref('fct_sign_ups') }}
        where is_first
    {%- endset -%}
    {%- set signed_up -%}
        coalesce({{ on_day_in_words('sign_ups.signed_up_at') }}, 'once')
        || coalesce(' (' || {{ source_in_words('sign_ups.source') }} || ')', '')
    {%- endset -%}
    {%- set orders -%}
        case
            when customers.order_count = 0 then 'no order yet'
            else {{ count_in_words('customers.order_count', 'order', 'orders') }} || ' so far'
        end
    {%- endset -%}
    {{ return({
        'sources': {
            'sign_ups': sign_ups,
            'customers': 'select customer_id, order_count from ' ~ ref('dim_customers'),
        },
        'fields': {
            'source': 'sign_ups.source',
            'signed_up_at': 'sign_ups.signed_up_at',
            'order_count': 'customers.order_count',
        },
        'words': {'signed_up': signed_up, 'orders': orders},
    }) }}
{%- endmacro %}

{#- What they complained or asked about, and is not closed. -#}
{% macro context_open_case() -%}
    {%- set cases -%}
        select
            engagement.*,
            products.product_name
        from {{ ref('customer_engagement') }} as engagement
        left join {{ ref('dim_products') }} as products
            on engagement.last_open_case_product_id = products.product_id
    {%- endset -%}
    {%- set said -%}
        case cases.last_open_case_kind
            when 'complaint' then 'Complained' when 'support' then 'Asked for help' else 'Wrote a bad review'
        end
        || coalesce(' about ' || cases.product_name, '')
    {%- endset -%}
    {{ return({
        'sources': {'cases': cases},
        'fields': {
            'case': 'cases.last_open_case_kind',
            'case_at': 'cases.last_open_case_at',
            'case_count': 'cases.open_case_count',
            'product': 'cases.product_name',
            'product_id': 'cases.last_open_case_product_id',
        },
        'words': {
            'said': said,
            'said_on': "coalesce(" ~ on_day_in_words('cases.last_open_case_at') ~ ", 'once')",
        },
    }) }}
{%- endmacro %}

{#- Their visits: how many, the last one, where the first one came from. -#}
{% macro context_visitor() -%}
    {{ return({
        'sources': {'engagement': 'select * from ' ~ ref('customer_engagement')},
        'fields': {
            'marketing_channel': 'engagement.first_marketing_channel',
            'visit_count': 'engagement.visit_count',
            'product_view_count': 'engagement.product_view_count',
            'visited_at': 'engagement.last_visit_at',
        },
        'words': {
            'visits': "coalesce(" ~ count_in_words('engagement.visit_count', 'visit', 'visits') ~ ", 'No visit')",
            'last_visit_on': "coalesce(" ~ on_day_in_words('engagement.last_visit_at') ~ ", 'once')",
            'came': "coalesce(" ~ marketing_channel_in_words('engagement.first_marketing_channel') ~ ", 'from somewhere')",
        },
    }) }}
{%- endmacro %}

{#- The product to show them first, of each kind that a segment can be about, with the one that it rests on. -#}
{% macro context_cross_sell() -%}
    {{ return(context_of_product_to_show('cross_sell')) }}
{%- endmacro %}

{% macro context_up_sell() -%}
    {{ return(context_of_product_to_show('up_sell')) }}
{%- endmacro %}

{% macro context_bundle() -%}
    {{ return(context_of_product_to_show('bundle')) }}
{%- endmacro %}

{% macro context_of_product_to_show(kind) -%}
    {%- set shown -%}
        select
            recommendations.customer_id,
            recommendations.product_id,
            recommendations.with_product_id,
            products.product_name,
            products.sku,
            products.category,
            products.price,
            products.currency,
            others.product_name as with_product_name,
            others.sku as with_sku
        from {{ ref('fct_recommendations') }} as recommendations
        inner join {{ ref('dim_products') }} as products on recommendations.product_id = products.product_id
        left join {{ ref('dim_products') }} as others on recommendations.with_product_id = others.product_id
        where recommendations.kind = '{{ kind }}' and recommendations.rank = 1
    {%- endset -%}
    {{ return({
        'sources': {'shown': shown},
        'fields': {
            'product': 'shown.product_name',
            'product_id': 'shown.product_id',
            'sku': 'shown.sku',
            'category': 'shown.category',
            'value': money_in_context('shown.price'),
            'currency': 'shown.currency',
            'with_product': 'shown.with_product_name',
            'with_product_id': 'shown.with_product_id',
        },
        'words': {
            'product': product_in_words('shown.product_name', 'shown.sku'),
            'with_product': product_in_words('shown.with_product_name', 'shown.with_sku'),
        },
    }) }}
{%- endmacro %}

{#- What they last bought, and everything of the last just_bought_days with what can stand in for it. -#}
{% macro context_just_bought() -%}
    {%- set left_out -%}
        select
            lines.customer_id,
            {{ text_list('substitutes.product_id', ' ') }} as product_ids
        from {{ ref('fct_order_lines') }} as lines
        inner join {{ ref('fct_orders') }} as orders
            on
                lines.customer_id = orders.customer_id
                and lines.order_id = orders.order_id
                and lines.order_source = orders.order_source
        inner join {{ ref('dim_products') }} as products on lines.product_id = products.product_id
        inner join {{ ref('dim_products') }} as substitutes
            on
                coalesce(products.substitute_group, products.product_id)
                = coalesce(substitutes.substitute_group, substitutes.product_id)
        where
            {{ is_purchase_of_goods('orders', 'lines') }}
            and {{ days_until_as_of('orders.ordered_date') }} <= {{ var('just_bought_days') }}
        group by lines.customer_id
    {%- endset -%}
    {%- set whole = context_last_purchase() -%}
    {%- set wanted = {} -%}
    {%- for field in ['product', 'product_id', 'category'] -%}
        {%- do wanted.update({field: whole['fields'][field]}) -%}
    {%- endfor -%}
    {{ return({
        'sources': dict(whole['sources'], left_out=left_out),
        'fields': dict(wanted, product_ids='left_out.product_ids'),
        'words': whole['words'],
    }) }}
{%- endmacro %}
