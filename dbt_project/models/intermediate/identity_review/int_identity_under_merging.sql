{#- Pairs of customers that may be one person: one name and something else in common, or one mailbox; and
    no rule that says otherwise. -#}
with alike as (
    {%- for relation in ['int_identity_alike', 'int_identity_mailboxes'] %}
    select
        signal,
        group_key,
        customer_id
    from {{ ref(relation) }}
    where not is_skipped
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

kept_apart as (
    select
        least(customers_a.customer_id, customers_b.customer_id) as customer_a,
        greatest(customers_a.customer_id, customers_b.customer_id) as customer_b
    from {{ ref('int_identity_rule_edges') }} as rules
    inner join {{ ref('int_customer_identifiers') }} as customers_a on rules.key_a = customers_a.identifier_key
    inner join {{ ref('int_customer_identifiers') }} as customers_b on rules.key_b = customers_b.identifier_key
    where rules.rule = 'cannot_link'
),

pairs as (
    select distinct
        firsts.customer_id as customer_a,
        seconds.customer_id as customer_b,
        firsts.signal
    from alike as firsts
    inner join alike as seconds
        on
            firsts.signal = seconds.signal
            and firsts.group_key = seconds.group_key
            and firsts.customer_id < seconds.customer_id
)

select
    pairs.customer_a,
    pairs.customer_b,
    pairs.signal,
    case pairs.signal
        when 'same_birthday' then 5
        when 'same_home' then 5
        when 'shared_payment_card' then 5
        when 'shared_phone' then 4
        when 'shared_device' then 3
        when 'same_address_words' then 3
        when 'same_mailbox' then 1
        else 2
    end as score
from pairs
left join kept_apart on pairs.customer_a = kept_apart.customer_a and pairs.customer_b = kept_apart.customer_b
where kept_apart.customer_a is null
