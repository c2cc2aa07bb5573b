-- Where people are on their way, apart by what brought them: of a first visit its marketing channel, else the channel of
-- the first thing that they did
{%- set sources %}
        select
            engagement.customer_id,
            case
                when visits.started_at <= coalesce(engagement.first_touch_at, visits.started_at)
                    then visits.marketing_channel
                else engagement.first_touch_channel
            end as source
        from {{ ref('customer_engagement') }} as engagement
        left join {{ ref('fct_web_sessions') }} as visits
            on engagement.customer_id = visits.customer_id and visits.customer_visit_number = 1
{%- endset %}
{{ journey_flow(sources, 'source') }}
