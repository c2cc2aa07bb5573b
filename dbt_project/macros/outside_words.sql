{#-
    Words and links that anybody on the internet may have written: web events are posted by browsers, so
    whoever knows a person's address can write what a message to that person would say. They reach no
    message, report or list as they came: a name is the catalogue's or plain, a link is the shop's own.
-#}

{#- The link, where it leads to one of the shop's own hosts ([shop] hosts); else NULL. No login, port,
    backslash or blank may stand in it, and a query stays only where it can hold neither address nor code. -#}
{% macro own_link(url) -%}
    {%- set hosts = var('shop_hosts') -%}
    {%- if not hosts -%}
    cast(null as {{ dbt.type_string() }})
    {%- else -%}
    {%- set names = [] -%}
    {%- for host in hosts -%}{%- do names.append(host | lower | replace('.', '[.]')) -%}{%- endfor -%}
    {%- set own = '^[hH][tT][tT][pP][sS]?://(' ~ names | join('|') ~ ')(/[A-Za-z0-9_.~%/+,-]*)?' -%}
    {%- set bare = "regexp_replace(" ~ url ~ ", '#.*$', '')" -%}
    {%- set pathless = "regexp_replace(" ~ bare ~ ", '[?].*$', '')" -%}
    case
        when length({{ url }}) > 2000 or {{ text_matches(url, "'[^!-~]|%[01]|%7[fF]'") }} then null
        when {{ text_matches(bare, "'" ~ own ~ "([?][A-Za-z0-9_.~=&+-]*)?$'") }} then {{ bare }}
        when {{ text_matches(pathless, "'" ~ own ~ "$'") }} then {{ pathless }}
    end
    {%- endif -%}
{%- endmacro %}

{#- A name from outside, where it is short and plainly printable and holds no address and no number to
    call; else NULL. -#}
{% macro plain_words(words) -%}
    case
        when
            length(trim({{ words }})) <= 80
            and {{ is_plain_text('trim(' ~ words ~ ')') }}
            and not {{ text_matches(words, "'[wW]{3}[.]|//'") }}
            and not {{ text_matches(words, "'[0-9][0-9 ()/+-]{5,}[0-9]'") }}
            then trim({{ words }})
    end
{%- endmacro %}

{#- What a record says about a person in words (how it is checked: a name as a name, the rest as text), where
    it is plain; else NULL, which is no claim. Names of every alphabet pass: with marks, apostrophes, hyphens,
    dots, joiners, and pictures beside them. Markup, code, links, addresses, anything invisible that is no joiner, and more than 100
    characters do not; a name holds no number to call either. -#}
{% macro words_of_a_person(words, kind) -%}
    case
        when
            length(trim({{ words }})) <= 100
            and {{ is_plain_about_a_person('trim(' ~ without_emoji(words) ~ ')') }}
            and not {{ text_matches(words, "'[wW]{3}[.]|//'") }}
            {% if kind == 'name' -%}
            and not {{ text_matches(words, "'[0-9][0-9 ()/+-]{5,}[0-9]'") }}
            {% endif -%}
            then trim({{ words }})
    end
{%- endmacro %}

{#- A code from outside: letters, digits, `_` and `-`; else NULL. -#}
{% macro plain_code(code) -%}
    case when {{ text_matches(code, "'^[A-Za-z0-9_-]{1,64}$'") }} then {{ code }} end
{%- endmacro %}
