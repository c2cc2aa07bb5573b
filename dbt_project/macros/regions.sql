{#-
    The region of a country (state, province) that an address names: read beside the country it belongs to, and
    known by the seed `region_names` alone. Does not belong here: which record's region survives (survivorship).
-#}

{#- The region as written in the first address that names a country, so that both are of one address. -#}
{% macro region_beside_country(addresses, country, region) -%}
    case
        {%- for address in addresses %}
        when {{ first_text([address ~ '.' ~ country]) }} is not null then {{ first_text([address ~ '.' ~ region]) }}
        {%- endfor %}
    end
{%- endmacro %}

{#-
    Records with `region_code`: ISO 3166-2 where country and region are known (US-TX), the country alone where it
    has regions and the record names none of them (US), NULL where the country has none. A newer address without
    its region hides an older one with it, since the person may have moved.
-#}
{% macro with_region_code(records) -%}
    select
        records.*,
        case
            when countries.country_code is not null then concat_ws('-', countries.country_code, names.region)
        end as region_code
    from {{ records }} as records
    left join {{ ref('region_names') }} as names
        on records.country_code = names.country_code and lower(trim(records.region)) = names.region_name
    left join (select distinct country_code from {{ ref('region_names') }}) as countries
        on records.country_code = countries.country_code
{%- endmacro %}

{#- The region of an ISO 3166-2 code without its country; NULL for a code of another country, or of none's region. -#}
{% macro region_in_country(region_code, country_code) -%}
    case
        when {{ region_code }} like {{ country_code }} || '-%'
            then substr({{ region_code }}, length({{ country_code }}) + 2)
    end
{%- endmacro %}
