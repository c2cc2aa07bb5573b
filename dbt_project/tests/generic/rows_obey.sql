{#-
    All rules about a table in one query, because a dbt test costs more to start than to run.
    unique: columns of which no two rows have the same value (empty ones do not count), and lists of columns on which
    no two rows agree. required: columns that are never empty. values: the words a column may hold (empty allowed).
    groups: columns that hold an RFM group of the shop's, with the words they may hold beside.
    parents: columns whose value must exist under the same name in another table (empty allowed).
    A failing row says which rule was broken and how often, never by which value. What looks at one row is counted in
    one pass, because a model may be a view.
-#}
{% test rows_obey(model, unique=[], required=[], values={}, groups={}, parents={}) %}
{{- config(fail_calc='cast(coalesce(sum(row_count), 0) as bigint)') -}}
{%- set rules = [] -%}
{%- for column in required -%}
    {%- do rules.append((column ~ ' is empty', column ~ ' is null')) -%}
{%- endfor -%}
{%- set words_of = dict(values) -%}
{%- for column, further in groups.items() -%}
    {%- do words_of.update({column: rfm_groups() + further}) -%}
{%- endfor -%}
{%- for column, allowed in words_of.items() -%}
    {%- set words = [] -%}
    {%- for word in allowed -%}
        {%- do words.append(word if word is number else "'" ~ word ~ "'") -%}
    {%- endfor -%}
    {%- do rules.append((column ~ ' holds another word', column ~ ' not in (' ~ words | join(', ') ~ ')')) -%}
{%- endfor %}

with {% if rules -%}
counted as (
    select
        {%- for rule, condition in rules %}
        count(*) filter (where {{ condition }}) as rule_{{ loop.index }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ model }}
),

{% endif -%}
broken as (
    select
        'nothing' as rule,
        0 as row_count
    {%- for rule, condition in rules %}
    union all
    select
        '{{ rule }}' as rule,
        rule_{{ loop.index }} as row_count
    from counted
    {%- endfor %}
    {%- for key in unique %}
    {%- set columns = key if key is string else key | join(', ') %}
    union all
    select
        '{{ columns }} is not unique' as rule,
        count(*) as row_count
    from (
        select {{ columns }}
        from {{ model }}
        {{ 'where ' ~ key ~ ' is not null' if key is string }}
        group by {{ columns }}
        having count(*) > 1
    ) as repeated
    {%- endfor %}
    {%- for column, parent in parents.items() %}
    union all
    select
        '{{ column }} is not in {{ parent.identifier }}' as rule,
        count(*) as row_count
    from {{ model }}
    where {{ column }} is not null and {{ column }} not in (select {{ column }} from {{ parent }})
    {%- endfor %}
)

select * from broken
where row_count > 0
{% endtest %}
