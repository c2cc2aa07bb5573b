{#- The version of each JSON order that holds at `as_of`, from either way in, in one shape. -#}
{{ config(materialized='view') }}

{%- set columns = [
    'order_id', 'order_name', 'order_number', 'cart_token', 'checkout_token', 'checkout_id', 'created_at',
    'ordered_at', 'updated_at', 'currency', 'cancelled_at', 'is_test', 'financial_status', 'is_payment_voided',
    'is_taxes_included', 'email', 'phone', 'shopify_customer_id', 'first_name', 'last_name',
    'accepts_marketing', 'taxes', 'discounts', 'subtotal', 'shipping_discounts', 'shipping', 'tips',
    'presentment_currency', 'presentment_rate', 'payment_gateways', 'has_card_payment', 'sales_channel',
    'store_id', 'landing_site', 'referring_site', 'discount_code', 'country_code', 'region', 'city',
    'payment_fingerprint', 'device_id', 'home_address_key', 'is_gift', 'occasion_word', 'ships_elsewhere',
    'refunds', 'tags', '_row_id',
] %}

with status_words as (
    {{ order_status_meanings() }}
),

versions as (
    select *
    from {{ ref('int_order_versions') }}
),

documents as (
    {%- for order_source, relation in [('orders_json', ref('stg_orders__orders')), ('shopify', ref('stg_shopify__orders'))] %}
    select
        versions.order_source,
        {%- for column in columns %}
        documents.{{ column }},
        {%- endfor %}
        documents.id_scope
    from {{ relation }} as documents
    inner join versions
        on documents._row_id = versions._row_id and versions.order_source = '{{ order_source }}'
    {{ 'union all' if not loop.last }}
    {%- endfor %}
)

select
    documents.*,
    coalesce(documents.cancelled_at <= {{ as_of() }}, false) or coalesce(status_words.meaning = 'cancelled', false)
        as is_cancelled,
    -- Money that never came or was let go again: no sale, whatever the order holds
    coalesce(
        status_words.meaning = 'voided'
        or documents.is_payment_voided
        or (documents.sales_channel = 'shopify_draft_order' and documents.financial_status = 'pending'),
        false
    ) as is_voided,
    -- A word that says so and no refund that tells how much
    coalesce(status_words.meaning = 'returned', false) and documents.refunds is null as is_wholly_back
from documents
left join status_words on {{ word_form('documents.financial_status') }} = status_words.word
