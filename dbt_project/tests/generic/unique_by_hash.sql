{#- As unique_combination, for large tables: hashes find the few rows that may be alike, for a part of what
    grouping all by their texts costs. -#}
{% test unique_by_hash(model, columns) %}
{%- set row_hash = hash_number(columns | join(', ')) %}
select
    {{ columns | join(',\n    ') }},
    count(*) as row_count
from {{ model }}
where {{ row_hash }} in (
    select {{ row_hash }}
    from {{ model }}
    group by 1
    having count(*) > 1
)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
