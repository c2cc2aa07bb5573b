{#- The identifier types in the order of trust; the first that a record has ties its others together.
    The seed `identifier_types` says the same to SQL, and a test keeps the two equal. -#}
{% macro identifier_types() -%}
    {{ return([
        'shopify_customer_id', 'orders_customer_id', 'login', 'email', 'loyalty_id',
        'klaviyo_profile_id', 'payment_card', 'phone', 'device',
    ]) }}
{%- endmacro %}

{#- The types that may tie two accounts of one person together, or two people: all others name an account
    or an address of somebody. In the order of trust. -#}
{% macro bridging_identifier_types() -%}
    {{ return(['payment_card', 'phone', 'device']) }}
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

{#- The limits of the seed `identifier_limits`: constants of the statement, as each is a query of its own. -#}
{% macro identifier_limits() -%}
    {%- set limits = [] -%}
    {%- if execute and load_relation(ref('identifier_limits')) is not none -%}
        {%- set found = run_query(
            "select identifier_type, linked_type, max_count, window_days, refusal_reason from "
            ~ ref('identifier_limits') ~ " order by identifier_type, linked_type, max_count, window_days"
        ) -%}
        {%- for row in found.rows -%}
            {%- if row[0] not in identifier_types() or row[1] not in identifier_types() -%}
                {{ exceptions.raise_compiler_error(
                    "identifier_limits: '" ~ row[0] ~ "," ~ row[1] ~ "' names no identifier type; the types are "
                    ~ identifier_types() | join(', ')
                ) }}
            {%- endif -%}
            {%- if row[2] is none or row[2] < 1 -%}
                {{ exceptions.raise_compiler_error(
                    "identifier_limits: the limit of " ~ row[1] ~ " per " ~ row[0] ~ " is " ~ row[2]
                    ~ "; it must be 1 or more (to keep a value from tying anybody, block it)"
                ) }}
            {%- endif -%}
            {%- do limits.append({
                'identifier_type': row[0], 'linked_type': row[1], 'max_count': row[2] | int,
                'window_days': row[3] | int if row[3] is not none else none, 'refusal_reason': row[4],
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(limits) }}
{%- endmacro %}

{#- How a shared value's pairs say why: by the kind of value where several people use it. -#}
{% macro share_refusal(identifier_type, share_reason) -%}
    case
        when {{ share_reason }} in ('two_logins', 'two_names', 'several_people', 'two_accounts')
            then concat('shared_', {{ identifier_type }})
        else {{ share_reason }}
    end
{%- endmacro %}

{#- One column per identifier type, from the expressions given and NULL for the rest. -#}
{% macro identifier_columns(expressions) -%}
    {%- for type in identifier_types() %}
        {{ expressions.get(type, 'cast(null as varchar)') }} as {{ type }}{{ ',' if not loop.last }}
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

{#- The patterns of the seed `blocked_identifiers`. They become constants of the statement, because an
    engine compiles a constant pattern once and a pattern from a column once per row. -#}
{% macro blocked_patterns() -%}
    {%- set patterns = [] -%}
    {%- if execute and load_relation(ref('blocked_identifiers')) is not none -%}
        {%- set found = run_query(
            "select identifier_type, blocked_value, reason from " ~ ref('blocked_identifiers')
            ~ " where match_kind = 'pattern' order by identifier_type, blocked_value"
        ) -%}
        {%- for row in found.rows -%}
            {%- do patterns.append({
                'identifier_type': row[0], 'blocked_value': row[1] | replace("'", "''"), 'reason': row[2],
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(patterns) }}
{%- endmacro %}

{#- A name as it is compared: case, accents, punctuation and middle names do not make two people, and an
    initial is not a full name. NULL unless a first and a last name are there in full. -#}
{% macro full_name(name) -%}
    nullif(regexp_replace(
        regexp_extract(
            regexp_replace(lower({{ fold_accents(name) }}), '[^\p{L}\p{N}]+', ' ', 'g'),
            '^ ?([^ ]{2,} (?:[^ ]+ )*[^ ]{2,}) ?$', 1
        ),
        ' .* ', ' '
    ), '')
{%- endmacro %}
