{#-
    jo@mial.example beside jo@mail.example: of two such addresses of one person the odder is a slip. One that
    was ordered with again is meant; then the one whose domain more people use, then the one seen more often.
-#}
with emails as (
    select
        customer_id,
        identifier_type,
        identifier_value,
        observation_count,
        split_part(identifier_value, '@', 1) as mailbox,
        split_part(identifier_value, '@', 2) as domain
    from {{ ref('int_customer_identifiers') }}
    where customer_id is not null and identifier_type = 'email'
),

orders as (
    select
        email,
        count(*) as order_count
    from {{ ref('int_orders_resolved') }}
    where email is not null
    group by email
),

domains as (
    select
        domain,
        count(*) as address_count
    from emails
    group by domain
),

ranked as (
    select
        emails.*,
        rank() over (
            partition by emails.customer_id, emails.mailbox
            order by
                case when orders.order_count > 1 then 0 else 1 end,
                domains.address_count desc,
                emails.observation_count desc
        ) as oddity
    from emails
    inner join domains on emails.domain = domains.domain
    left join orders on emails.identifier_value = orders.email
)

select distinct
    slip.customer_id,
    slip.identifier_type,
    slip.identifier_value
from ranked as slip
inner join ranked as meant
    on
        slip.customer_id = meant.customer_id
        and slip.mailbox = meant.mailbox
        and slip.oddity > meant.oddity
where slip.domain <> meant.domain and levenshtein(slip.domain, meant.domain) <= 2
