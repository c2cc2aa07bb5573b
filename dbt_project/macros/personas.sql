{#-
    Personas: what their conditions may ask of a person as a `value`, and how steps of their paths know messages.

    Belongs here: the measures there are, columns of customer_360 and clv_tier. Does not belong here: traits,
    which may be called whatever a shop calls them, and how a condition is judged (persona_assignments).
-#}
{% macro persona_measures() -%}
    {{ return([
        'customer_type', 'is_known', 'country_code', 'gender', 'job', 'loyalty_tier', 'stage', 'rfm_segment', 'clv_tier',
        'interest_category', 'interest_brand', 'interest_price_band', 'interest_topic', 'preferred_channel',
        'reach_channel', 'size', 'fit', 'colour', 'favourite_category', 'favourite_brand', 'first_marketing_channel',
        'last_marketing_channel', 'visit_count', 'product_view_count', 'message_count', 'opened_count', 'clicked_count',
        'review_count', 'referral_count', 'complaint_count', 'support_count', 'last_nps_score', 'order_count',
        'returned_order_count', 'lifetime_gross_sales', 'lifetime_net_sales', 'lifetime_margin', 'average_order_value',
        'historic_clv', 'predicted_clv_365d', 'probability_alive', 'expected_orders_365d', 'churn_risk', 'intent',
        'next_category', 'next_stage', 'days_since_last_order', 'usual_gap_days', 'is_overdue',
    ]) }}
{%- endmacro %}

{#- The words of a step, or the kind, campaign or flow of a message, in the form in which the two are compared. -#}
{% macro plain_label(text) -%}
    lower(trim(replace(replace({{ text }}, '_', ' '), '-', ' ')))
{%- endmacro %}
