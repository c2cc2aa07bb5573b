{#-
    RFM: how a value becomes a score, and how scores become a cell of the seed `rfm_group_map`, which
    has the group of each.

    Scores are value-based. The cut points are the 20th, 40th, 60th and 80th percentile
    (rfm_buckets = 5) of all buyers' values, so equal values always have equal scores, which ntile
    does not promise. Frequency and money count up from the bottom: one plus the cut points that the
    value exceeds, so that the many who ordered once all have 1. Recency counts down from the top:
    five less the cut points that the days exceed, so that whoever bought last has 5.

    A shop may fix the cut points instead (rfm_fixed_cuts), for one measure or all: `r` in days, `f` in
    orders, `m` in its currency, each a list of one less than rfm_buckets that rises
    (orchestration/run/rfm_settings.py refuses any other).
-#}

{% macro rfm_cuts(value, name) -%}
    {%- set buckets = var('rfm_buckets') -%}
    {%- set fixed = var('rfm_fixed_cuts').get(name) -%}
    {%- if fixed -%}
    {%- for cut in fixed %}
    {{ cut }} as {{ name }}_cut_{{ loop.index }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
    {%- else -%}
    {%- for cut in range(1, buckets) %}
    percentile_disc({{ (cut / buckets) | round(6) }}) within group (order by {{ value }}) as {{ name }}_cut_{{ cut }}
    {%- if not loop.last %},{% endif %}
    {%- endfor %}
    {%- endif -%}
{%- endmacro %}

{#-
    What it is worth doing about somebody's group beside what they did without buying: win back who
    stayed away and is here again, a second order of who is new and here again, reach out to the best
    who are quiet. A group of the shop's own acts as one of these (the seed `rfm_groups`).
-#}
{% macro engagement_opportunity(acts_as, engagement) -%}
    case
        when {{ engagement }} = 'quiet'
            then case when {{ acts_as }} in ('champions', 'loyal', 'active') then 'reach_out' end
        when {{ acts_as }} in ('at_risk', 'previously_loyal', 'almost_lost', 'dormant') then 'win_back'
        when {{ acts_as }} in ('new', 'promising') then 'second_order'
    end
{%- endmacro %}

{% macro rfm_score_up(value, name) -%}
    1
    {%- for cut in range(1, var('rfm_buckets')) %}
    + case when {{ value }} > {{ name }}_cut_{{ cut }} then 1 else 0 end
    {%- endfor %}
{%- endmacro %}

{% macro rfm_score_down(value, name) -%}
    {{ var('rfm_buckets') }}
    {%- for cut in range(1, var('rfm_buckets')) %}
    - case when {{ value }} > {{ name }}_cut_{{ cut }} then 1 else 0 end
    {%- endfor %}
{%- endmacro %}

{#-
    Brings a score of any number of buckets onto the five steps of the map: the lowest score is step 1,
    as whoever kept nothing must have, the highest step 5, and others lie between them.
-#}
{% macro rfm_step(score) -%}
    {%- set buckets = var('rfm_buckets') -%}
    {%- if buckets == 5 -%}
    {{ score }}
    {%- else -%}
    cast(round(1 + ({{ score }} - 1) * 4.0 / {{ buckets - 1 }}) as integer)
    {%- endif -%}
{%- endmacro %}

{#- The strength of somebody's history: the mean of the F and M steps, rounded half up. -#}
{% macro rfm_strength_step(f_score, m_score) -%}
    cast(floor(({{ rfm_step(f_score) }} + {{ rfm_step(m_score) }} + 1) / 2) as integer)
{%- endmacro %}

{#- The names of the shop's groups, best first: the seed's, which a command says; Shopify's where dbt runs alone. -#}
{% macro rfm_groups() -%}
    {{ return(var('rfm_groups', [
        'champions', 'loyal', 'active', 'new', 'promising', 'needs_attention',
        'at_risk', 'previously_loyal', 'almost_lost', 'dormant',
    ])) }}
{%- endmacro %}
