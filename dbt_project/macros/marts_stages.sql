{#- The stages, from the first contact on. -#}
{% macro journey_stages() -%}
    {{ return(['awareness', 'consideration', 'acquisition', 'purchase', 'advocacy']) }}
{%- endmacro %}

{#- Why a stage began, in words for people; read by fct_customer_journey_stages. -#}
{% macro stage_reason(stage) -%}
    {%- if stage == 'awareness' -%}
        case
            when first_visit_at <= awareness_at
                then 'First visit' || coalesce(', ' || {{ marketing_channel_in_words('first_marketing_channel') }}, '')
            else 'First contact'
        end
    {%- elif stage == 'consideration' -%}
        case
            when consideration_at = enough_visits_at
                then 'Came back: {{ var("consideration_min_visits") }} visits'
            else 'Viewed {{ var("consideration_min_product_views") }} products'
        end
    {%- elif stage == 'acquisition' -%}
        case
            when acquisition_at = cart_at then 'Put a product in the cart'
            when acquisition_at = wishlist_at then 'Saved a product to the wishlist'
            else 'Started the checkout'
        end
    {%- elif stage == 'purchase' -%}
        'First order'
    {%- else -%}
        case
            when advocacy_at = many_orders_at
                then {{ count_in_words(threshold('advocacy_min_orders'), 'order', 'orders') }}
            else '{{ var("advocacy_min_orders_with_signal") }} orders and a ' || signal_kind
        end
    {%- endif -%}
{%- endmacro %}
