{#-
    The rows of a seed. dbt's own way on Spark in this process writes a NULL as the text None, and a text with an
    apostrophe not at all. dbt reads the word `null` as NULL on its way here: seeds in which it is a word say in which
    column, in their meta.
-#}
{% macro spark__load_csv_rows(model, agate_table) -%}
    {%- set types = model['config'].get('column_types', {}) -%}
    {%- set words = model['config'].get('meta', {}).get('null_is_a_word_in', []) -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set cells = [] -%}
        {%- for column in agate_table.column_names -%}
            {%- set cell = row[loop.index0] -%}
            {%- set type = types.get(column, adapter.convert_type(agate_table, loop.index0)) -%}
            {%- set cell = 'null' if cell is none and column in words else cell -%}
            {%- set text = 'null' if cell is none else spark__pattern(cell | string) -%}
            {%- do cells.append('cast(' ~ text ~ ' as ' ~ type ~ ')') -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ cells | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- set sql = 'insert into ' ~ this ~ ' values ' ~ rows | join(', ') -%}
    {%- if rows -%}
        {%- do adapter.add_query(sql, abridge_sql_log=True) -%}
    {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}
