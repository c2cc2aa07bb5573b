{#-
    RFM: how a value becomes a score, and how scores become Shopify's groups.

    Scores are value-based. The cut points are the 20th, 40th, 60th and 80th percentile
    (rfm_buckets = 5) of all buyers' values, so equal values always have equal scores, which ntile
    does not promise. Frequency and money count up from the bottom: one plus the cut points that the
    value exceeds, so that the many who ordered once all have 1. Recency counts down from the top:
    five less the cut points that the days exceed, so that whoever bought last has 5.

    A shop may fix the cut points instead (rfm_fixed_cuts), for one measure or all: `r` in days, `f` in
    orders, `m` in its currency, each a list of one less than rfm_buckets that rises.
-#}

{% macro rfm_cuts(value, name) -%}
    {%- set buckets = var('rfm_buckets') -%}
    {%- set fixed = var('rfm_fixed_cuts').get(name) -%}
    {%- if fixed -%}
    {%- if fixed | length != buckets - 1 or fixed | sort | list != fixed | list -%}
        {{ exceptions.raise_compiler_error(
            "rfm_fixed_cuts: `" ~ name ~ "` needs " ~ (buckets - 1) ~ " numbers that rise; change it in [models] of regulars.toml"
        ) }}
    {%- endif -%}
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
    who are quiet.
-#}
{% macro engagement_opportunity(rfm_segment, engagement) -%}
    case
        when {{ engagement }} = 'quiet'
            then case when {{ rfm_segment }} in ('champions', 'loyal', 'active') then 'reach_out' end
        when {{ rfm_segment }} in ('at_risk', 'previously_loyal', 'almost_lost', 'dormant') then 'win_back'
        when {{ rfm_segment }} in ('new', 'promising') then 'second_order'
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

{#- Brings a score of any number of buckets onto the five steps of the map. -#}
{% macro rfm_step(score) -%}
    {%- set buckets = var('rfm_buckets') -%}
    {%- if buckets == 5 -%}
    {{ score }}
    {%- else -%}
    cast(ceil({{ score }} * 5.0 / {{ buckets }}) as integer)
    {%- endif -%}
{%- endmacro %}

{#-
    Shopify's groups on a grid: recency (5 = bought last) down, strength of history across, where
    strength is the mean of the F and M steps, rounded half up. So no group rests on money alone.
    In Shopify's words: champions bought very recently, often, and spent most; loyal recently, often;
    active recently, some orders; new very recently, few; promising recently, few; needs attention
    somewhat recently, some; at risk not recently, strong history; previously loyal not recently,
    very strong; almost lost not recently, fewer; dormant not for long, few and low.
-#}
{% macro rfm_grid() -%}
    {{ return({
        5: ['new', 'new', 'active', 'champions', 'champions'],
        4: ['promising', 'promising', 'active', 'loyal', 'loyal'],
        3: ['promising', 'needs_attention', 'needs_attention', 'needs_attention', 'loyal'],
        2: ['almost_lost', 'almost_lost', 'at_risk', 'at_risk', 'previously_loyal'],
        1: ['dormant', 'dormant', 'almost_lost', 'previously_loyal', 'previously_loyal'],
    }) }}
{%- endmacro %}

{#- All groups, best first; used by tests and the matrix. -#}
{% macro rfm_groups() -%}
    {{ return([
        'champions', 'loyal', 'active', 'new', 'promising', 'needs_attention',
        'at_risk', 'previously_loyal', 'almost_lost', 'dormant',
    ]) }}
{%- endmacro %}

{% macro rfm_segment(r_score, f_score, m_score) -%}
    case
    {%- for recency, groups in rfm_grid().items() %}
    {%- for group in groups %}
        when {{ rfm_step(r_score) }} = {{ recency }}
            and cast(floor(({{ rfm_step(f_score) }} + {{ rfm_step(m_score) }} + 1) / 2) as integer) = {{ loop.index }}
            then '{{ group }}'
    {%- endfor %}
    {%- endfor %}
    end
{%- endmacro %}
