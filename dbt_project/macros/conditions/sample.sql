{#- Conditions on chance: random samples, and groups of experiments. -#}

{#- A random share of people, the same people in every run: `sampled(share=0.1)`. Another word in `draw` draws others. -#}
{% macro sampled() -%}
    {%- set known = {'share': {'kind': 'share', 'required': true}, 'draw': {'kind': 'text', 'default': 'sample'}} -%}
    {%- set given = condition_arguments('sampled', known, varargs, kwargs) -%}
    {%- set number = number_from_hex("substr(md5(" ~ segment_text(given['draw'] ~ ':') ~ " || customer_id), 1, 8)") -%}
    {{ return(condition('sampled', known, given, 'dim_customers',
        words='in a random sample of ' ~ '%g' | format(given['share'] * 100) ~ ' %', ends_by='never',
        sql=rows_of(ref('dim_customers'), [number ~ ' < ' ~ (given['share'] * 4294967296) | round(0, 'floor') | int]))) }}
{%- endmacro %}

{#- In a group of an experiment that was run elsewhere: `in_experiment(name='autumn', group='treated')`. -#}
{% macro in_experiment() -%}
    {%- set known = {'name': {'kind': 'text', 'required': true}, 'group': {'kind': 'text'}} -%}
    {%- set given = condition_arguments('in_experiment', known, varargs, kwargs) -%}
    {%- set where = ['customer_id is not null', 'experiment_id = ' ~ segment_text(given['name'])] -%}
    {%- if 'group' in given -%}
        {%- do where.append('experiment_group = ' ~ segment_text(given['group'])) -%}
    {%- endif -%}
    {{ return(condition('in_experiment', known, given, 'fct_experiment_assignments',
        words='in the experiment ' ~ given['name'] ~ (' (' ~ given['group'] ~ ')' if 'group' in given else ''),
        ends_by='never',
        sql=latest_of(ref('fct_experiment_assignments'), where, 'assigned_at', 'assignment_key', value='experiment_group'))) }}
{%- endmacro %}
