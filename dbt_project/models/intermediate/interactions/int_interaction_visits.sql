{#-
    Visits of people, with whatever decides whose their events are and what is told of them. Another version is
    another content: int_interactions_web then takes the visit's rows anew.
-#}
{{ config(materialized='view') }}

with visits as (
    select *
    from {{ ref('int_web_sessions_resolved') }}
    where not is_bot and not is_internal
),

login_owners as (
    select *
    from {{ ref('int_raw_identifier_customers') }}
    where identifier_type = 'login'
)

select
    visits.session_id,
    visits.visitor_id,
    visits.customer_id,
    visits.device_customer_id,
    visits.login_id,
    visits.login_customer_id,
    other_owners.customer_id as other_login_customer_id,
    visits.login_at,
    visits.started_at,
    visits.ended_at,
    visits.page_view_count,
    visits.marketing_channel,
    visits.utm_campaign,
    visits.device_type,
    visits.touchpoint,
    visits.load_ms,
    visits.country_code,
    visits.city,
    {{ hash_number(
        'visits.session_id, visits.customer_id, visits.device_customer_id, visits.login_customer_id, '
        ~ 'other_owners.customer_id, visits.event_count, visits.event_checksum, visits.marketing_channel, '
        ~ 'visits.utm_campaign, visits.device_type'
    ) }} as visit_version
from visits
left join login_owners as other_owners on visits.other_login_id = other_owners.raw_value
