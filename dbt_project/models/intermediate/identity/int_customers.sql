select
    cast(null as varchar) as customer_id,
    cast(null as timestamp) as first_seen_at,
    cast(null as timestamp) as last_seen_at,
    cast(null as bigint) as identifier_count,
    cast(null as boolean) as has_known_identifier,
    cast(null as boolean) as is_newly_born,
    cast(null as varchar) as previous_customer_ids
where false
