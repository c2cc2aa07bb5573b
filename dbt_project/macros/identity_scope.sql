{#-
    Who is who is worked out again only for those whom a change touches; this is how.

    `int_identity_scope` lists the identifiers to look at in this run. The models between it and
    `int_identity_last_solved` see these alone. Those that later models read keep the rest from earlier runs:
    they are incremental by the strategy `replace_scope`, which is what tells them from others. On a full refresh
    everything is in scope.
-#}

{#- A relation beside `this` as the last run left it, or none. Not a ref: it is built after this one. -#}
{% macro left_by_last_run(name) -%}
    {%- set past = this.incorporate(path={'identifier': name}) -%}
    {%- if engine_answers() -%}
        {{ return(load_relation(past) if keeps_tables() else none) }}
    {%- endif -%}
    {{ return(past if is_later_offline() else none) }}
{%- endmacro %}

{#- What the rules are written in, and the limits that no fingerprint knows: a change of them makes
    everything be looked at again. -#}
{% macro identity_logic_version() -%}
    {%- set texts = [person_limits() | string] -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='unique_id')
            if '/identity/' in node.original_file_path -%}
            {%- do texts.append(node.raw_code) -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if engine_answers() -%}
        {%- do texts.append(run_query("select code_version from " ~ source('ops', 'run_context')).rows[0][0]) -%}
    {%- endif -%}
    {{ return(local_md5(texts | join('\n'))) }}
{%- endmacro %}

{#-
    Whether this run looks at everything: on a full refresh, the first time, after a change of the rules'
    code, and after a run that stopped half way, since what it left is neither the old state nor a new one.
-#}
{% macro identity_starts_anew() -%}
    {%- set logic_version = identity_logic_version() -%}
    {%- if var('offline_compile', '') -%}
        {{ return(not is_later_offline()) }}
    {%- endif -%}
    {%- if not execute or flags.FULL_REFRESH or not keeps_tables() or load_relation(this) is none -%}
        {{ return(true) }}
    {%- endif -%}
    {%- for kept in graph.nodes.values() | selectattr('config.incremental_strategy', 'equalto', 'replace_scope')
        if left_by_last_run(kept.name) is none -%}
        {{ return(true) }}
    {%- endfor -%}
    {%- set solved = left_by_last_run('int_identity_last_solved') -%}
    {%- set unfinished -%}
        select count(*)
        from (
            select scope.identifier_key
            from {{ this }} as scope
            left join {{ solved }} as solved on scope.identifier_key = solved.identifier_key
            where
                scope.fact_count is distinct from solved.fact_count
                or scope.fact_checksum is distinct from solved.fact_checksum
            union all
            select identifier_key
            from {{ solved }}
            where logic_version <> '{{ logic_version }}'
        ) as unlike
    {%- endset -%}
    {{ return(run_query(unfinished).rows[0][0] > 0) }}
{%- endmacro %}

{#- The condition that a key is to be looked at in this run. -#}
{% macro in_scope(key) -%}
    {{ key }} in (select identifier_key from {{ ref('int_identity_scope') }})
{%- endmacro %}

{#- For a kept model by itself under --full-refresh: what is out of scope would be lost without a word. -#}
{% macro refuse_half_a_refresh() -%}
    {%- set in_this_run = ref('int_identity_scope') -%}
    {%- set solved = left_by_last_run('int_identity_last_solved') if execute and flags.FULL_REFRESH else none -%}
    {%- set scope = load_relation(in_this_run) if solved is not none else none -%}
    {%- if scope is not none -%}
        {%- set left_out = run_query(
            "select count(*) from " ~ solved ~ " where identifier_key not in (select identifier_key from " ~ scope ~ ")"
        ).rows[0][0] -%}
        {%- if left_out > 0 -%}
            {{ exceptions.raise_compiler_error(
                model.name ~ " keeps what earlier runs found and cannot be refreshed by itself;"
                ~ " refresh it with what it is made from: --full-refresh --select +int_identity_last_solved"
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- dbt's hook for an incremental strategy: rows of identifiers in scope are replaced, others stay. The
    model's `unique_key` names the column that holds the identifier. -#}
{% macro get_incremental_replace_scope_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where {{ in_scope(arg_dict['unique_key']) }};

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
