{#- The card of each persona as the shop's own file describes it; who of the customers is one is another matter. -#}
select
    persona_key as persona_id,
    persona,
    who,
    {{ json_list_words('needs') }} as needs,
    {{ json_list_words('fears') }} as fears,
    {{ json_list_words('persona_values') }} as cares_about,
    {{ json_list_words('tastes') }} as tastes,
    {{ json_list_words('content') }} as content,
    {{ json_list_words('offers') }} as offers,
    path
from {{ ref('stg_personas__personas') }}
