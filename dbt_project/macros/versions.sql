{#-
    Raw tables are append-only logs of row versions. Two helpers read them:

    `latest_versions(relation, keys, updated_at, where)` is the newest visible version of each key.
    Most keys have one version, so only keys that occur twice (found by a cheap hash) are sorted, on
    narrow columns; sorting whole JSON documents would cost more than all else in a staging model.

    `new_loads(column)` limits an incremental model to loads that it has not read. It compares sets
    of load ids, not a high-water mark, so a load that arrives out of order is not skipped.
-#}
{% macro latest_versions(relation, keys, updated_at=none, where='true') -%}
    {%- set key_hash = hash_number(keys | join(', ')) -%}
    select current_version.*
    from {{ relation }} as current_version
    where
        ({{ where }})
        and not exists (
            select 1
            from (
                select _row_id
                from {{ relation }}
                where
                    ({{ where }})
                    and {{ key_hash }} in (
                        select {{ key_hash }}
                        from {{ relation }}
                        where {{ where }}
                        group by 1
                        having count(*) > 1
                    )
                qualify row_number() over (
                    partition by {{ keys | join(', ') }}
                    order by {% if updated_at %}{{ updated_at }} desc nulls last, {% endif %}_dlt_load_id desc, _file desc, _line desc, _row_id desc
                ) > 1
            ) as superseded
            where superseded._row_id = current_version._row_id
        )
{%- endmacro %}

{% macro new_loads(column='_dlt_load_id') -%}
    {% if is_incremental() -%}
        {{ column }} not in (select distinct known._dlt_load_id from {{ this }} as known)
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}
