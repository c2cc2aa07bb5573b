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

{#- The date of a place among the run's dates (as_of_dates), as a moment; NULL after the last. -#}
{% macro date_of_number(number) -%}
    case {{ number }}
        {%- for date in as_of_dates() %}
        when {{ loop.index }} then timestamp '{{ date }} 00:00:00'
        {%- endfor %}
    end
{%- endmacro %}

{% macro is_trait_name(trait) -%}
    length({{ trait }}) between 1 and 60
{%- endmacro %}
