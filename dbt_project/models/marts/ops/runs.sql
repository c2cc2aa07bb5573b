with per_source as (
    select
        run_id,
        source,
        sum(rows_received) as rows_received,
        sum(rows_loaded) as rows_loaded,
        sum(rows_quarantined) as rows_quarantined,
        sum(rows_duplicate) as rows_duplicate
    from {{ ref('run_sources') }}
    group by run_id, source
),

sources as (
    select
        run_id,
        {{ json_rows_text({
            'source': 'source',
            'received': 'cast(rows_received as bigint)',
            'loaded': 'cast(rows_loaded as bigint)',
            'quarantined': 'cast(rows_quarantined as bigint)',
            'duplicate': 'cast(rows_duplicate as bigint)',
        }, 'source') }} as sources
    from per_source
    group by run_id
),

final as (
    select
        runs.run_id,
        runs.code_version,
        runs.status,
        runs.run_id = {{ run_id() }} as is_current,
        runs.rows_received,
        runs.rows_loaded,
        runs.rows_quarantined,
        runs.rows_duplicate,
        sources.sources,
        runs.as_of
    from {{ ref('stg_ops__runs') }} as runs
    left join sources on runs.run_id = sources.run_id
)

select * from final
