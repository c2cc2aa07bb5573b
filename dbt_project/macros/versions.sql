{#-
    Raw tables are append-only logs of row versions. Two helpers read them:

    `latest_versions(relation, keys, updated_at, where)` is the newest visible version of each key.
    Most keys have one version, so only keys that occur twice (found by a cheap hash) are sorted, on
    narrow columns; sorting whole JSON documents would cost more than all else in a staging model. They
    are left out by a join: for "not exists" an engine may first make all rows distinct.

    `new_loads(column)` limits an incremental model to loads that it has not read. It compares sets
    of load ids, not a high-water mark, so a load that arrives out of order is not skipped.
-#}
{% macro latest_versions(relation, keys, updated_at=none, where='true') -%}
    {%- set key_hash = hash_number(keys | join(', ')) -%}
    select current_version.*
    from {{ relation }} as current_version
    left join (
        select _row_id as superseded_row_id
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
        on current_version._row_id = superseded.superseded_row_id
    where
        ({{ where }})
        and superseded.superseded_row_id is null
{%- endmacro %}

{% macro new_loads(column='_dlt_load_id') -%}
    {% if is_incremental() -%}
        {{ column }} not in (select distinct known._dlt_load_id from {{ this }} as known)
    {%- else -%}
        true
    {%- endif %}
{%- endmacro %}

{#- For a model that keeps what it read of a raw table: rows that the raw table has no more, because their file was
    found to be of another shop, go before new ones come. -#}
{% macro forget_rows_gone(raw) -%}
    {%- if execute and not flags.FULL_REFRESH and keeps_tables() and load_relation(this) is not none -%}
        delete from {{ this }} where _row_id not in (select raw_rows._row_id from {{ raw }} as raw_rows)
    {%- endif -%}
{%- endmacro %}
