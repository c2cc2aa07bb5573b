with tags as (
    select
        order_id,
        order_source,
        customer_id,
        ordered_at,
        {{ text_parts('tags', ',') }} as tag
    from {{ ref('int_orders_resolved') }}
    where tags is not null
),

-- Tags are the staff's and the apps' own words: one that may be an address or a number to call stays out
plain as (
    select
        order_id,
        order_source,
        customer_id,
        ordered_at,
        lower({{ words_of_a_person('tag', 'name') }}) as tag
    from tags
)

select distinct
    {{ hash_key(['order_source', 'order_id', 'tag']) }} as order_tag_id,
    order_id,
    order_source,
    customer_id,
    tag,
    ordered_at
from plain
where tag <> ''
