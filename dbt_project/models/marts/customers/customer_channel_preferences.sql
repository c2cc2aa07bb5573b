{#-
    A reaction is a click, of a notification also its opening, by a person and not to unsubscribe: an opened email
    decides nothing. With few messages a rate is the shop's more than the person's: a beta distribution over the shop's
    people, whose strength is how much more they differ than chance explains (Kleinman 1973, by moments).
-#}
with messages as (
    select
        customer_id,
        channel,
        case
            when unsubscribed_at is not null then null
            when channel = 'push' then coalesce(clicked_at, opened_at)
            else clicked_at
        end as reacted_at
    from {{ ref('fct_messages') }}
    where
        customer_id is not null
        and bounced_at is null
        and failed_at is null
        and channel in ({{ quoted(contact_channels()) }})
),

zones as (
    select
        customer_id,
        timezone
    from {{ ref('customer_contact_details') }}
    where {{ is_zone('timezone') }}
),

reactions as (
    select
        messages.customer_id,
        messages.channel,
        coalesce(
            {{ local_hour('messages.reacted_at', 'zones.timezone') }}, {{ shop_hour('messages.reacted_at') }}
        ) as best_hour,
        coalesce(
            {{ local_weekday('messages.reacted_at', 'zones.timezone') }}, {{ shop_weekday('messages.reacted_at') }}
        ) as best_weekday
    from messages
    left join zones on messages.customer_id = zones.customer_id
    where messages.reacted_at is not null
),

by_person as (
    select
        customer_id,
        channel,
        count(*) as message_count,
        count(reacted_at) as reaction_count,
        max(reacted_at) as last_reacted_at
    from messages
    group by customer_id, channel
),

by_channel as (
    select
        channel,
        count(*) as people,
        sum(message_count) as messages,
        sum(message_count * message_count) as squares,
        cast(sum(reaction_count) as double) / sum(message_count) as rate,
        sum(cast(cast(reaction_count * reaction_count as double) / message_count as decimal(18, 9))) as spread
    from by_person
    group by channel
),

-- How many messages the shop's rate counts as: the less people differ, the more
priors as (
    select
        channel,
        rate,
        case
            when rate * (1 - rate) <= 0 then 1000
            else
                least(1000, greatest(1, coalesce(
                    rate * (1 - rate) * (messages - cast(squares as double) / messages - (people - 1))
                    / nullif(greatest(
                        spread - rate * rate * messages - rate * (1 - rate) * (people - 1), 0
                    ), 0) - 1, 1000
                )))
        end as strength
    from by_channel
),

stated as (
    select
        customer_id,
        preferred_channel as channel
    from {{ ref('customer_preferences') }}
    where preferred_channel is not null
),

rated as (
    select
        by_person.*,
        priors.rate as shop_rate,
        cast(
            (by_person.reaction_count + priors.rate * priors.strength)
            / (by_person.message_count + priors.strength) as decimal(9, 6)
        ) as reaction_rate
    from by_person
    inner join priors on by_person.channel = priors.channel
),

-- A channel is a preference where somebody said so or answered on it
preferred as (
    select
        coalesce(stated.customer_id, rated.customer_id) as customer_id,
        coalesce(stated.channel, rated.channel) as channel,
        stated.customer_id is not null as is_stated,
        coalesce(rated.message_count, 0) as message_count,
        coalesce(rated.reaction_count, 0) as reaction_count,
        rated.reaction_rate,
        cast(rated.shop_rate as decimal(9, 6)) as shop_rate,
        rated.last_reacted_at
    from rated
    full outer join stated on rated.customer_id = stated.customer_id and rated.channel = stated.channel
    where stated.customer_id is not null or rated.reaction_count > 0
),

{%- for part in ['hour', 'weekday'] %}
shop_{{ part }}s as (
    select
        channel,
        best_{{ part }},
        count(*) as times,
        row_number() over (partition by channel order by count(*) desc, best_{{ part }}) as place
    from reactions
    group by channel, best_{{ part }}
),

own_{{ part }}s as (
    select
        reactions.customer_id,
        reactions.channel,
        reactions.best_{{ part }},
        row_number() over (
            partition by reactions.customer_id, reactions.channel
            order by count(*) desc, max(shop_{{ part }}s.times) desc, reactions.best_{{ part }}
        ) as place
    from reactions
    inner join shop_{{ part }}s
        on reactions.channel = shop_{{ part }}s.channel and reactions.best_{{ part }} = shop_{{ part }}s.best_{{ part }}
    group by reactions.customer_id, reactions.channel, reactions.best_{{ part }}
),
{%- endfor %}

final as (
    select
        preferred.customer_id,
        preferred.channel,
        row_number() over (
            partition by preferred.customer_id
            order by
                case when preferred.is_stated then 1 else 2 end, preferred.reaction_rate desc nulls last,
                preferred.channel
        ) as rank,
        case when preferred.is_stated then 'stated' else 'measured' end as basis,
        preferred.message_count,
        preferred.reaction_count,
        preferred.reaction_rate,
        preferred.shop_rate,
        {%- for part in ['hour', 'weekday'] %}
        case
            when preferred.reaction_count >= {{ var('reach_min_reactions') }} then own_{{ part }}s.best_{{ part }}
            else shop_{{ part }}s.best_{{ part }}
        end as best_{{ part }},
        {%- endfor %}
        case
            when preferred.reaction_count >= {{ var('reach_min_reactions') }} then 'own'
            when shop_hours.channel is not null then 'shop'
        end as time_basis,
        preferred.last_reacted_at
    from preferred
    {%- for part in ['hour', 'weekday'] %}
    left join own_{{ part }}s
        on
            preferred.customer_id = own_{{ part }}s.customer_id
            and preferred.channel = own_{{ part }}s.channel
            and own_{{ part }}s.place = 1
    left join shop_{{ part }}s on preferred.channel = shop_{{ part }}s.channel and shop_{{ part }}s.place = 1
    {%- endfor %}
)

select * from final
