{#- What a run's identity looks like in numbers: what to watch from one run to the next. -#}
{%- set counted = {
    'people': ("case when has_known_identifier then 'known' else 'anonymous' end", ref('int_customers'), 'true'),
    'born': ("case when has_known_identifier then 'known' else 'anonymous' end", ref('int_customers'), 'is_newly_born'),
    'carried_over': ("case when has_known_identifier then 'known' else 'anonymous' end", ref('int_customers'), 'not is_newly_born'),
    'identifiers': ('identifier_type', ref('int_customer_identifiers'), 'customer_id is not null'),
    'blocked_values': ('identifier_type', ref('int_customer_identifiers'), 'is_blocked'),
    'shared_values': ('identifier_type', ref('int_customer_identifiers'), 'is_shared'),
    'used_links': ("'all'", ref('int_identity_edges_judged'), 'refusal_reason is null'),
    'refused_links': ('refusal_reason', ref('int_identity_edges_judged'), 'refusal_reason is not null'),
    'over_merging': ('signal', ref('int_identity_over_merging'), 'true'),
    'under_merging': ('signal', ref('int_identity_under_merging'), 'true'),
    'household_members': ('basis', ref('int_household_members'), 'household_id is not null'),
} %}

with known_aliases as (
    select *
    from {{ ref('stg_ops__customer_aliases') }}
),

aliases as (
    select *
    from {{ ref('int_customer_aliases_next') }}
),

-- Whoever holds an identifier that belonged to somebody else, who is still there
split_off as (
    select distinct identifiers.customer_id
    from {{ ref('int_customer_identifiers') }} as identifiers
    inner join {{ ref('stg_ops__identity_registry') }} as registry
        on
            identifiers.identifier_type = registry.identifier_type
            and identifiers.identifier_value = registry.identifier_value
    left join aliases on registry.customer_id = aliases.alias_id
    where identifiers.customer_id <> registry.customer_id and aliases.alias_id is null
),

-- Ids of earlier runs that no row stands for any more and that went into nobody else's
gone as (
    select distinct registry.customer_id
    from {{ ref('stg_ops__identity_registry') }} as registry
    left join {{ ref('int_customers') }} as customers on registry.customer_id = customers.customer_id
    left join aliases on registry.customer_id = aliases.alias_id
    where
        registry.registered_at <= {{ as_of() }}
        and customers.customer_id is null
        and aliases.alias_id is null
),

metrics as (
    {%- for metric, (kind, relation, condition) in counted.items() %}
    select
        '{{ metric }}' as metric,
        {{ kind }} as kind,
        count(*) as value
    from {{ relation }}
    where {{ condition }}
    group by 1, 2
    union all
    {%- endfor %}
    select
        'merged' as metric,
        'all' as kind,
        count(*) as value
    from aliases
    left join known_aliases on aliases.alias_id = known_aliases.alias_id
    where known_aliases.alias_id is null
    union all
    select
        'split' as metric,
        'all' as kind,
        count(*) as value
    from split_off
    union all
    select
        'gone' as metric,
        'all' as kind,
        count(*) as value
    from gone
    union all
    select
        'largest_person' as metric,
        case when has_known_identifier then 'known' else 'anonymous' end as kind,
        max(identifier_count) as value
    from {{ ref('int_customers') }}
    group by 1, 2
    union all
    select
        'under_merging_groups_skipped' as metric,
        signal as kind,
        count(distinct group_key) as value
    from {{ ref('int_identity_alike') }}
    where is_skipped
    group by 1, 2
    union all
    select
        'household_values_refused' as metric,
        refusal_reason as kind,
        count(distinct concat_ws('', basis, '|', shared_value)) as value
    from {{ ref('int_household_ties') }}
    where refusal_reason is not null
    group by 1, 2
    union all
    select
        'household_groups_refused' as metric,
        refusal_reason as kind,
        count(distinct group_number) as value
    from {{ ref('int_household_members') }}
    where refusal_reason is not null
    group by 1, 2
)

select
    metric,
    kind,
    cast(value as bigint) as value
from metrics
where value is not null
