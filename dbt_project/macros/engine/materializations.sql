{#-
    A table or view takes its name's place in one statement. dbt's own way on DuckDB builds beside it,
    renames twice and drops the former after the commit; each of these costs dbt as much as a small model.
    Either way nobody sees half a table: the statement and the comments are one transaction, and what is
    published is a copy.
-#}
{% materialization table, adapter='duckdb' -%}
    {{ return(create_or_replace('table', sql)) }}
{%- endmaterialization %}

{% materialization view, adapter='duckdb' -%}
    {{ return(create_or_replace('view', sql)) }}
{%- endmaterialization %}

{% macro create_or_replace(kind, sql) %}
    {%- set former = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type=kind) -%}
    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- if former is not none and former.type != kind -%}
        {%- do adapter.drop_relation(former) -%}
    {%- endif -%}
    {%- call statement('main') -%}
        create or replace {{ kind }} {{ target }} as (
            {{ sql }}
        );
    {%- endcall -%}
    {%- do persist_docs(target, model) -%}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#-
    All comments of a table in one statement. dbt's own way asks for the columns first, to leave out what is described
    and not there; here that fails the model.
-#}
{% macro duckdb__persist_docs(relation, model, for_relation, for_columns) %}
    {%- set comments = [] -%}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do comments.append(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- do comments.append(alter_column_comment(relation, model.columns)) -%}
    {%- endif -%}
    {%- if comments -%}
        {%- do run_query(comments | join('\n')) -%}
    {%- endif -%}
{% endmacro %}

{% macro duckdb__alter_column_comment(relation, column_dict) %}
    {%- for column in column_dict.values() %}
    comment on column {{ relation }}.{{ adapter.quote(column.name) if column.quote else column.name }} is {{ duckdb_escape_comment(column.description) }};
    {%- endfor %}
{% endmacro %}
