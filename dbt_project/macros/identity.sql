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

{#- A limit as dbt reads it from a seed, or a sentence on why it cannot be one. -#}
{% macro sound_limit(seed, types, max_count, window_days) -%}
    {%- for type in types if type not in identifier_types() -%}
        {{ exceptions.raise_compiler_error(
            seed ~ ": '" ~ types | join(',') ~ "' names no identifier type; the types are "
            ~ identifier_types() | join(', ')
        ) }}
    {%- endfor -%}
    {%- if max_count is none or max_count < 1 -%}
        {{ exceptions.raise_compiler_error(
            seed ~ ": the limit of " ~ types | reverse | join(' per ') ~ " is " ~ max_count
            ~ "; it must be 1 or more (to keep a value from tying anybody, block it)"
        ) }}
    {%- endif -%}
    {{ return({
        'identifier_type': types[0], 'max_count': max_count | int,
        'window_days': window_days | int if window_days is not none else none,
    }) }}
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
            {%- do limits.append(
                dict(sound_limit('identifier_limits', [row[0], row[1]], row[2], row[3]),
                linked_type=row[1], refusal_reason=row[4])
            ) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(limits) }}
{%- endmacro %}

{#- The limits of the seed `person_limits`, in an order of their own: a place in it names a limit. -#}
{% macro person_limits() -%}
    {%- set limits = [] -%}
    {%- set seed = ref('person_limits') -%}
    {%- if execute and load_relation(seed) is not none -%}
        {%- set found = run_query(
            "select identifier_type, max_count, window_days from " ~ seed
            ~ " order by identifier_type, max_count, window_days"
        ) -%}
        {%- for row in found.rows -%}
            {%- do limits.append(sound_limit('person_limits', [row[0]], row[1], row[2])) -%}
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
