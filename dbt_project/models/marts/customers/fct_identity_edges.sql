with edges as (
    select *
    from {{ ref('int_identity_edges_judged') }}
),

identifiers as (
    select *
    from {{ ref('int_identifiers') }}
),

named as (
    select
        edges.*,
        identifiers_a.identifier_type as type_a,
        identifiers_a.identifier_value as value_a,
        identifiers_b.identifier_type as type_b,
        identifiers_b.identifier_value as value_b,
        -- An edge is written in the order of its texts: integers may differ between two warehouses
        concat_ws('', identifiers_a.identifier_type, '|', identifiers_a.identifier_value)
        < concat_ws('', identifiers_b.identifier_type, '|', identifiers_b.identifier_value) as is_in_order
    from edges
    inner join identifiers as identifiers_a on edges.key_a = identifiers_a.identifier_key
    inner join identifiers as identifiers_b on edges.key_b = identifiers_b.identifier_key
),

final as (
    select
        case when is_in_order then type_a else type_b end as identifier_a_type,
        case when is_in_order then value_a else value_b end as identifier_a_value,
        case when is_in_order then type_b else type_a end as identifier_b_type,
        case when is_in_order then value_b else value_a end as identifier_b_value,
        source_system,
        source_record_id,
        rule,
        {{ evidence_grade('evidence_rank') }} as evidence_grade,
        case when refusal_reason is null then 'used' else 'refused' end as status,
        refusal_reason,
        {{ timestamp_from_micros('observed_micros') }} as observed_at
    from named
)

select * from final
