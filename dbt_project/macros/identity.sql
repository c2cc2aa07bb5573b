{#- The identifier types in the order of trust; the first that a record has is its hub.
    The seed `identifier_types` says the same to SQL, and a test keeps the two equal. -#}
{% macro identifier_types() -%}
    {{ return([
        'shopify_customer_id', 'orders_customer_id', 'login', 'email', 'loyalty_id',
        'klaviyo_profile_id', 'payment_card', 'phone', 'publisher_login', 'push_token', 'device',
    ]) }}
{%- endmacro %}

{#- The types that may connect two accounts of one person, or two people: all others name an account or an
    address of somebody. In the order of trust. -#}
{% macro bridging_identifier_types() -%}
    {{ return(['payment_card', 'phone', 'publisher_login', 'push_token', 'device']) }}
{%- endmacro %}

{#- Bridges that whoever is at hand may use: a browser, the app on it, an account at a publisher. -#}
{% macro lent_identifier_types() -%}
    {{ return(['publisher_login', 'push_token', 'device']) }}
{%- endmacro %}

{#- Of a browser or an app: they are somebody, and do not say who. -#}
{% macro anonymous_identifier_types() -%}
    {{ return(['push_token', 'device']) }}
{%- endmacro %}

{#- Accounts that a system opens for an address, whoever writes from it. -#}
{% macro address_account_types() -%}
    {{ return(['shopify_customer_id', 'klaviyo_profile_id']) }}
{%- endmacro %}

{#- Accounts of which a person has one: two of a kind are two people, unless both bear the same name. -#}
{% macro person_account_types() -%}
    {{ return(['login', 'orders_customer_id', 'loyalty_id', 'shopify_customer_id']) }}
{%- endmacro %}

{#- Texts as an SQL list. -#}
{% macro quoted(texts) -%}
    '{{ texts | join("', '") }}'
{%- endmacro %}

{#- A first and a last name as a person writes them. -#}
{% macro written_name(first_name, last_name) -%}
    nullif(concat_ws(' ', nullif(trim({{ first_name }}), ''), nullif(trim({{ last_name }}), '')), '')
{%- endmacro %}

{#- How a shared value's edges say why: by the kind of value where several people use it. -#}
{% macro share_refusal(identifier_type, share_reason) -%}
    case
        when {{ share_reason }} in ('two_logins', 'two_names', 'several_people', 'two_accounts')
            then concat_ws('', 'shared_', {{ identifier_type }})
        else {{ share_reason }}
    end
{%- endmacro %}

{#- One column per identifier type, from the expressions given and NULL for the rest. -#}
{% macro identifier_columns(expressions) -%}
    {%- for type in identifier_types() %}
        {{ expressions.get(type, 'cast(null as ' ~ dbt.type_string() ~ ')') }} as {{ type }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- The grade's name from its rank, without a join. -#}
{% macro evidence_grade(rank) -%}
    case {{ rank }}
        when 1 then 'card_paid_order'
        when 2 then 'verified_login'
        when 3 then 'checkout'
        when 4 then 'store_till'
        when 5 then 'newsletter'
        when 6 then 'import'
    end
{%- endmacro %}

{#- A value as it is compared with words that stand for none: `"null"`, `(NULL)` and `[Null]` are one. -#}
{% macro word_form(value) -%}
    {{ replace_matches(fold_accents('lower(' ~ value ~ ')'), '[^\\p{L}\\p{N}]+', '') }}
{%- endmacro %}

{#- A name as it is compared: case, accents, punctuation and middle names do not make two people, and an
    initial is not a full name. NULL unless a first and a last name are there in full. -#}
{% macro full_name(name) -%}
    nullif(regexp_replace(
        regexp_extract(
            {{ replace_matches('lower(' ~ fold_accents(name) ~ ')', '[^\\p{L}\\p{N}]+', ' ') }},
            '^ ?([^ ]{2,} (?:[^ ]+ )*[^ ]{2,}) ?$', 1
        ),
        ' .* ', ' '
    ), '')
{%- endmacro %}
