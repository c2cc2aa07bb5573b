{#- From what a source wrote to whose it is: the one lookup that turns records into people's records. -#}
select
    dictionary.identifier_type,
    dictionary.raw_value,
    dictionary.identifier_value,
    identifiers.customer_id,
    identifiers.is_shared
from {{ ref('int_identifier_values') }} as dictionary
inner join {{ ref('int_customer_identifiers') }} as identifiers
    on dictionary.identifier_key = identifiers.identifier_key
