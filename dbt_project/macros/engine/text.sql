{#- True where the pattern (a regular expression) is found anywhere in the text. -#}
{% macro text_matches(text, pattern) -%}
    {{ return(adapter.dispatch('text_matches', 'regulars')(text, pattern)) }}
{%- endmacro %}

{% macro duckdb__text_matches(text, pattern) -%}
    regexp_matches({{ text }}, {{ pattern }})
{%- endmacro %}

{% macro spark__text_matches(text, pattern) -%}
    {{ text }} rlike {{ pattern }}
{%- endmacro %}

{#- False where the text is no regular expression that the engine can read. -#}
{% macro is_pattern(text) -%}
    {{ return(adapter.dispatch('is_pattern', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__is_pattern(text) -%}
    try(regexp_matches('', {{ text }})) is not null
{%- endmacro %}

{#- Spark cannot ask; it tells of a bad pattern where the pattern is used. -#}
{% macro spark__is_pattern(text) -%}
    {{ text }} is not null
{%- endmacro %}

{#- A text without accents. -#}
{% macro fold_accents(text) -%}
    {{ return(adapter.dispatch('fold_accents', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__fold_accents(text) -%}
    strip_accents({{ text }})
{%- endmacro %}

{% macro spark__fold_accents(text) -%}
    translate({{ text }}, 'áàâäãåçéèêëíìîïñóòôöõúùûüýÿÁÀÂÄÃÅÇÉÈÊËÍÌÎÏÑÓÒÔÖÕÚÙÛÜÝ', 'aaaaaaceeeeiiiinooooouuuuyyAAAAAACEEEEIIIINOOOOOUUUUY')
{%- endmacro %}

{#- The first of the texts that says anything: an empty one must not stand before the next. -#}
{% macro first_text(texts) -%}
    coalesce({% for text in texts %}nullif(trim({{ text }}), ''){{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}
