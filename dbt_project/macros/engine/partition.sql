{#- The pairs of a group as one value, in the given order: what `refused_places` takes. -#}
{% macro pair_list(key_a, key_b, in_order) -%}
    {{ return(adapter.dispatch('pair_list', 'regulars')(key_a, key_b, in_order)) }}
{%- endmacro %}

{% macro duckdb__pair_list(key_a, key_b, in_order) -%}
    list([{{ key_a }}, {{ key_b }}] order by {{ in_order }})
{%- endmacro %}

{% macro spark__pair_list(key_a, key_b, in_order) -%}
    transform(
        sort_array(collect_list(struct({{ in_order }}, array({{ key_a }}, {{ key_b }}) as pair))), x -> x.pair
    )
{%- endmacro %}

{#-
    One row per place (from 1) of the ties that have to be refused so that no two that must stay apart end
    in one part, taking the ties in their order: ingestion/partition.py as a function of the engine.
-#}
{% macro refused_places(ties, apart) -%}
    {{ return(adapter.dispatch('refused_places', 'regulars')(ties, apart)) }}
{%- endmacro %}

{% macro duckdb__refused_places(ties, apart) -%}
    unnest(refused_ties({{ ties }}, {{ apart }}))
{%- endmacro %}

{% macro spark__refused_places(ties, apart) -%}
    explode(refused_ties({{ ties }}, {{ apart }}))
{%- endmacro %}
