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

{#- A regular expression as a literal of the engine, whatever stands in it. The expression means the same on
    both engines where it keeps to what RE2 and Java share: no `$` where a line may end, no look-around. -#}
{% macro pattern(expression) -%}
    {{ return(adapter.dispatch('pattern', 'regulars')(expression)) }}
{%- endmacro %}

{% macro duckdb__pattern(expression) -%}
    '{{ expression | replace("'", "''") }}'
{%- endmacro %}

{#- Spark reads a backslash in a literal as an escape: once, it would vanish. -#}
{% macro spark__pattern(expression) -%}
    '{{ expression | replace("\\", "\\\\") | replace("'", "\\'") }}'
{%- endmacro %}

{#- The text with every match of a regular expression replaced by a plain text. -#}
{% macro replace_matches(text, expression, replacement) -%}
    {{ return(adapter.dispatch('replace_matches', 'regulars')(text, expression, replacement)) }}
{%- endmacro %}

{% macro duckdb__replace_matches(text, expression, replacement) -%}
    regexp_replace({{ text }}, {{ pattern(expression) }}, '{{ replacement }}', 'g')
{%- endmacro %}

{#- Spark replaces every match by itself; a fourth argument would be where to begin. -#}
{% macro spark__replace_matches(text, expression, replacement) -%}
    regexp_replace({{ text }}, {{ pattern(expression) }}, '{{ replacement }}')
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

{#- True for letters and digits of any alphabet, blanks and the punctuation of names: no markup, no code,
    nothing invisible, no pile of accents, and no dot between letters, as addresses of the web have. -#}
{% macro is_plain_text(text) -%}
    {{ return(adapter.dispatch('is_plain_text', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__is_plain_text(text) -%}
    (
        regexp_full_match({{ text }}, '[\p{L}\p{N}][\p{L}\p{M}\p{N} .,&()+/%°"’''-]*')
        and not regexp_matches({{ text }}, '[\p{L}\p{N}-][.]\p{L}{2}|\p{M}{3}|[\x{115F}\x{1160}\x{3164}\x{FFA0}]')
    )
{%- endmacro %}

{#- Spark reads a backslash in a literal as an escape, so it is written twice; `$` would let a line end pass. -#}
{% macro spark__is_plain_text(text) -%}
    (
        {{ text }} rlike '^[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N} .,&()+/%°"’\'-]*\\z'
        and not {{ text }} rlike '[\\p{L}\\p{N}-][.]\\p{L}{2}|\\p{M}{3}|[\\x{115F}\\x{1160}\\x{3164}\\x{FFA0}]'
    )
{%- endmacro %}

{#- The text without its emoji, each of which may be joined from several and carry a skin tone. -#}
{% macro without_emoji(text) -%}
    {{ return(adapter.dispatch('without_emoji', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__without_emoji(text) -%}
    {%- set sign = '[\\x{2600}-\\x{27BF}\\x{2B05}-\\x{2B55}\\x{1F000}-\\x{1FAFF}][\\x{FE0F}\\x{1F3FB}-\\x{1F3FF}]*' -%}
    regexp_replace({{ text }}, '{{ sign }}(\x{200D}{{ sign }})*', '', 'g')
{%- endmacro %}

{% macro spark__without_emoji(text) -%}
    {%- set signs = '\\\\x{2600}-\\\\x{27BF}\\\\x{2B05}-\\\\x{2B55}\\\\x{1F000}-\\\\x{1FAFF}' -%}
    {%- set sign = '[' ~ signs ~ '][\\\\x{FE0F}\\\\x{1F3FB}-\\\\x{1F3FF}]*' -%}
    regexp_replace({{ text }}, '{{ sign }}(\\x{200D}{{ sign }})*', '')
{%- endmacro %}

{#- is_plain_text, as wide as what people are called, and where they live and work: an apostrophe may come
    first, initials and short titles need no blank (J.R. Hill, St.John), Hebrew and Tibetan pile up marks, and
    the joiners of Arabic and Indian scripts stand between their letters. -#}
{% macro is_plain_about_a_person(text) -%}
    {{ return(adapter.dispatch('is_plain_about_a_person', 'regulars')(text)) }}
{%- endmacro %}

{% macro duckdb__is_plain_about_a_person(text) -%}
    (
        regexp_full_match(
            {{ text }}, '[\p{L}\p{N}‘’''`´〒][\p{L}\p{M}\p{N} \x{A0}\x{3000}.,&()+/%°"‘’''`´_#:;·・׳״‐\x{200C}\x{200D}-]*'
        )
        and regexp_matches({{ text }}, '[\p{L}\p{N}]')
        and not regexp_matches({{ text }}, '\p{M}{5}|[\x{115F}\x{1160}\x{3164}\x{FFA0}]|[.][^ ]*/')
        and not regexp_matches({{ text }}, '(^|[^\p{M}\p{Arabic}])[\x{200C}\x{200D}]|[\x{200C}\x{200D}]([^\p{L}]|$)')
        and not regexp_matches(
            regexp_replace({{ text }}, '(^|[ -])((\p{Lu}|Dr|Md|Mr|Mrs|Ms|St)[.])+(\p{Lu})', '\1\4', 'g'),
            '[\p{L}\p{M}\p{N}_-][.]\p{L}{2}'
        )
    )
{%- endmacro %}

{% macro spark__is_plain_about_a_person(text) -%}
    (
        {{ text }} rlike '^[\\p{L}\\p{N}‘’\'`´〒][\\p{L}\\p{M}\\p{N} \\x{A0}\\x{3000}.,&()+/%°"‘’\'`´_#:;·・׳״‐\\x{200C}\\x{200D}-]*\\z'
        and {{ text }} rlike '[\\p{L}\\p{N}]'
        and not {{ text }} rlike '\\p{M}{5}|[\\x{115F}\\x{1160}\\x{3164}\\x{FFA0}]|[.][^ ]*/'
        and not {{ text }} rlike '(^|[^\\p{M}\\p{IsArabic}])[\\x{200C}\\x{200D}]|[\\x{200C}\\x{200D}]([^\\p{L}]|$)'
        and not regexp_replace({{ text }}, '(^|[ -])((\\p{Lu}|Dr|Md|Mr|Mrs|Ms|St)[.])+(\\p{Lu})', '$1$4')
            rlike '[\\p{L}\\p{M}\\p{N}_-][.]\\p{L}{2}'
    )
{%- endmacro %}
