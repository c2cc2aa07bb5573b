{#- Descriptions quote its thresholds, which dbt cannot see before it has every model. -#}
{%- do ref('shop_rhythm') -%}
{%- set found = [] -%}
{%- if execute -%}
    {%- do check_segment_names(graph) -%}
    {%- for name in segment_names() -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.seg_' ~ name] -%}
        {%- do found.append((name, node.config.meta.segment)) -%}
    {%- endfor -%}
{%- endif -%}

with segments as (
    {%- for name, meta in found %}
    select
        '{{ name }}' as segment,
        {{ segment_text(meta.label) }} as label,
        {{ with_thresholds(meta.description) }} as description,
        {{ segment_text(meta.channel) }} as channel,
        {{ segment_text(meta.purpose) }} as purpose,
        {{ segment_text(tojson(meta.destinations or [])) }} as destinations,
        {{ meta.priority or 100 }} as priority,
        {{ meta.min_size or 0 }} as min_size,
        {{ 'true' if meta.may_be_everybody else 'false' }} as may_be_everybody
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as segment,
        cast(null as {{ dbt.type_string() }}) as label,
        cast(null as {{ dbt.type_string() }}) as description,
        cast(null as {{ dbt.type_string() }}) as channel,
        cast(null as {{ dbt.type_string() }}) as purpose,
        cast(null as {{ dbt.type_string() }}) as destinations,
        cast(null as integer) as priority,
        cast(null as integer) as min_size,
        cast(null as boolean) as may_be_everybody
    {%- endfor %}
),

final as (
    select * from segments
    where segment is not null
)

select * from final
