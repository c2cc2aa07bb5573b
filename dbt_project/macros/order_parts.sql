{#- What orders are made of: shapes inside Shopify's REST documents, and how amounts are shared out. -#}

{#- Fields of a record that holds an amount in the shop's and in the buyer's currency. -#}
{% macro amount_set() -%}
    {{ return({'shop_money': {'amount': 'varchar'}, 'presentment_money': {'amount': 'varchar'}}) }}
{%- endmacro %}

{#- The same in GraphQL, where only the shop's side is read. -#}
{% macro amount_bag() -%}
    {{ return({'shopMoney': {'amount': 'varchar'}}) }}
{%- endmacro %}

{#-
    What a shop wrote into an order's attributes under a name (a pattern, in any case), from their JSON text
    ([{"name": "occasion", "value": "…"}]; the key is `name` in REST and `key` in GraphQL).
-#}
{% macro order_attribute(attributes, key, names) -%}
    {%- set named = '"' ~ key ~ '" *: *"_?(?i:' ~ names ~ ')"' -%}
    nullif(trim(coalesce(
        nullif(regexp_extract({{ attributes }}, '{{ named }} *, *"value" *: *"?([^"{}]+)', 1), ''),
        regexp_extract({{ attributes }}, '"value" *: *"?([^"{}]+?)"? *, *{{ named }}', 1)
    )), '')
{%- endmacro %}

{#- The web visitor's anonymous id. -#}
{% macro device_in_attributes(attributes, key) -%}
    {{ order_attribute(attributes, key, 'anonymous_?id') }}
{%- endmacro %}

{#- Whether the buyer said that it is a gift: a box ticked, or words or a name for whom. The name stays where it is. -#}
{% macro order_is_gift(attributes, key) -%}
    {%- set said = order_attribute(attributes, key, '(?:is_?)?gift') -%}
    case
        when lower({{ said }}) in ('false', 'no', '0', 'off', 'n', 'null') then false
        when
            lower({{ said }}) in ('true', 'yes', '1', 'on', 'y')
            or {{ order_attribute(attributes, key, 'gift_?(?:for|message|note|wrap)') }} is not null
            then true
    end
{%- endmacro %}

{#- Whether the parcel went to another address than the bill; NULL unless both are known. Most are written alike,
    which is soon seen. -#}
{% macro order_ships_elsewhere(billing, shipping) -%}
    case
        when
            trim({{ billing }}.address1) <> ''
            and trim({{ billing }}.zip) <> ''
            and {{ billing }}.address1 = {{ shipping }}.address1
            and {{ billing }}.zip = {{ shipping }}.zip
            and coalesce({{ billing }}.address2, '') = coalesce({{ shipping }}.address2, '')
            then false
        else
            {{ home_address_key(billing ~ '.address1', billing ~ '.address2', billing ~ '.zip') }}
            <> {{ home_address_key(shipping ~ '.address1', shipping ~ '.address2', shipping ~ '.zip') }}
    end
{%- endmacro %}

{#- Shopify's global ids end in the number that every other surface shows: gid://shopify/Order/42. -#}
{% macro gid_number(gid) -%}
    nullif(regexp_replace({{ gid }}, '^.*/', ''), '')
{%- endmacro %}

{#- An id as the warehouse knows it: that of a further shop has the shop's name before it (`outlet:42`), because
    two shops may count alike. Rows of the shop without a name have no id_scope, and their ids stay as they are. -#}
{% macro id_of_its_shop(id) -%}
    coalesce(id_scope || ':', '') || {{ id }}
{%- endmacro %}

{#- The number that its own shop knows it by: without the shop's name. -#}
{% macro number_in_its_shop(id, scope) -%}
    case when {{ scope }} is null then {{ id }} else substr({{ id }}, length({{ scope }}) + 2) end
{%- endmacro %}

{#-
    This row's part of an amount of the whole, by weight: `up_to_here` is the running total of the
    weights with this row in it. The parts add up to the amount exactly; without weights there are none.
-#}
{% macro part_by_weight(amount, weight, up_to_here, total) -%}
    case
        when {{ amount }} = 0 or {{ total }} = 0 then {{ money('0') }}
        else
            {{ money('round(' ~ amount ~ ' * ' ~ up_to_here ~ ' / ' ~ total ~ ', 4)') }}
            - {{ money('round(' ~ amount ~ ' * (' ~ up_to_here ~ ' - ' ~ weight ~ ') / ' ~ total ~ ', 4)') }}
    end
{%- endmacro %}

{#- What an order's status word means, as rows: one list for documents and files. -#}
{% macro order_status_meanings() -%}
    select
        {{ word_form('word') }} as word,
        meaning
    from {{ ref('order_status_words') }}
{%- endmacro %}

{#- What an order's word for an occasion means, as rows; a word that is not there means nothing. -#}
{% macro occasion_words() -%}
    select
        {{ word_form('word') }} as word,
        min(occasion) as occasion
    from {{ ref('occasions') }}
    group by {{ word_form('word') }}
{%- endmacro %}

{#- Whether a line without a product is called a tip, in the languages that shops write in. -#}
{% macro is_called_a_tip(name) -%}
    coalesce(lower(trim({{ name }})) in (
        'tip', 'tips', 'gratuity', 'trinkgeld', 'pourboire', 'propina', 'mancia', 'fooi', 'gorjeta', 'napiwek',
        'dricks', 'drikkepenge', 'spropitné', 'チップ'
    ), false)
{%- endmacro %}

{#-
    How an order is called when it is compared with what another source calls it: an order of Shopify has an
    id (5550001505), a name (#1505) and a number (1505), and each may stand for it elsewhere.
-#}
{% macro order_call(name) -%}
    nullif(lower(regexp_replace(regexp_replace(trim({{ name }}), '^gid://.*/', ''), '^#', '')), '')
{%- endmacro %}

{#-
    Whether money was held for an order and then let go without ever being taken: a void that succeeded,
    and neither a sale nor a capture that did.
-#}
{% macro payment_was_voided(transactions) -%}
    {{ list_has(transactions, "lower(payment.kind) = 'void' and lower(payment.status) = 'success'", 'payment') }}
    and not {{ list_has(
        transactions, "lower(payment.kind) in ('sale', 'capture') and lower(payment.status) = 'success'", 'payment'
    ) }}
{%- endmacro %}

{#-
    The shop's amount for one unit of the buyer's currency, from the first pair of an order's amounts that
    gives both, else from the prices of its lines; NULL if the order does not say.
-#}
{% macro order_rate(pairs, lines) -%}
    {%- set shop = money(list_money(lines, money_from_text('line.price_set.shop_money.amount'), 'line')) -%}
    {%- set buyer = money(list_money(lines, money_from_text('line.price_set.presentment_money.amount'), 'line')) -%}
    coalesce(
        {%- for shop_text, buyer_text in pairs %}
        {{ money_from_text(shop_text) }} / nullif({{ money_from_text(buyer_text) }}, 0),
        {%- endfor %}
        {{ shop }} / nullif({{ buyer }}, 0)
    )
{%- endmacro %}

{#- A cart's id as a web event and an order write it: a token, perhaps as a global id and with a key behind it. -#}
{% macro cart_call(token) -%}
    nullif(regexp_replace(regexp_replace(trim({{ token }}), '^gid://.*/', ''), '[?].*$', ''), '')
{%- endmacro %}

{#-
    In a group of an order's lines, an amount of the order: written on one line, or on each of them alike, it
    is that amount; lines that differ add up.
-#}
{% macro amount_of_order(amount) -%}
    coalesce({{ money('case
        when count(*) > 1 and count(' ~ amount ~ ') = count(*) and min(' ~ amount ~ ') = max(' ~ amount ~ ') then max(' ~ amount ~ ')
        else sum(' ~ amount ~ ')
    end') }}, 0)
{%- endmacro %}
