{%- set fields = ['birthday', 'gender', 'job', 'postcode', 'timezone', 'loyalty_id', 'loyalty_tier'] -%}
with contacts as (
    select
        *,
        {{ grade_rank('evidence_grade') }} as grade_rank,
        coalesce(updated_at, created_at) as stated_at
    from {{ ref('int_contacts_resolved') }}
    where customer_id is not null
),

-- For each field the best evidence that has it: one source's empty box does not hide another's answer.
ranked as (
    select
        customer_id,
        {%- for field in fields %}
        {{ field }},
        row_number() over (
            partition by customer_id
            order by
                case when {{ field }} is null then 1 else 0 end,
                grade_rank, stated_at desc nulls last, contact_key
        ) as {{ field }}_rank{% if not loop.last %},{% endif %}
        {%- endfor %}
    from contacts
),

final as (
    select
        customer_id,
        {%- for field in fields %}
        max(case when {{ field }}_rank = 1 then {{ field }} end) as {{ field }}{% if not loop.last %},{% endif %}
        {%- endfor %}
    from ranked
    group by customer_id
)

select * from final
