{#-
    The identifiers that this run looks at: those of whom something is new, gone or different since they
    were last looked at, and all that were connected with them then. An edge is two identifiers on one
    record; a new or different record is a fact about both, so nothing outside the scope can change.
-#}
{%- set solved = left_by_last_run('int_identity_last_solved') %}

with fingerprints as (
    select *
    from {{ ref('int_identity_fingerprints') }}
),

{% if identity_starts_anew() -%}
-- depends_on: {{ ref('int_identity_first_names') }}
in_scope as (
    select identifier_key
    from fingerprints
    {%- for past in [solved, left_by_last_run(this.identifier)] if past is not none %}
    union
    -- Also who is gone since, and who came in a run that stopped half way
    select identifier_key
    from {{ past }}
    {%- endfor %}
)
{%- else -%}
first_names as (
    select first_name
    from {{ ref('int_identity_first_names') }}
),

changed as (
    select coalesce(fingerprints.identifier_key, solved.identifier_key) as identifier_key
    from fingerprints
    full outer join {{ solved }} as solved on fingerprints.identifier_key = solved.identifier_key
    where
        fingerprints.fact_count is distinct from solved.fact_count
        or fingerprints.fact_checksum is distinct from solved.fact_checksum
    union
    -- A word in an address speaks once it is somebody's first name, and is silent when it is nobody's
    select words.core as identifier_key
    from {{ left_by_last_run('int_identity_address_words') }} as words
    left join first_names on words.word = first_names.first_name
    where words.is_first_name <> (first_names.first_name is not null)
),

in_scope as (
    select identifier_key
    from changed
    union
    select others.identifier_key
    from {{ solved }} as others
    where others.neighbourhood in (
        select known.neighbourhood
        from {{ solved }} as known
        inner join changed on known.identifier_key = changed.identifier_key
    )
)
{%- endif %}

select
    in_scope.identifier_key,
    fingerprints.fact_count,
    fingerprints.fact_checksum
from in_scope
left join fingerprints on in_scope.identifier_key = fingerprints.identifier_key
