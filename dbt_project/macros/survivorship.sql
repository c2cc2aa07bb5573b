{#-
    How one value per field is chosen among what the records claim. The seed `survivorship_rules` says which rule
    decides which field; whatever it says wrongly stops the run with one sentence.
-#}

{#- The fields of the golden record, each with its kind: name (one unit with its other half), place (a code of
    a closed list), text, date, flag. -#}
{% macro golden_fields() -%}
    {{ return({
        'first_name': 'name', 'last_name': 'name', 'country_code': 'text', 'region_code': 'place',
        'birthday': 'date', 'gender': 'text', 'job': 'text', 'postcode': 'text', 'timezone': 'text',
        'loyalty_id': 'text', 'loyalty_tier': 'text', 'accepts_marketing': 'flag',
    }) }}
{%- endmacro %}

{#- What a record claims for a field: words only where they are plain. -#}
{% macro plain_claim(field) -%}
    {%- set kind = golden_fields().get(field) -%}
    {{ words_of_a_person(field, kind) if kind in ['name', 'text'] else field }}
{%- endmacro %}

{#- Which rules make sense for a kind of field. A name is one unit and a place one
    answer, so only rules that choose a record fit them. -#}
{% macro survivorship_rules_by_kind() -%}
    {%- set of_records = ['best_grade', 'most_recent', 'most_frequent', 'source_priority'] -%}
    {{ return({
        'name': of_records,
        'place': of_records,
        'text': of_records + ['minimum', 'maximum', 'union'],
        'date': of_records + ['minimum', 'maximum'],
        'flag': of_records + ['any', 'all'],
    }) }}
{%- endmacro %}

{#- The rule of each field: {field: {rule, ignore_empty, source_priority}}, read from the seed and checked. -#}
{% macro survivorship_rules() -%}
    {%- set rules = {} -%}
    {%- if execute and load_relation(ref('survivorship_rules')) is not none -%}
        {%- set found = run_query(
            "select field, rule, ignore_empty, source_priority from " ~ ref('survivorship_rules')
            ~ " order by field, rule, source_priority"
        ) -%}
        {%- for row in found.rows -%}
            {%- do survivorship_row_is_sound(row[0], row[1], row[2], row[3], rules) -%}
            {%- do rules.update({row[0]: {
                'rule': row[1], 'ignore_empty': row[2], 'source_priority': (row[3] or '').split(),
            }}) -%}
        {%- endfor -%}
        {%- for field in golden_fields() if field not in rules -%}
            {%- do survivorship_error("'" ~ field ~ "' has no rule; give it one, for example best_grade") -%}
        {%- endfor -%}
        {%- if rules['first_name'] != rules['last_name'] -%}
            {%- do survivorship_error("first_name and last_name come from one record, so give both the same rule") -%}
        {%- endif -%}
    {%- elif execute and flags.WHICH in ['run', 'build'] -%}
        {%- do survivorship_error("the seed is not loaded; run `dbt seed` or `dbt build` first") -%}
    {%- else -%}
        {%- for field in golden_fields() -%}
            {%- do rules.update({field: {'rule': 'best_grade', 'ignore_empty': true, 'source_priority': []}}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(rules) }}
{%- endmacro %}

{% macro survivorship_row_is_sound(field, rule, ignore_empty, source_priority, known) -%}
    {%- if field not in golden_fields() -%}
        {%- do survivorship_error(
            "'" ~ field ~ "' is no field; the fields are " ~ golden_fields() | join(', ')
        ) -%}
    {%- endif -%}
    {%- set allowed = survivorship_rules_by_kind()[golden_fields()[field]] -%}
    {%- if rule not in allowed -%}
        {%- do survivorship_error(
            "'" ~ rule ~ "' is no rule for " ~ field ~ "; its rules are " ~ allowed | join(', ')
        ) -%}
    {%- elif field in known -%}
        {%- do survivorship_error("'" ~ field ~ "' stands there twice; one field has one rule") -%}
    {%- elif ignore_empty is none -%}
        {%- do survivorship_error("ignore_empty of " ~ field ~ " is empty; write true or false") -%}
    {%- elif (rule == 'source_priority') != ((source_priority or '') | trim != '') -%}
        {%- do survivorship_error(
            field ~ ": the rule source_priority needs sources in the column of that name, best first and a space"
            ~ " between them, and no other rule has any"
        ) -%}
    {%- elif not modules.re.fullmatch('[a-z0-9_ ]*', source_priority or '') -%}
        {%- do survivorship_error("a source of " ~ field ~ " has letters that no source's name has") -%}
    {%- endif -%}
{%- endmacro %}

{% macro survivorship_error(sentence) -%}
    {{ exceptions.raise_compiler_error("survivorship_rules: " ~ sentence) }}
{%- endmacro %}

{#- What a rule counts by, smallest first. Values that it finds equal are told apart by later keys. -#}
{% macro survivorship_number(rules) -%}
    case
        when field in ('email', 'phone') then evidence_rank
        {%- for field, chosen in rules.items() if chosen.rule not in ['minimum', 'maximum', 'union'] %}
        when field = '{{ field }}' then
            {% if chosen.rule == 'best_grade' -%} evidence_rank
            {%- elif chosen.rule == 'most_recent' -%} -coalesce({{ epoch_micros('stated_at') }}, 0)
            {%- elif chosen.rule == 'most_frequent' -%} -unit_count
            {%- elif chosen.rule == 'any' -%} case when claimed_value = 'true' then 0 else 1 end
            {%- elif chosen.rule == 'all' -%} case when claimed_value = 'true' then 1 else 0 end
            {%- else %}
            case
                {%- for source in chosen.source_priority %}
                when '{{ source }}' in (record_type, source_system) then {{ loop.index }}
                {%- endfor %}
                else {{ chosen.source_priority | length + 1 }}
            end
            {%- endif %}
        {%- endfor %}
        else 0
    end
{%- endmacro %}

{#- The value itself for the fields whose smallest or greatest one wins. -#}
{% macro survivorship_text(rules, rule) -%}
    {%- set fields = [] -%}
    {%- for field, chosen in rules.items() if chosen.rule == rule -%}{%- do fields.append(field) -%}{%- endfor -%}
    {%- if fields -%}
    case when field in ({{ quoted(fields) }}) then claimed_value end
    {%- else -%}
    cast(null as {{ dbt.type_string() }})
    {%- endif -%}
{%- endmacro %}

{#- The surviving value of a field in a group of winning claims; a union's values in one text. -#}
{% macro surviving_value(field, rules) -%}
    {%- set value = "case when field = '" ~ field ~ "' then claimed_value end" -%}
    {%- set types = {'date': 'date', 'flag': 'boolean'} -%}
    {%- set text = text_list(value) if rules[field].rule == 'union' else "max(" ~ value ~ ")" -%}
    {%- if golden_fields()[field] in types -%}
    cast(nullif({{ text }}, '') as {{ types[golden_fields()[field]] }})
    {%- else -%}
    nullif({{ text }}, '')
    {%- endif -%}
{%- endmacro %}
