-- Whoever gave back all they bought is no champion, not loyal and no VIP.
select
    rfm.customer_id,
    rfm.rfm_segment as wrong_in
from {{ ref('fct_customer_rfm') }} as rfm
inner join {{ ref('rfm_groups') }} as own_groups on rfm.rfm_segment = own_groups.rfm_segment
where
    own_groups.acts_as in ('champions', 'loyal', 'previously_loyal')
    and (rfm.monetary <= 0 or rfm.monetary is null)
union all
select
    vip.customer_id,
    'vip' as wrong_in
from {{ ref('seg_vip') }} as vip
inner join {{ ref('dim_customers') }} as customers on vip.customer_id = customers.customer_id
where customers.lifetime_net_sales <= 0 or customers.lifetime_net_sales is null
