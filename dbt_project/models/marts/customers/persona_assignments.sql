{#-
    Who is of which persona: everybody of whom all conditions of its file hold. Of what we do not know of somebody a
    condition does not hold; `is_not` does, since nothing speaks against it. A trait that is sensitive answers nothing,
    and a persona that asks for a measure that there is not has nobody (dim_personas.problem says so).
-#}
{%- set text = dbt.type_string() -%}
{%- set number = 'decimal(38, 6)' %}

with conditions as (
    select * from {{ ref('int_persona_conditions') }}
),

people as (
    select
        details.*,
        predictions.clv_tier
    from {{ ref('int_customer_profiles') }} as details
    left join {{ ref('fct_customer_predictions') }} as predictions
        on details.customer_id = predictions.customer_id and predictions.is_current
),

traits as (
    select
        customer_id,
        lower(trait) as trait,
        value
    from {{ ref('customer_traits') }}
    where sensitivity <> 'sensitive' and (valid_to is null or valid_to > {{ as_of() }})
),

stated as (
    select
        traits.customer_id,
        conditions.persona_id,
        conditions.position,
        traits.value as answer
    from conditions
    inner join traits on conditions.subject = traits.trait
    where conditions.is_trait
),

-- Each person beside each condition: few conditions, as many as a shop writes down
asked as (
    select
        people.customer_id,
        conditions.persona_id,
        conditions.persona,
        conditions.position,
        conditions.words,
        conditions.is_trait,
        conditions.is_known_subject,
        conditions.wanted,
        conditions.unwanted,
        conditions.at_least,
        conditions.at_most,
        case conditions.subject
            {%- for measure in persona_measures() %}
            when '{{ measure }}' then cast(people.{{ measure }} as {{ text }})
            {%- endfor %}
        end as measured
    from people
    cross join conditions
),

answered as (
    select
        asked.*,
        coalesce(stated.answer, case when not asked.is_trait then asked.measured end) as answer
    from asked
    left join stated
        on
            asked.is_trait
            and asked.customer_id = stated.customer_id
            and asked.persona_id = stated.persona_id
            and asked.position = stated.position
),

{%- set same -%}
    lower(trim(item)) = lower(trim(answer)) or try_cast(item as {{ number }}) = try_cast(answer as {{ number }})
{%- endset %}

judged as (
    select
        customer_id,
        persona_id,
        persona,
        position,
        words,
        is_known_subject,
        unwanted is not null and coalesce({{ list_has(json_list('unwanted'), same) }}, false) as is_against,
        (unwanted is not null or answer is not null)
        and (wanted is null or coalesce({{ list_has(json_list('wanted'), same) }}, false))
        and (at_least is null or coalesce(try_cast(answer as {{ number }}) >= try_cast(at_least as {{ number }}), false))
        and (at_most is null or coalesce(try_cast(answer as {{ number }}) <= try_cast(at_most as {{ number }}), false))
            as is_met
    from answered
),

-- A trait may have several values: one that is asked for is enough, one that is not wanted too
held as (
    select
        customer_id,
        persona_id,
        persona,
        position,
        words,
        bool_and(is_known_subject) and bool_or(is_met) and not bool_or(is_against) as is_held
    from judged
    group by customer_id, persona_id, persona, position, words
),

assigned as (
    select
        customer_id,
        persona_id,
        persona,
        count(*) as condition_count,
        {{ text_path('words', 'position', '; ') }} as reason
    from held
    group by customer_id, persona_id, persona
    having bool_and(is_held)
)

select
    customer_id,
    persona_id,
    persona,
    -- Whoever is of several is first of the one that says most of them
    row_number() over (partition by customer_id order by condition_count desc, persona_id) = 1 as is_first,
    reason
from assigned
