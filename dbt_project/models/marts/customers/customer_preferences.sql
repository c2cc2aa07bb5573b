{#-
    What a person prefers and when and where they shop, in one row: stated before observed, orders before visits.
    Every value with its evidence is a row of customer_traits.
-#}
{%- set choices = {
    'preferred_channel': ['preferred_channel'],
    'size': ['size', 'clothing_size', 'bought_size'],
    'fit': ['fit', 'bought_fit'],
    'colour': ['favourite_colour', 'favorite_color', 'favourite_color', 'favorite_colour', 'bought_colour'],
    'shopping_hour': ['bought_hour', 'visited_hour'],
    'shopping_weekday': ['bought_weekday', 'visited_weekday'],
    'shopping_city': ['bought_city', 'visited_city'],
} %}

with traits as (
    select
        customer_id,
        value,
        evidence_kind,
        stated_at,
        score,
        source,
        trait,
        case
            {%- for preference, traits in choices.items() %}
            when trait in ({{ quoted(traits) }}) then '{{ preference }}'
            {%- endfor %}
        end as preference
    from {{ ref('customer_traits') }}
    where
        valid_to is null
        -- A word that is no channel prefers none
        and (trait <> 'preferred_channel' or lower(value) in ({{ quoted(contact_channels()) }}))
),

chosen as (
    select *
    from traits
    where preference is not null and evidence_kind in ('stated', 'observed')
    -- The latest of what was stated; of what was seen, what was seen most
    qualify row_number() over (
        partition by customer_id, preference
        order by
            evidence_kind desc, case source when 'orders' then 1 else 2 end, score desc nulls first,
            stated_at desc nulls last, value, trait, source
    ) = 1
),

final as (
    select
        customer_id,
        max(case when preference = 'preferred_channel' then lower(value) end) as preferred_channel,
        max(case when preference = 'size' then value end) as size,
        max(case when preference = 'size' then evidence_kind end) as size_evidence_kind,
        max(case when preference = 'fit' then value end) as fit,
        max(case when preference = 'fit' then evidence_kind end) as fit_evidence_kind,
        max(case when preference = 'colour' then value end) as colour,
        max(case when preference = 'colour' then evidence_kind end) as colour_evidence_kind,
        cast(max(case when preference = 'shopping_hour' then value end) as integer) as shopping_hour,
        max(case when preference = 'shopping_weekday' then value end) as shopping_weekday,
        max(case when preference = 'shopping_city' then value end) as shopping_city
    from chosen
    group by customer_id
)

select * from final
