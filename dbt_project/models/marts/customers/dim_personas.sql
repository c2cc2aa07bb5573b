{#- The card of each persona as the shop's own file describes it; who of the customers is one: persona_assignments. -#}
with problems as (
    select
        persona_id,
        {{ text_list("'there is no measure ' || subject") }} as problem
    from {{ ref('int_persona_conditions') }}
    where not is_known_subject
    group by persona_id
)

select
    personas.persona_key as persona_id,
    personas.persona,
    personas.who,
    {{ json_list_words('personas.needs') }} as needs,
    {{ json_list_words('personas.fears') }} as fears,
    {{ json_list_words('personas.persona_values') }} as cares_about,
    {{ json_list_words('personas.tastes') }} as tastes,
    {{ json_list_words('personas.content') }} as content,
    {{ json_list_words('personas.offers') }} as offers,
    personas.path,
    problems.problem
from {{ ref('stg_personas__personas') }} as personas
left join problems on personas.persona_key = problems.persona_id
