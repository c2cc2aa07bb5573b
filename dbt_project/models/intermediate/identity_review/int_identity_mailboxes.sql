{#-
    Customers whose addresses some mail systems deliver to one mailbox: `ann+shop@` is `ann@`, and at Gmail
    dots say nothing. Elsewhere these are other people's addresses, so it is a weak hint for a person to
    review, never a tie, and off unless `mailbox_hints` is on.
-#}
with addresses as (
    select
        customer_id,
        split_part(split_part(identifier_value, '@', 1), '+', 1) as account,
        split_part(identifier_value, '@', 2) as mail_domain
    from {{ ref('int_customer_identifiers') }}
    where identifier_type = 'email' and customer_id is not null and {{ var('mailbox_hints') }}
),

mailboxes as (
    select distinct
        customer_id,
        case
            when mail_domain in ('gmail.com', 'googlemail.com') then concat_ws('', replace(account, '.', ''), '@gmail.com')
            else concat_ws('', account, '@', mail_domain)
        end as mailbox
    from addresses
    where account <> ''
),

sized as (
    select
        *,
        count(*) over (partition by mailbox) as people_count
    from mailboxes
)

select
    'same_mailbox' as signal,
    {{ hash_key(['mailbox']) }} as group_key,
    customer_id,
    people_count,
    people_count > {{ var('review_max_group') }} as is_skipped
from sized
where people_count > 1
