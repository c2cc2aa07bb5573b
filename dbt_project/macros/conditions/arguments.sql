{#-
    The arguments of conditions: judged before any work, and made fit to stand in SQL.

    Belongs here: kinds of arguments, the sentence about a wrong one, and the nearest right word. Does not belong
    here: what a condition means. Everything is plain Jinja, so that a preview without dbt judges in the same way.

    A condition says its arguments as name → {'kind': …, 'default': …, 'required': …, 'of': […], 'max': …}:
    count (1 to a million, or a threshold of orders such as 'loyal_min_orders'), days and hours (a number up to
    `max`, which is what the table holds; days also a threshold such as 'recent_buyer_days'), days_ahead, amount, share
    (above 0, up to 1), flag, date ('2026-05-01'), day_of_year ('05-01'), text, texts (one or a list), word (one
    of `of`), words, and ordered_words where their order counts.
-#}

{#- Stops with a sentence that names the file. -#}
{% macro segment_fault(words) -%}
    {{ exceptions.raise_compiler_error('models/segments/' ~ model.name ~ '.sql: ' ~ words ~ '.') }}
{%- endmacro %}

{#- A value as a person wrote it, cut, with nothing in it that a terminal would obey. -#}
{% macro as_written(value) -%}
    {{ return(tojson((value | string)[:40])) }}
{%- endmacro %}

{#- "; did you mean at_least? It may be a, b, c": the nearest of the right words, and all of them if they are few. -#}
{% macro right_words(word, words) -%}
    {%- set nearest = nearest_word(word, words) -%}
    {{ return(('; did you mean ' ~ nearest ~ '? There are: ' if nearest else '; there are: ')
        ~ words | map('string') | join(', ')) }}
{%- endmacro %}

{#- The word that shares most pairs of letters with another; none where no word shares two fifths of them. -#}
{% macro nearest_word(word, words) -%}
    {%- set pairs = letter_pairs(word) -%}
    {%- set best = namespace(word=none, score=0.39) -%}
    {%- for each in words -%}
        {%- set others = letter_pairs(each) -%}
        {%- set score = 2 * (pairs | select('in', others) | list | length) / (pairs | length + others | length) -%}
        {%- if score > best.score -%}
            {%- set best.word = each -%}
            {%- set best.score = score -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(best.word) }}
{%- endmacro %}

{% macro letter_pairs(word) -%}
    {%- set letters = ' ' ~ (word | string | lower)[:60] ~ ' ' -%}
    {%- set pairs = [] -%}
    {%- for number in range(letters | length - 1) -%}
        {%- do pairs.append(letters[number:number + 2]) -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}

{#- The arguments of one call as name → value, defaults filled in; those without a value are left out. -#}
{% macro condition_arguments(condition, known, positional, given) -%}
    {%- if positional -%}
        {%- do segment_fault(condition ~ '() has a value without a name; write ' ~ condition ~ '('
            ~ (known | join('=…, ')) ~ ('=…' if known else '') ~ ')') -%}
    {%- endif -%}
    {%- for name in given if name not in known -%}
        {%- do segment_fault(condition ~ '() has no argument ' ~ as_written(name) ~ (
            right_words(name, known | list) if known else ', and needs none')) -%}
    {%- endfor -%}
    {%- set judged = {} -%}
    {%- for name, rule in known.items() -%}
        {%- set value = given.get(name, rule.get('default')) -%}
        {%- if value is not defined -%}
            {%- do segment_fault(condition ~ '(' ~ name ~ '=…) has a value that is not defined; put a text in quotes') -%}
        {%- elif value is not none -%}
            {%- do judged.update({name: judged_argument(condition ~ '(' ~ name ~ '=…)', value, rule)}) -%}
        {%- elif rule.get('required') -%}
            {%- do segment_fault(condition ~ '() needs the argument ' ~ name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(judged) }}
{%- endmacro %}

{#- One argument, judged by its kind. -#}
{% macro judged_argument(place, value, rule) -%}
    {%- set kind = rule['kind'] -%}
    {%- if kind in ['texts', 'words', 'ordered_words'] -%}
        {%- set several = [value] if value is string else value -%}
        {%- if several is mapping or several is not iterable or not several or several | length > 50 -%}
            {%- do segment_fault(place ~ ' must be a text or a list of up to 50 texts') -%}
        {%- endif -%}
        {%- set judged = [] -%}
        {%- for each in several -%}
            {%- do judged.append(judged_argument(place, each, dict(rule, kind='text' if kind == 'texts' else 'word'))) -%}
        {%- endfor -%}
        {%- if kind == 'ordered_words' -%}
            {{ return(judged) }}
        {%- endif -%}
        {{ return(judged | unique(case_sensitive=true) | sort(case_sensitive=true) | list) }}
    {%- elif kind == 'word' -%}
        {%- if value is not string or value not in rule['of'] -%}
            {%- do segment_fault(place ~ ' has the value ' ~ as_written(value) ~ right_words(value, rule['of'])) -%}
        {%- endif -%}
        {{ return(value) }}
    {%- elif kind == 'text' -%}
        {{ return(judged_text(place, value)) }}
    {%- elif kind == 'flag' -%}
        {%- if value is not boolean -%}
            {%- do segment_fault(place ~ ' must be true or false, not ' ~ as_written(value)) -%}
        {%- endif -%}
        {{ return(value) }}
    {%- elif kind in ['date', 'day_of_year'] -%}
        {{ return(judged_date(place, value, kind)) }}
    {%- elif kind in ['count', 'days', 'hours', 'days_ahead'] -%}
        {{ return(judged_count(place, value, rule)) }}
    {%- endif -%}
    {{ return(judged_number(place, value, rule)) }}
{%- endmacro %}

{% macro judged_text(place, value) -%}
    {%- if value is not string or not value.strip() or value | length > 200 -%}
        {%- do segment_fault(place ~ ' must be a text of 1 to 200 characters, not ' ~ as_written(value)) -%}
    {%- endif -%}
    {%- for letter in value if letter < ' ' or letter in '\\\x7f' -%}
        {%- do segment_fault(place ~ ' has a character that no name has: ' ~ as_written(value)) -%}
    {%- endfor -%}
    {{ return(value.strip()) }}
{%- endmacro %}

{#- A whole number, or the name of a threshold of the shop's own rhythm (macros/rhythm.sql). -#}
{% macro judged_count(place, value, rule) -%}
    {%- set unit = {'count': 'orders', 'days': 'days'}.get(rule['kind']) -%}
    {%- if value is string -%}
        {%- set names = rhythm_thresholds() | selectattr('unit', 'equalto', unit) | map(attribute='name') | list -%}
        {%- if value not in names -%}
            {%- do segment_fault(place ~ ' has the value ' ~ as_written(value)
                ~ ', which is no whole number' ~ (right_words(value, names) if names else '')) -%}
        {%- endif -%}
        {{ return(value) }}
    {%- endif -%}
    {%- set least = 0 if rule['kind'] in ['hours', 'days_ahead'] else 1 -%}
    {%- if value is boolean or value is not integer or value < least -%}
        {%- do segment_fault(place ~ ' must be a whole number from ' ~ least ~ ', not ' ~ as_written(value)) -%}
    {%- endif -%}
    {%- set most = rule.get('max', 1000000 if rule['kind'] == 'count' else 36500) -%}
    {%- if value > most -%}
        {%- do segment_fault(place ~ ' is ' ~ as_written(value) ~ ', and ' ~ (
            'the data of this condition goes back ' ~ most ~ ' ' ~ rule['kind'] if 'max' in rule and rule['kind'] in ['days', 'hours']
            else most ~ ' is the most')) -%}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}

{% macro judged_number(place, value, rule) -%}
    {%- set most = 1 if rule['kind'] == 'share' else 1000000000000 -%}
    {%- if value is boolean or value is not number or not (0 <= value <= most)
        or (rule['kind'] == 'share' and value == 0) -%}
        {%- do segment_fault(place ~ ' must be a number ' ~ ('above 0, up to 1'
            if rule['kind'] == 'share' else 'from 0') ~ ', not ' ~ as_written(value)) -%}
    {%- endif -%}
    {{ return(value) }}
{%- endmacro %}

{% macro judged_date(place, value, kind) -%}
    {%- set parts = (value | string).split('-') -%}
    {%- set lengths = [4, 2, 2] if kind == 'date' else [2, 2] -%}
    {%- set is_written = value is string and parts | map('length') | list == lengths
        and (parts | join).isdigit() and (parts | join).isascii() -%}
    {%- if is_written -%}
        {%- set year = parts[0] | int if kind == 'date' else 2000 -%}
        {%- set month, day = parts[-2] | int, parts[-1] | int -%}
        {%- set leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) -%}
        {%- set last = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] -%}
        {%- if 1990 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= last[month - 1] -%}
            {{ return(value) }}
        {%- endif -%}
    {%- endif -%}
    {%- do segment_fault(place ~ ' has the value ' ~ as_written(value) ~ ', which is no day; write '
        ~ ('2026-05-01' if kind == 'date' else '05-01')) -%}
{%- endmacro %}

{#- One call as text: the same arguments, the same text, whatever their order and whether a default is written. -#}
{% macro condition_key(condition, known, given) -%}
    {%- set written = [] -%}
    {%- for name, rule in known.items() if name in given and given[name] != rule.get('default') -%}
        {%- do written.append(name ~ '=' ~ tojson(given[name])) -%}
    {%- endfor -%}
    {{ return(condition ~ '(' ~ written | join(', ') ~ ')') }}
{%- endmacro %}
