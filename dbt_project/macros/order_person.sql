{#-
    Whose address an order's document gives, in REST and in GraphQL. Plain Jinja without anything of dbt's,
    because what an order says about permission is read by the same lines outside dbt (ops/fact_queries).
-#}

{#- The fields that the macros below need, as JSON: what a record of the document must hold. -#}
{% macro order_person_fields() -%}
    {"test": "varchar", "email": "varchar", "contact_email": "varchar", "customer": {"email": "varchar", "defaultEmailAddress": {"emailAddress": "varchar"}}}
{%- endmacro %}

{#- An empty text is no address and must not stand before the next. -#}
{% macro order_email(document) -%}
    coalesce(
        nullif(trim({{ document }}.email), ''),
        nullif(trim({{ document }}.contact_email), ''),
        nullif(trim({{ document }}.customer.email), ''),
        nullif(trim({{ document }}.customer.defaultemailaddress.emailaddress), '')
    )
{%- endmacro %}

{% macro order_is_test(document) -%}
    coalesce(try_cast({{ document }}.test as boolean), false)
{%- endmacro %}
