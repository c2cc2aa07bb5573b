select
    cast(null as varchar) as identifier_a_type,
    cast(null as varchar) as identifier_a_value,
    cast(null as varchar) as identifier_b_type,
    cast(null as varchar) as identifier_b_value,
    cast(null as varchar) as source_system,
    cast(null as varchar) as source_record_id,
    cast(null as timestamp) as observed_at,
    cast(null as varchar) as rule,
    cast(null as varchar) as evidence_grade,
    cast(null as varchar) as status,
    cast(null as varchar) as refusal_reason
where false
