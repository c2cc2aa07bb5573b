{#-
    Which category of the shop's products the words of a search name: the category whose whole name is among them,
    else the one category of all products that have every word of the search in their name or brand. A search that
    fits products of several categories names none.
-#}
with searches as (
    select distinct {{ json_text('detail', '$.query') }} as query
    from {{ ref('int_interactions_web') }}
    where kind = 'products_searched' and {{ json_text('detail', '$.query') }} is not null
),

search_words as (
    select distinct
        query,
        word
    from (
        select
            query,
            {{ text_parts(search_words('query'), ' ') }} as word
        from searches
    ) as parts
    where word <> ''
),

word_counts as (
    select
        query,
        count(*) as word_count
    from search_words
    group by query
),

products as (
    select distinct
        product_id,
        category,
        concat_ws(' ', product_name, brand) as words
    from {{ ref('int_products_unioned') }}
    where category is not null
),

category_words as (
    select distinct
        category,
        word
    from (
        select
            category,
            {{ text_parts(search_words('category'), ' ') }} as word
        from (select distinct category from products) as categories
    ) as parts
    where word <> ''
),

category_sizes as (
    select
        category,
        count(*) as word_count
    from category_words
    group by category
),

product_words as (
    select distinct
        product_id,
        category,
        word
    from (
        select
            product_id,
            category,
            {{ text_parts(search_words('words'), ' ') }} as word
        from products
    ) as parts
    where word <> ''
),

by_name as (
    select
        search_words.query,
        category_words.category
    from search_words
    inner join category_words on search_words.word = category_words.word
    inner join category_sizes on category_words.category = category_sizes.category
    group by search_words.query, category_words.category, category_sizes.word_count
    having count(*) = category_sizes.word_count
),

matching_products as (
    select
        search_words.query,
        product_words.product_id,
        product_words.category
    from search_words
    inner join product_words on search_words.word = product_words.word
    inner join word_counts on search_words.query = word_counts.query
    group by search_words.query, product_words.product_id, product_words.category, word_counts.word_count
    having count(*) = word_counts.word_count
),

by_product as (
    select
        query,
        min(category) as category
    from matching_products
    where query not in (select query from by_name)
    group by query
    having min(category) = max(category)
)

select
    query,
    category
from by_name
union all
select
    query,
    category
from by_product
