{#- Conditions on where people are. -#}

{#- In a country, or a region of one (`US-CA`): `lives_in(country=['GB', 'IE'])`. -#}
{% macro lives_in() -%}
    {%- set known = {'country': {'kind': 'texts'}, 'region': {'kind': 'texts'}} -%}
    {%- set given = condition_arguments('lives_in', known, varargs, kwargs) -%}
    {%- if not given -%}
        {%- do segment_fault('lives_in() needs a country or a region') -%}
    {%- endif -%}
    {%- set where = [] -%}
    {%- for name, column in [('country', 'country_code'), ('region', 'region')] if name in given -%}
        {%- do where.append(column ~ ' in (' ~ texts_sql(given[name]) ~ ')') -%}
    {%- endfor -%}
    {%- set told = (given.get('country', []) + given.get('region', [])) | join(' or ') -%}
    {{ return(condition('lives_in', known, given, 'dim_customers',
        words='lives in ' ~ told, ends_by='when another address is known',
        sql=rows_of(ref('dim_customers'), where, value='country_code', threshold=told))) }}
{%- endmacro %}
