{#-
    Visitors whose visible events differ, by count or checksum, from what their visits were built from.
-#}
{% macro changed_visitors(events, sessions, checksum) -%}
    select visible_now.visitor_id
    from (
        select
            visitor_id,
            count(*) as event_count,
            sum({{ checksum }}) as event_checksum
        from {{ events }}
        where occurred_at <= {{ as_of() }}
        group by visitor_id
    ) as visible_now
    left join (
        select
            visitor_id,
            sum(event_count) as event_count,
            sum(event_checksum) as event_checksum
        from {{ sessions }}
        group by visitor_id
    ) as built
        on visible_now.visitor_id = built.visitor_id
    where
        visible_now.event_count is distinct from built.event_count
        or visible_now.event_checksum is distinct from built.event_checksum
{%- endmacro %}

{#- Where a web event happened; one that does not say it happened on the web. -#}
{% macro touchpoints() -%}
    {{ return(['web', 'app', 'blog', 'social', 'kiosk', 'iot']) }}
{%- endmacro %}
