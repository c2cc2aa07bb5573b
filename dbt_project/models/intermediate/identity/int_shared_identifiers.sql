{#-
    Values that several people use, found from all visible history, so that a value once taken for one
    person's stops tying people together in the past as well.
    A device is shared by two logins; a card or a phone by two full names on paid orders.
-#}
with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
),

identifiers as (
    select *
    from {{ ref('int_identifiers') }}
),

dictionary as (
    select *
    from {{ ref('int_identifier_values') }}
),

shared_devices as (
    select evidence.device as identifier_key
    from evidence
    inner join identifiers as logins
        on evidence.login = logins.identifier_key and logins.block_reason is null
    where evidence.device is not null
    group by evidence.device
    having count(distinct evidence.login) > 1
),

orders as (
    select
        orders.phone,
        order_payments.payment_fingerprint as payment_card,
        orders.first_name,
        orders.last_name
    from {{ ref('int_orders_unioned') }} as orders
    inner join {{ ref('int_order_payments') }} as order_payments
        on orders.order_id = order_payments.order_id and orders.order_source = order_payments.order_source
    where
        not orders.is_test
        and orders.financial_status in ('paid', 'partially_paid', 'partially_refunded', 'refunded')
),

written_names as (
    select distinct
        'phone' as identifier_type,
        trim(phone) as raw_value,
        concat_ws(' ', nullif(trim(first_name), ''), nullif(trim(last_name), '')) as written_name
    from orders
    union all
    select distinct
        'payment_card' as identifier_type,
        trim(payment_card) as raw_value,
        concat_ws(' ', nullif(trim(first_name), ''), nullif(trim(last_name), '')) as written_name
    from orders
    union all
    select distinct
        'payment_card' as identifier_type,
        trim(payment_fingerprint) as raw_value,
        billing_name as written_name
    from {{ ref('stg_payments__payments') }}
    where is_successful
),

keyed_names as (
    select distinct
        dictionary.identifier_key,
        written_names.written_name
    from written_names
    inner join dictionary
        on
            written_names.identifier_type = dictionary.identifier_type
            and written_names.raw_value = dictionary.raw_value
    where dictionary.identifier_key is not null and written_names.written_name <> ''
),

-- Comparing names is dear and most values have one
several_names as (
    select identifier_key
    from keyed_names
    group by identifier_key
    having count(*) > 1
),

shared_by_names as (
    select identifier_key
    from (
        select
            identifier_key,
            {{ full_name('written_name') }} as full_name
        from keyed_names
        where identifier_key in (select identifier_key from several_names)
    ) as compared
    where full_name is not null
    group by identifier_key
    having count(distinct full_name) > 1
)

select
    identifier_key,
    'two_logins' as share_reason
from shared_devices
union all
select
    identifier_key,
    'two_names' as share_reason
from shared_by_names
