with aliases as (
    select * from {{ ref('customer_aliases') }}
),

final as (
    select
        held_back.sync_run_id,
        coalesce(aliases.customer_id, held_back.customer_id) as customer_id,
        held_back.customer_id as held_back_customer_id,
        held_back.segment,
        held_back.destination,
        held_back.channel,
        held_back.purpose,
        held_back.reason,
        held_back.held_back_at
    from {{ ref('stg_ops__held_back') }} as held_back
    left join aliases on held_back.customer_id = aliases.alias_id
)

select * from final
