{#-
    Where somebody lives, as a key: street and postcode without case, accents, punctuation and the usual
    short forms. The address itself goes no further than the raw tables. NULL unless both are there.
-#}
{% macro home_address_key(street, unit, postcode) -%}
    case
        when {{ squeezed(street) }} <> '' and {{ squeezed(postcode) }} <> ''
            then md5(concat_ws(
                '', {{ squeezed(postcode) }}, '|',
                {%- set written = squeezed("concat_ws('', " ~ street ~ ", coalesce(" ~ unit ~ ", ''))") %}
                replace(replace(replace(replace({{ written }}, 'street', 'st'), 'road', 'rd'), 'avenue', 'ave'), 'lane', 'ln')
            ))
    end
{%- endmacro %}

{#- Letters and digits alone, lower-cased and without accents. -#}
{% macro squeezed(text) -%}
    {{ replace_matches('lower(' ~ fold_accents(text) ~ ')', '[^\\p{L}\\p{N}]+', '') }}
{%- endmacro %}

{#- What may tie people into a household, the firmest first. -#}
{% macro household_bases() -%}
    {{ return(['address', 'payment_card', 'device']) }}
{%- endmacro %}
