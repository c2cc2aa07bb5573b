{{ config(materialized='view') }}
{#-
    What every record says about the person it belongs to, one field per row. Names are one unit: a record that
    has one half of a name claims the other half to be empty, so that both halves survive from one record.
    Anybody can write into a form or a web event, so words that are not plain claim nothing
    (macros/outside_words.sql); email and phone are identifiers, which identity has judged.
-#}
{%- set rules = survivorship_rules() -%}
{%- set of_orders = ['first_name', 'last_name', 'country_code', 'region_code', 'accepts_marketing', 'email', 'phone'] -%}
{%- set of_contacts = golden_fields() | reject('equalto', 'accepts_marketing') | list + ['email', 'phone'] -%}
-- depends_on: {{ ref('survivorship_rules') }}
with placed_orders as (
    {{ with_region_code(ref('int_orders_resolved')) }}
),

placed_contacts as (
    {{ with_region_code(ref('int_contacts_resolved')) }}
),

orders as (
    select
        customer_id,
        {%- for field in of_orders %}
        {{ plain_claim(field) }} as {{ field }},
        {%- endfor %}
        'order' as record_type,
        order_source as source_system,
        order_id as source_record_id,
        case when is_card_paid then 1 else 3 end as evidence_rank,
        ordered_at as stated_at
    from placed_orders
    where customer_id is not null and not is_test
),

contacts as (
    select
        customer_id,
        {%- for field in of_contacts if field != 'region_code' %}
        {{ plain_claim(field) }} as {{ field }},
        {%- endfor %}
        -- The mail system works the country out and names no region: that hides none that was stated
        case when contact_source <> 'klaviyo' then region_code end as region_code,
        'contact' as record_type,
        case contact_source when 'web_traits' then 'web' else contact_source end as source_system,
        source_record_id,
        {{ grade_rank('evidence_grade') }} as evidence_rank,
        coalesce(updated_at, created_at) as stated_at
    from placed_contacts
    where customer_id is not null
)

{%- for records, fields in {'orders': of_orders, 'contacts': of_contacts}.items() %}
{%- set is_last_source = loop.last %}
{%- for field in fields %}
{%- set is_name = golden_fields().get(field) == 'name' %}
{%- set is_kept_empty = field in rules and not rules[field].ignore_empty %}

select
    customer_id,
    '{{ field }}' as field,
    coalesce(cast({{ field }} as {{ dbt.type_string() }}), '') as claimed_value,
    {% if is_name -%}
    coalesce({{ written_name('first_name', 'last_name') }}, '') as unit_value,
    -- An initial is no more than half a name
    case
        when length(replace(first_name, '.', '')) > 1 and length(replace(last_name, '.', '')) > 1 then 0
        else 1
    end as missing_halves,
    {%- else -%}
    coalesce(cast({{ field }} as {{ dbt.type_string() }}), '') as unit_value,
    0 as missing_halves,
    {%- endif %}
    record_type,
    source_system,
    source_record_id,
    evidence_rank,
    stated_at,
    {% if records == 'orders' and field != 'accepts_marketing' -%}
    'observed' as fact_kind
    {%- elif field in ['country_code', 'postcode', 'timezone'] -%}
    -- The mail system works out where somebody is from where they open and click
    case source_system when 'klaviyo' then 'inferred' else 'stated' end as fact_kind
    {%- else -%}
    'stated' as fact_kind
    {%- endif %}
from {{ records }}
{%- if not is_kept_empty %}
where {{ 'first_name is not null or last_name is not null' if is_name else field ~ ' is not null' }}
{%- endif %}
{%- if not (loop.last and is_last_source) %}
union all
{%- endif %}
{%- endfor %}
{%- endfor %}
