{#- Identity rules that a shop keeps as seeds: read as constants of a statement, and refused where they cannot be. -#}

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

{#- The patterns of the seed `blocked_identifiers`. They become constants of the statement, because an
    engine compiles a constant pattern once and a pattern from a column once per row. -#}
{% macro blocked_patterns() -%}
    {%- set patterns = [] -%}
    {%- if execute and load_relation(ref('blocked_identifiers')) is not none -%}
        {%- set found = run_query(
            "select identifier_type, blocked_value, reason, " ~ is_pattern('blocked_value')
            ~ " as is_sound, match_kind from " ~ ref('blocked_identifiers')
            ~ " where match_kind not in ('exact', 'word') order by identifier_type, blocked_value"
        ) -%}
        {%- for row in found.rows -%}
            {%- if row[4] not in ['pattern', 'role'] -%}
                {{ exceptions.raise_compiler_error(
                    "blocked_identifiers: '" ~ row[4] ~ "' is no match_kind; they are exact, word, pattern and role"
                ) }}
            {%- endif -%}
            {%- if not row[3] -%}
                {{ exceptions.raise_compiler_error(
                    "blocked_identifiers: '" ~ row[1] ~ "' is no regular expression; mend it, or make its"
                    ~ " match_kind exact"
                ) }}
            {%- endif -%}
            {%- do patterns.append({
                'identifier_type': row[0], 'blocked_value': row[1], 'reason': row[2],
                'is_role': row[4] == 'role',
            }) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(patterns) }}
{%- endmacro %}
