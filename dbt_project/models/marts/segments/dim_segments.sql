{#- Descriptions quote its thresholds, which dbt cannot see before it has every model. -#}
{%- do ref('shop_rhythm') -%}
{%- set found = [] -%}
{%- if execute -%}
    {%- do check_segment_names(graph) -%}
    {%- for name in segment_names() -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.seg_' ~ name] -%}
        {%- do check_segment(name, node.config.meta.segment) -%}
        {%- do found.append((name, node.config.meta.segment)) -%}
    {%- endfor -%}
{%- endif -%}

with segments as (
    {%- for name, meta in found %}
    select
        '{{ name }}' as segment,
        {{ segment_text(meta.label) }} as label,
        {{ with_thresholds(meta.description) }} as description,
        {{ segment_text(segment_channels(meta)[0]) }} as channel,
        {{ segment_text(tojson(segment_channels(meta))) }} as channels,
        {{ segment_text(meta.purpose) }} as purpose,
        {{ segment_text(tojson(meta.destinations or [])) }} as destinations,
        {{ segment_text(meta.message_kind) }} as message_kind,
        {{ segment_text(meta.level or 'full') }} as level,
        {{ segment_text(tojson(meta.plain_context)) if meta.plain_context is defined else 'null' }} as plain_context,
        {{ meta.priority or 100 }} as priority,
        {{ minutes_of(name, meta.delay) or 0 }} as delay_minutes,
        cast({{ minutes_of(name, meta.not_after) or 'null' }} as integer) as not_after_minutes,
        {{ meta.cooldown_days or 0 }} as cooldown_days,
        {{ segment_text(tojson(goals_of_segment(name, meta.exit_on) | list)) }} as exit_on,
        {{ segment_text(meta.programme or name) }} as programme,
        cast({{ meta.holdout_share or 0 }} as double) as holdout_share,
        {{ segment_text(meta.first_activation or first_activations()[0]) }} as first_activation,
        {{ segment_text(meta.landing_page) if meta.landing_page else 'cast(null as ' ~ dbt.type_string() ~ ')' }} as landing_page,
        {{ segment_text(tojson(meta.slots or {})) }} as slots,
        {{ meta.min_size or 0 }} as min_size,
        {{ 'true' if meta.may_be_everybody else 'false' }} as may_be_everybody,
        {{ 'true' if meta.is_exclusion else 'false' }} as is_exclusion
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select
        cast(null as {{ dbt.type_string() }}) as segment,
        cast(null as {{ dbt.type_string() }}) as label,
        cast(null as {{ dbt.type_string() }}) as description,
        cast(null as {{ dbt.type_string() }}) as channel,
        cast(null as {{ dbt.type_string() }}) as channels,
        cast(null as {{ dbt.type_string() }}) as purpose,
        cast(null as {{ dbt.type_string() }}) as destinations,
        cast(null as {{ dbt.type_string() }}) as message_kind,
        cast(null as {{ dbt.type_string() }}) as level,
        cast(null as {{ dbt.type_string() }}) as plain_context,
        cast(null as integer) as priority,
        cast(null as integer) as delay_minutes,
        cast(null as integer) as not_after_minutes,
        cast(null as integer) as cooldown_days,
        cast(null as {{ dbt.type_string() }}) as exit_on,
        cast(null as {{ dbt.type_string() }}) as programme,
        cast(null as double) as holdout_share,
        cast(null as {{ dbt.type_string() }}) as first_activation,
        cast(null as {{ dbt.type_string() }}) as landing_page,
        cast(null as {{ dbt.type_string() }}) as slots,
        cast(null as integer) as min_size,
        cast(null as boolean) as may_be_everybody,
        cast(null as boolean) as is_exclusion
    {%- endfor %}
),

final as (
    select * from segments
    where segment is not null
)

select * from final
