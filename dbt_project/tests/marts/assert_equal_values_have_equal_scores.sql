-- Scores depend on the value alone: equal values, equal scores.
{%- for score, measure in [('r_score', 'recency_days'), ('f_score', 'frequency'), ('m_score', 'monetary')] %}
select
    as_of_date,
    '{{ score }}' as score
from {{ ref('fct_customer_rfm') }}
group by as_of_date, {{ measure }}
having min({{ score }}) <> max({{ score }})
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
