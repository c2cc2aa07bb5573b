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
)

select
    sources.utm_source,
    sources.utm_medium,
    sources.referrer_host,
    coalesce(
        substr(min(lpad(cast(read_by_rule.priority as varchar), 4, '0') || read_by_rule.marketing_channel), 5),
        'direct'
    ) as marketing_channel
from sources
left join read_by_rule
    on
        sources.utm_source = read_by_rule.utm_source
        and sources.utm_medium = read_by_rule.utm_medium
        and sources.referrer_host = read_by_rule.referrer_host
        and read_by_rule.tested <> ''
        and case read_by_rule.match_kind
            when 'exact' then read_by_rule.tested = read_by_rule.value
            when 'pattern' then {{ text_matches('read_by_rule.tested', 'read_by_rule.value') }}
            else true
        end
group by sources.utm_source, sources.utm_medium, sources.referrer_host
