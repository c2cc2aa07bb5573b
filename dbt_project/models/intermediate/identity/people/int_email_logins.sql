{#- Whoever signs in to the account that an address opened is alive there, read or not. -#}
with evidence as (
    select *
    from {{ ref('int_identity_evidence_keyed') }}
    where login is not null
),

account_visits as (
    select
        login,
        max(last_seen_at) as last_login_at
    from evidence
    group by login
),

account_emails as (
    select distinct
        email,
        login
    from evidence
    where email is not null and evidence_rank <= 2
)

select
    identifiers.identifier_value as email,
    max(account_visits.last_login_at) as last_login_at
from account_emails
inner join account_visits on account_emails.login = account_visits.login
inner join {{ ref('int_identifiers') }} as identifiers on account_emails.email = identifiers.identifier_key
group by identifiers.identifier_value
