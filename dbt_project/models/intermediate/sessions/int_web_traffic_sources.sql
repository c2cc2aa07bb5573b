{#- Where a visit came from, worked out once per distinct mark on a link and referring host. -#}
with sources as (
    select distinct
        coalesce(utm_source, '') as utm_source,
        coalesce(utm_medium, '') as utm_medium,
        -- A referrer of the shop itself says nothing about where the visit came from
        coalesce(case when referrer_host is distinct from landing_host then referrer_host end, '') as referrer_host
    from {{ ref('int_web_sessions') }}
),

rules as (
    select *
    from {{ ref('marketing_channel_rules') }}
),

read_by_rule as (
    select
        sources.*,
        rules.priority,
        rules.match_kind,
        rules.value,
        rules.marketing_channel,
        case rules.field
            when 'utm_medium' then sources.utm_medium
            when 'utm_source' then sources.utm_source
            when 'referrer_domain' then sources.referrer_host
            when 'paid_source'
                then case when {{ text_matches('sources.utm_medium', "'^(cpc|ppc|cpv|paid.*)$'") }}
                    then coalesce(nullif(sources.utm_source, ''), 'unnamed') else '' end
        end as tested
    from sources
    cross join rules
),

-- Before they are joined: a condition that is not "equal" would make an engine compare all with all
first_rules as (
    select
        utm_source,
        utm_medium,
        referrer_host,
        substr(min(lpad(cast(priority as {{ dbt.type_string() }}), 4, '0') || marketing_channel), 5) as marketing_channel
    from read_by_rule
    where
        tested <> ''
        and case match_kind
            when 'exact' then tested = value
            when 'pattern' then {{ text_matches('tested', 'value') }}
            else true
        end
    group by utm_source, utm_medium, referrer_host
)

select
    sources.utm_source,
    sources.utm_medium,
    sources.referrer_host,
    coalesce(first_rules.marketing_channel, 'direct') as marketing_channel
from sources
left join first_rules
    on
        sources.utm_source = first_rules.utm_source
        and sources.utm_medium = first_rules.utm_medium
        and sources.referrer_host = first_rules.referrer_host
