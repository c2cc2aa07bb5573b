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

{% materialization incremental, adapter='spark' -%}
    {{ return(build_anew(sql)) }}
{%- endmaterialization %}

{% materialization table, adapter='spark' -%}
    {{ return(build_anew(sql)) }}
{%- endmaterialization %}

{% macro build_anew(sql) %}
    {%- set former = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- if former is not none -%}
        {%- do adapter.drop_relation(former) -%}
    {%- endif -%}
    {%- set statement_left = with_tables_for_ctes(sql) -%}
    {%- call statement('main') -%}
        create table {{ target }} using parquet as
        {{ statement_left }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmacro %}

{#- Descriptions go from the manifest into the published file; Spark need not keep them as well. -#}
{% macro spark__comment_clause() -%}
{%- endmacro %}

{% macro spark__persist_docs(relation, model, for_relation, for_columns) -%}
{%- endmacro %}

{#-
    Spark writes a CTE out at every place that reads it. One that rests on others that are read often becomes a plan of
    thousands of steps, which it does not finish reading. So a CTE that stands for many, and is read twice or more, is
    built as a table beside the model first; these go with the next build of all tables.

    Returns the statement that is left. It takes our own way to write CTEs: the bracket that ends one begins a line.
-#}
{% macro with_tables_for_ctes(sql) -%}
    {%- set one_cte = '(?ms)^(?:with\\s+)?(\\w+) as \\($(.*?)^\\)(?:,$|(?=\\s*(?:^--[^\\n]*\\s*)*^select\\b))' -%}
    {%- set ctes = modules.re.findall(one_cte, sql) -%}
    {%- set rest = modules.re.split(one_cte, sql)[-1] -%}
    {%- set bodies = (ctes | map(attribute=1) | list) + [rest] -%}
    {%- set weights, before = {}, [] -%}
    {%- set built = namespace(any=false) -%}
    {%- if not modules.re.match('\\s*(?:--[^\\n]*\\s*)*select\\b', rest) -%}
        {{ return(sql) }}
    {%- endif -%}
    {%- for body in bodies if body.count('(') != body.count(')') -%}
        {{ return(sql) }}
    {%- endfor -%}
    {%- for name, body in ctes -%}
        {%- set weight = namespace(sum=1) -%}
        {%- for other in weights -%}
            {%- set weight.sum = weight.sum + weights[other] * times_read(other, body) -%}
        {%- endfor -%}
        {%- set readers = times_read(name, bodies | join(' ')) -%}
        {%- if readers > 1 and weight.sum * readers > 12 -%}
            {%- set table = this.incorporate(path={'identifier': this.identifier ~ '__' ~ name}, type='table') -%}
            {%- do run_query(
                'create table ' ~ table ~ ' using parquet as '
                ~ ('with ' ~ before | join(', ') if before else '') ~ ' ' ~ body
            ) -%}
            {%- do before.append(name ~ ' as (select * from ' ~ table ~ ')') -%}
            {%- do weights.update({name: 1}) -%}
            {%- set built.any = true -%}
        {%- else -%}
            {%- do before.append(name ~ ' as (' ~ body ~ ')') -%}
            {%- do weights.update({name: weight.sum}) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return('with ' ~ before | join(', ') ~ rest if built.any else sql) }}
{%- endmacro %}

{#- How often a text of SQL reads a relation of that name. -#}
{% macro times_read(name, sql) -%}
    {{ return(modules.re.findall('\\b(?:from|join)\\s+' ~ name ~ '\\b', sql) | length) }}
{%- endmacro %}
