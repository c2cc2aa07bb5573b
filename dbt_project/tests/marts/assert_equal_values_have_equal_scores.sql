-- Scores depend on the value alone and rise with it.
with rfm as (
    select * from {{ ref('fct_customer_rfm') }}
)

select as_of_date, 'r' as score, recency_days as val from rfm group by 1, 3 having min(r_score) <> max(r_score)
union all
select as_of_date, 'f' as score, frequency as val from rfm group by 1, 3 having min(f_score) <> max(f_score)
union all
select as_of_date, 'm' as score, monetary as val from rfm group by 1, 3 having min(m_score) <> max(m_score)
