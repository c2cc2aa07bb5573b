{#- The identifier types in the order of trust; the first that a record has ties its others together.
    The seed `identifier_types` says the same to SQL, and a test keeps the two equal. -#}
{% macro identifier_types() -%}
    {{ return([
        'shopify_customer_id', 'orders_customer_id', 'login', 'email', 'loyalty_id',
        'klaviyo_profile_id', 'payment_card', 'phone', 'device',
    ]) }}
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

{#- A name as it is compared: case, accents and punctuation do not make two people, and an initial is
    not a full name. NULL unless a first and a last name are there in full. -#}
{% macro full_name(name) -%}
    nullif(regexp_extract(
        regexp_replace(lower({{ fold_accents(name) }}), '[^\p{L}\p{N}]+', ' ', 'g'),
        '^ ?([^ ]{2,} (?:[^ ]+ )*[^ ]{2,}) ?$', 1
    ), '')
{%- endmacro %}
