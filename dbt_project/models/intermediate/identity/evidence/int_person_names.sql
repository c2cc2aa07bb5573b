{#- Each name that stands on a record, as it is compared. Few beside the records, and costly to fold. -#}
with written as (
    select distinct person_name
    from {{ ref('int_identity_evidence_keyed') }}
    where person_name is not null
)

select
    person_name,
    {{ full_name('person_name') }} as full_name
from written
