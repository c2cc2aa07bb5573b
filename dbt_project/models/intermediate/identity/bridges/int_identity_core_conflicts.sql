{#-
    Pairs of cores that are two people. Under different full names they are; so are two with an account of
    the same kind each, or with any account each on one device, unless both bear one and the same full
    name; so is a core without a name whose address names somebody else than the other core's name does.
    A core under several names agrees with nobody; one that a rule joined agrees under each of its names.
-#}
with pairs as (
    select distinct
        core_a,
        core_b,
        by_device
    from {{ ref('int_identity_core_pairs') }}
),

facts as (
    select *
    from {{ ref('int_identity_core_facts') }}
),

joined_by_hand as (
    select
        core,
        full_name
    from {{ ref('int_identity_core_names') }}
    where is_joined_by_hand
),

borne as (
    select
        core,
        fact as full_name,
        fact_count = 1 as is_certain
    from facts
    where fact_type = 'full_name' and core not in (select joined_by_hand.core from joined_by_hand)
    union all
    select
        core,
        full_name,
        true as is_certain
    from joined_by_hand
),

names as (
    select
        core,
        full_name,
        split_part(full_name, ' ', 1) as first_name,
        split_part(full_name, ' ', 2) as last_name,
        is_certain
    from borne
),

accounts as (
    select
        core,
        fact_type as account_type
    from facts
    where fact_type <> 'full_name'
),

sides as (
    select
        core_a as named_core,
        core_b as nameless_core
    from pairs
    union
    select
        core_b as named_core,
        core_a as nameless_core
    from pairs
),

-- frost.hazel@ is not Leo Frost, nor is hfrost@
somebody_else as (
    select
        sides.named_core,
        sides.nameless_core
    from sides
    inner join names on sides.named_core = names.core and names.is_certain
    inner join {{ ref('int_identity_address_words') }} as words on sides.nameless_core = words.core
    group by sides.named_core, sides.nameless_core
    having
        not bool_or(words.word = names.first_name)
        and bool_or(
            (words.is_first_name and words.word <> names.last_name)
            or (
                substr(words.word, 2) = names.last_name
                and substr(words.word, 1, 1) <> substr(names.first_name, 1, 1)
            )
        )
),

judged as (
    select
        pairs.core_a,
        pairs.core_b,
        pairs.by_device,
        coalesce(bool_or(
            names_a.full_name = names_b.full_name and names_a.is_certain and names_b.is_certain
        ), false) as has_one_name,
        count(names_a.core) * count(names_b.core) > 0 as are_both_named,
        coalesce(bool_or(
            accounts_a.account_type = accounts_b.account_type
            and accounts_a.account_type not in ({{ quoted(address_account_types()) }})
        ), false) as have_one_kind_of_account,
        count(accounts_a.core) * count(accounts_b.core) > 0 as have_accounts
    from pairs
    left join names as names_a on pairs.core_a = names_a.core
    left join names as names_b on pairs.core_b = names_b.core
    left join accounts as accounts_a on pairs.core_a = accounts_a.core
    left join accounts as accounts_b on pairs.core_b = accounts_b.core
    group by pairs.core_a, pairs.core_b, pairs.by_device
)

select
    judged.core_a,
    judged.core_b,
    judged.by_device
from judged
left join somebody_else as a_is_named
    on judged.core_a = a_is_named.named_core and judged.core_b = a_is_named.nameless_core
left join somebody_else as b_is_named
    on judged.core_b = b_is_named.named_core and judged.core_a = b_is_named.nameless_core
where
    not judged.has_one_name
    and (
        judged.are_both_named
        or judged.have_one_kind_of_account
        or (judged.by_device and judged.have_accounts)
        or a_is_named.named_core is not null
        or b_is_named.named_core is not null
    )
