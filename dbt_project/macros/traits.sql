{#-
    Names of traits: a column or a question in the shop's own words. And the words by which a search is compared.
-#}

{#- "Shoe Size?" and shoe_size are one name; letters of every alphabet stay. -#}
{% macro trait_name(words) -%}
    {%- set joined = replace_matches('lower(' ~ words ~ ')', '[^\\p{L}\\p{M}\\p{N}]+', ' ') -%}
    replace(trim({{ joined }}), ' ', '_')
{%- endmacro %}

{#- The words of a search or of a name, in lower case with a blank between. The last s of each is dropped on both
    sides alike, so that "mugs" means "mug". -#}
{% macro search_words(words) -%}
    {%- set plain = replace_matches('lower(' ~ words ~ ')', '[^\\p{L}\\p{M}\\p{N}]+', ' ') -%}
    replace(concat_ws('', {{ plain }}, ' '), 's ', ' ')
{%- endmacro %}

{% macro is_trait_name(trait) -%}
    length({{ trait }}) between 1 and 60
{%- endmacro %}
