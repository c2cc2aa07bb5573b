{#- Visits of the shop's own people: from its own network, or by somebody with an address of the shop. -#}
{% macro is_internal_visit(ip, customer_id) -%}
    {%- set ips = var('internal_ips') -%}
    {%- set domains = var('internal_email_domains') -%}
    {%- if not ips and not domains -%}
        false
    {%- else -%}
        coalesce(
            {%- if ips %}
            {{ ip }} in ('{{ ips | join("', '") }}')
            {%- else %}
            false
            {%- endif %}
            {%- if domains %}
            or {{ customer_id }} in (
                select staff.customer_id
                from {{ ref('int_customer_identifiers') }} as staff
                where
                    staff.identifier_type = 'email'
                    and staff.customer_id is not null
                    and lower(split_part(staff.identifier_value, '@', 2)) in ('{{ domains | map("lower") | join("', '") }}')
            )
            {%- endif %}, false
        )
    {%- endif -%}
{%- endmacro %}
