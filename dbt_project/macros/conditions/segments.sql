{#- Conditions on other segments. -#}

{#- A member of another segment as it stands in this run: `in_segment('at_risk')`. It reads that segment's model. -#}
{% macro in_segment(segment=none) -%}
    {%- set given = condition_arguments('in_segment', {'segment': {'kind': 'word', 'of': segment_names(), 'required': true}},
        varargs, dict(kwargs, segment=segment)) -%}
    {%- set segment = given['segment'] -%}
    {%- if model.name == 'seg_' ~ segment -%}
        {%- do segment_fault('a segment cannot be a condition of itself') -%}
    {%- endif -%}
    {{ return({
        'condition': 'in_segment',
        'segment': segment,
        'arguments': given,
        'key': 'in_segment(' ~ tojson(segment) ~ ')',
        'words': 'in the segment ' ~ segment | replace('_', ' '),
        'negated': 'not in the segment ' ~ segment | replace('_', ' '),
        'source': 'seg_' ~ segment,
        'ends_by': 'on leaving that segment',
    }) }}
{%- endmacro %}
