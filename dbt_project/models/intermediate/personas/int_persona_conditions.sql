{#- The conditions of each persona's file, as rows. A stage is asked as the measure of that name. -#}
with documents as (
    select
        persona_key as persona_id,
        persona,
        {{ json_elements('who', '$') }}
    from {{ ref('stg_personas__personas') }}
),

fields as (
    select
        persona_id,
        persona,
        position,
        {{ json_text('item', '$.trait') }} as trait,
        {{ json_text('item', '$.value') }} as measure,
        {{ json_text('item', '$.stage') }} as stages,
        {{ json_text('item', '$.is') }} as wanted,
        {{ json_text('item', '$.is_not') }} as unwanted,
        {{ json_text('item', '$.at_least') }} as at_least,
        {{ json_text('item', '$.at_most') }} as at_most
    from documents
),

subjects as (
    select
        persona_id,
        persona,
        position,
        trait is not null as is_trait,
        lower(trim(coalesce(trait, measure, 'stage'))) as subject,
        coalesce(stages, wanted) as wanted,
        unwanted,
        at_least,
        at_most
    from fields
)

select
    persona_id,
    persona,
    position,
    is_trait,
    subject,
    wanted,
    unwanted,
    at_least,
    at_most,
    is_trait or subject in (
        {%- for measure in persona_measures() %}
        '{{ measure }}'{{ ',' if not loop.last }}
        {%- endfor %}
    ) as is_known_subject,
    concat_ws(
        ' and ',
        replace(subject, '_', ' ') || ' is ' || {{ json_list_words('wanted') }},
        replace(subject, '_', ' ') || ' is not ' || {{ json_list_words('unwanted') }},
        replace(subject, '_', ' ') || ' at least ' || at_least,
        replace(subject, '_', ' ') || ' at most ' || at_most
    ) as words
from subjects
