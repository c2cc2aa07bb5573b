{#-
    Values that several people use, found from all visible history, so that a value once taken for one
    person's stops connecting people in the past as well: devices with two logins, cards and phones
    with two full names on paid orders, phones that were passed on, and cards, phones and devices between
    two cores that are different people by their names and accounts.
-#}
{{ config(materialized='incremental', incremental_strategy='replace_scope', unique_key='identifier_key') }}
{{- refuse_half_a_refresh() }}

with shared as (
    select
        identifier_key,
        refusal_reason as share_reason,
        1 as place
    from {{ ref('int_refused_identifiers') }}
    where not is_blocked and {{ in_scope('identifier_key') }}
    union all
    select
        identifier_key,
        'two_names' as share_reason,
        2 as place
    from {{ ref('int_identifiers_of_two_names') }}
    where {{ in_scope('identifier_key') }}
    union all
    select
        pairs.bridge_key as identifier_key,
        'several_people' as share_reason,
        3 as place
    from {{ ref('int_identity_core_pairs') }} as pairs
    inner join {{ ref('int_identity_core_conflicts') }} as conflicts
        on
            pairs.core_a = conflicts.core_a
            and pairs.core_b = conflicts.core_b
            and pairs.by_device = conflicts.by_device
)

select
    identifier_key,
    share_reason
from shared
qualify row_number() over (partition by identifier_key order by place, share_reason) = 1
