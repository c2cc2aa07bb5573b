{#-
    Several rules about a table in one query, because a dbt test costs more to start than to run.
    required: columns that are never empty. values: the words a column may hold (empty allowed).
    parents: columns whose value must exist under the same name in another table (empty allowed).
    A failing row says which rule was broken and how often, never by which value.
-#}
{% test rows_obey(model, required=[], values={}, parents={}) %}
{%- set rules = [] -%}
{%- for column in required -%}
    {%- do rules.append((column ~ ' is empty', column ~ ' is null')) -%}
{%- endfor -%}
{%- for column, allowed in values.items() -%}
    {%- set words = [] -%}
    {%- for word in allowed -%}
        {%- do words.append(word if word is number else "'" ~ word ~ "'") -%}
    {%- endfor -%}
    {%- do rules.append((column ~ ' holds another word', column ~ ' not in (' ~ words | join(', ') ~ ')')) -%}
{%- endfor -%}
{%- for column, parent in parents.items() -%}
    {%- do rules.append((
        column ~ ' is not in ' ~ parent.identifier,
        column ~ ' is not null and ' ~ column ~ ' not in (select ' ~ column ~ ' from ' ~ parent ~ ')',
    )) -%}
{%- endfor %}

with broken as (
    {%- for rule, condition in rules %}
    select
        '{{ rule }}' as rule,
        count(*) as row_count
    from {{ model }}
    where {{ condition }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select * from broken
where row_count > 0
{% endtest %}
