{#-
    Names of traits: a column or a question in the shop's own words.
-#}

{#- "Shoe Size?" and shoe_size are one name; letters of every alphabet stay. -#}
{% macro trait_name(words) -%}
    {%- set joined = replace_matches('lower(' ~ words ~ ')', '[^\\p{L}\\p{M}\\p{N}]+', ' ') -%}
    replace(trim({{ joined }}), ' ', '_')
{%- endmacro %}

{% macro is_trait_name(trait) -%}
    length({{ trait }}) between 1 and 60
{%- endmacro %}
