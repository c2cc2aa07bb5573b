select
    cast(null as varchar) as identifier_type,
    cast(null as varchar) as identifier_value,
    cast(null as varchar) as customer_id,
    cast(null as varchar) as evidence_grade,
    cast(null as integer) as evidence_rank,
    cast(null as boolean) as is_shared,
    cast(null as boolean) as is_blocked,
    cast(null as timestamp) as first_seen_at,
    cast(null as timestamp) as last_seen_at,
    cast(null as bigint) as observation_count
where false
