{{ config(severity='warn') }}
-- Personas that nobody can be of, since their file asks for a measure that there is not.
select
    persona_id,
    problem
from {{ ref('dim_personas') }}
where problem is not null
