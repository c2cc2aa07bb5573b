{#-
    How a segment's file says who is in it: `members(all=[…], any=[…], none=[…], context='…', reason='…')`.

    Belongs here: joining conditions into a rule and a rule into the segment's SQL, recording it in the model's own
    config.meta, and reading the rules of all segments back. Does not belong here: what a condition means (the other
    files of this folder), what a context has (contexts.sql).

    A condition is a mapping: condition, arguments, key (the call as text), words (part of a sentence), negated,
    source, ends_by and sql (customer_id, value, threshold, since, ends_at of those for whom it holds). A rule is a
    list of steps that must all hold; a step is a condition, or {'any_of': […]}, {'all_of': […]}, {'none_of': […]}.
-#}

{#- What a condition macro returns. -#}
{% macro condition(name, known, given, source, words, ends_by, sql, negated=none) -%}
    {{ return({
        'condition': name,
        'arguments': given,
        'key': condition_key(name, known, given),
        'words': words,
        'negated': negated or 'not so: ' ~ words,
        'source': source,
        'ends_by': ends_by,
        'sql': sql,
    }) }}
{%- endmacro %}

{#- At least one of these holds. -#}
{% macro any_of() -%}
    {{ return({'any_of': judged_steps('any_of', varargs, kwargs)}) }}
{%- endmacro %}

{#- All of these hold. -#}
{% macro all_of() -%}
    {{ return({'all_of': judged_steps('all_of', varargs, kwargs)}) }}
{%- endmacro %}

{#- None of these holds. -#}
{% macro none_of() -%}
    {{ return({'none_of': judged_steps('none_of', varargs, kwargs)}) }}
{%- endmacro %}

{#- Conditions given one after the other or as a list, each of them one. -#}
{% macro judged_steps(place, steps, named={}) -%}
    {%- set several = steps[0] if steps | length == 1 and steps[0] is sequence
        and steps[0] is not mapping and steps[0] is not string else steps -%}
    {%- for each in several if each is not mapping or not (
        'sql' in each or 'segment' in each or 'any_of' in each or 'all_of' in each or 'none_of' in each) -%}
        {%- do segment_fault(place ~ ' has ' ~ as_written(each) ~ ', which is no condition') -%}
    {%- endfor -%}
    {%- if named or not several -%}
        {%- do segment_fault(place ~ ' needs one condition or more, and nothing else') -%}
    {%- endif -%}
    {{ return(several | list) }}
{%- endmacro %}

{#- The conditions of a step, in written order. -#}
{% macro leaves_of(step) -%}
    {%- if 'condition' in step -%}
        {{ return([step]) }}
    {%- endif -%}
    {%- set leaves = [] -%}
    {%- for each in step.values() | first -%}
        {%- do leaves.extend(leaves_of(each)) -%}
    {%- endfor -%}
    {{ return(leaves) }}
{%- endmacro %}

{#- A step as it is recorded: numbered conditions, without their SQL, and whether each is wanted. -#}
{% macro recorded_step(step, counter, is_wanted=true) -%}
    {%- if 'condition' in step -%}
        {%- set counter.position = counter.position + 1 -%}
        {%- set leaf = {'position': counter.position, 'is_wanted': is_wanted} -%}
        {%- for name, value in step.items() if name != 'sql' -%}
            {%- do leaf.update({name: value}) -%}
        {%- endfor -%}
        {{ return(leaf) }}
    {%- endif -%}
    {%- set word = step | first -%}
    {%- set steps = [] -%}
    {%- for each in step[word] -%}
        {%- do steps.append(recorded_step(each, counter, is_wanted != (word == 'none_of'))) -%}
    {%- endfor -%}
    {{ return({word: steps}) }}
{%- endmacro %}

{#- A step as SQL, where `sign` says of a condition by its position whether it holds: '{} is not null'. -#}
{% macro step_sql(step, sign) -%}
    {%- if 'condition' in step -%}
        {{ return(sign | replace('{}', step.position | string)) }}
    {%- endif -%}
    {%- set word = step | first -%}
    {%- set parts = [] -%}
    {%- for each in step[word] -%}
        {%- do parts.append(step_sql(each, sign)) -%}
    {%- endfor -%}
    {{ return(('not ' if word == 'none_of' else '') ~ '(' ~ parts | join(' and ' if word == 'all_of' else ' or ') ~ ')') }}
{%- endmacro %}

{#- The rule of a call of `members`, numbered. -#}
{% macro rule_of(given) -%}
    {%- set steps = [] -%}
    {%- do steps.extend(judged_steps('all', given['all']) if given.get('all') else []) -%}
    {%- if given.get('any') -%}
        {%- do steps.append({'any_of': judged_steps('any', given['any'])}) -%}
    {%- endif -%}
    {%- for each in (judged_steps('none', given['none']) if given.get('none') else []) -%}
        {%- do steps.append({'none_of': [each]}) -%}
    {%- endfor -%}
    {%- if not steps -%}
        {%- do segment_fault('members() has no condition; give it all=[…], any=[…] or none=[…]') -%}
    {%- endif -%}
    {%- set counter = namespace(position=0) -%}
    {%- set rule = [] -%}
    {%- for step in steps -%}
        {%- do rule.append(recorded_step(step, counter)) -%}
    {%- endfor -%}
    {{ return(rule) }}
{%- endmacro %}

{#-
    The segment: everybody for whom its rule holds, why, and what a template can use.

    all, any, none: lists of conditions. context: the name of a context (contexts.sql), whose fields go out; fields:
    those of them that do, all without it. reason: a sentence in which `{name}` stands for a word of the context;
    without it the words of the conditions.
-#}
{% macro members() -%}
    {%- set words = ['all', 'any', 'none', 'context', 'fields', 'reason'] -%}
    {%- for name in kwargs if name not in words -%}
        {%- do segment_fault('members() has no argument ' ~ as_written(name) ~ right_words(name, words)) -%}
    {%- endfor -%}
    {%- if varargs -%}
        {%- do segment_fault('members() has a value without a name; write members(all=[…])') -%}
    {%- endif -%}
    {%- for name in ['all', 'any', 'none'] if kwargs.get(name) is string or kwargs.get(name) is mapping
        or (kwargs.get(name) is not none and kwargs.get(name) is not iterable) -%}
        {%- do segment_fault('members(' ~ name ~ '=…) must be a list of conditions: ' ~ name ~ '=[ordered()]') -%}
    {%- endfor -%}
    {%- set rule = rule_of(kwargs) -%}
    {%- do config(meta={'rule': rule}) -%}
    {%- set leaves = leaves_of({'all_of': rule}) -%}
    {%- set used = segment_context(kwargs.get('context'), kwargs.get('fields')) -%}
    {%- set text = dbt.type_string() -%}

with
{%- for leaf in leaves %}
condition_{{ leaf.position }} as (
    {%- if 'segment' in leaf %}
    select customer_id
    from {{ ref('seg_' ~ leaf.segment) }}
    {%- else %}
    select customer_id
    from {{ ref('int_condition_results') }}
    where condition = {{ segment_text(leaf.key) }}
    {%- endif %}
),
{% endfor %}
people as (
    select
        customers.customer_id
        {%- for leaf in leaves %},
        condition_{{ leaf.position }}.customer_id is not null as holds_{{ leaf.position }}
        {%- endfor %}
    from {{ ref('dim_customers') }} as customers
    {%- for leaf in leaves %}
    left join condition_{{ leaf.position }} on customers.customer_id = condition_{{ leaf.position }}.customer_id
    {%- endfor %}
    where {{ step_sql({'all_of': rule}, 'condition_{}.customer_id is not null') }}
),
{% for name, sql in used['sources'].items() %}
{{ name }} as (
    {{ sql }}
),
{% endfor %}
final as (
    select
        people.customer_id,
        {{ reason_sql(kwargs.get('reason'), used['words'], rule) }} as reason,
        {{ json_object_text(used['fields']) if used['fields'] else "'{}'" }} as context
    from people
    {%- for name in used['sources'] %}
    left join {{ name }} on people.customer_id = {{ name }}.customer_id
    {%- endfor %}
)

select * from final
{%- endmacro %}

{#- Why somebody is in it, as an expression. -#}
{% macro reason_sql(sentence, words, rule) -%}
    {%- set parts = [] -%}
    {%- if sentence is none or sentence is not defined -%}
        {{ return(conditions_in_words(rule)) }}
    {%- endif -%}
    {%- set sentence = judged_text('members(reason=…)', sentence) -%}
    {%- for piece in sentence.split('{') -%}
        {%- if loop.first -%}
            {%- do parts.append(segment_text(piece)) -%}
        {%- else -%}
            {%- set name, _, rest = piece.partition('}') -%}
            {%- if name not in words -%}
                {%- do segment_fault('its reason has the word ' ~ as_written('{' ~ name ~ '}') ~ (
                    right_words(name, words | list) if words else ', and no context has words for it')) -%}
            {%- endif -%}
            {%- do parts.append(words[name]) -%}
            {%- do parts.append(segment_text(rest)) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(parts | reject('equalto', "''") | join(' || ')) }}
{%- endmacro %}

{#- The words of the conditions as one sentence. Which of several alternatives hold differs from person to person. -#}
{% macro conditions_in_words(rule) -%}
    {%- set parts = [] -%}
    {%- for step in rule -%}
        {%- for leaf in leaves_of(step) -%}
            {%- set told = (leaf.words if leaf.is_wanted else leaf.negated) ~ '; ' -%}
            {%- if 'condition' in step or (step | first == 'none_of' and step['none_of'] | length == 1) -%}
                {%- do parts.append(with_thresholds(told)) -%}
            {%- else -%}
                {%- do parts.append('case when ' ~ ('' if leaf.is_wanted else 'not ') ~ 'people.holds_' ~ leaf.position
                    ~ ' then ' ~ with_thresholds(told) ~ " else '' end") -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set told = '(' ~ parts | join(' || ') ~ ')' -%}
    {{ return('upper(substr(' ~ told ~ ', 1, 1)) || substr(' ~ told ~ ', 2, length(' ~ told ~ ") - 3) || '.'") }}
{%- endmacro %}

{#- The rules of all segments: a list of (segment, rule); a segment written in SQL has none. -#}
{% macro segment_rules() -%}
    {%- set rules = [] -%}
    {%- if execute -%}
        {%- for name in segment_names() -%}
            {%- set node = graph.nodes.get('model.' ~ project_name ~ '.seg_' ~ name, {}) -%}
            {%- do rules.append((name, node.get('config', {}).get('meta', {}).get('rule'))) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rules) }}
{%- endmacro %}

{#- The conditions of a segment with their step, in written order; what a segment written in SQL has instead. -#}
{% macro rule_leaves(rule) -%}
    {%- set leaves = [] -%}
    {%- for step in rule or [] -%}
        {%- set number = loop.index -%}
        {%- for leaf in leaves_of(step) -%}
            {%- do leaves.append(dict(leaf, step=number)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(leaves or [{
        'position': 1, 'step': 1, 'is_wanted': true, 'condition': 'sql', 'arguments': {}, 'key': 'sql',
        'words': 'written in SQL', 'negated': 'written in SQL', 'source': none, 'ends_by': none,
    }]) }}
{%- endmacro %}

{#- The conditions of all segments as rows, one per segment and condition in written order. -#}
{% macro all_rule_leaves(rules) -%}
    {%- set text = dbt.type_string() -%}
    {%- for segment, rule in rules %}
    {%- set last_segment = loop.last -%}
    {%- for leaf in rule_leaves(rule) %}
    select
        '{{ segment }}' as segment,
        {{ leaf.position }} as position,
        {{ leaf.step }} as step,
        {{ 'true' if leaf.is_wanted else 'false' }} as is_wanted,
        {{ segment_text(leaf.key) }} as condition,
        {{ with_thresholds(leaf.words if leaf.is_wanted else leaf.negated) }} as words,
        {{ with_thresholds(leaf.words) }} as words_of_condition,
        {{ segment_text(leaf.source) if leaf.source else 'cast(null as ' ~ text ~ ')' }} as source
    {%- if not (loop.last and last_segment) %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- else %}
    select
        cast(null as {{ text }}) as segment,
        cast(null as integer) as position,
        cast(null as integer) as step,
        cast(null as boolean) as is_wanted,
        cast(null as {{ text }}) as condition,
        cast(null as {{ text }}) as words,
        cast(null as {{ text }}) as words_of_condition,
        cast(null as {{ text }}) as source
    {%- endfor %}
{%- endmacro %}

{#- Whether anything in these rules is a condition on another segment, and which those are. -#}
{% macro segments_in_rules(rules) -%}
    {%- set found = [] -%}
    {%- for _, rule in rules -%}
        {%- for leaf in leaves_of({'all_of': rule or []}) if 'segment' in leaf and leaf.segment not in found -%}
            {%- do found.append(leaf.segment) -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ return(found | sort) }}
{%- endmacro %}

{#- A step as SQL over columns that say of each condition, by its key, whether it holds. -#}
{% macro step_of_columns(step, columns) -%}
    {%- if 'condition' in step -%}
        {{ return(columns[step.key]) }}
    {%- endif -%}
    {%- set word = step | first -%}
    {%- set parts = [] -%}
    {%- for each in step[word] -%}
        {%- do parts.append(step_of_columns(each, columns)) -%}
    {%- endfor -%}
    {{ return(('not ' if word == 'none_of' else '') ~ '(' ~ parts | join(' and ' if word == 'all_of' else ' or ') ~ ')') }}
{%- endmacro %}
