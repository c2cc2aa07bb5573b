{#-
    What may announce an order: kinds of signals, how far back they are looked at, and their words.

    Belongs here: that. Does not belong here: how likely an order is (orchestration/science/intent).
-#}

{#- Days after which a signal announces nothing any more. -#}
{% macro intent_lookback_days() -%}
    {{ return(30) }}
{%- endmacro %}

{#- Each signal and the kinds of interactions that are one. A product looked at on another day before is returned_to. -#}
{% macro intent_signals() -%}
    {{ return({
        'visited': ['visit'],
        'clicked': ['message_clicked'],
        'viewed': ['product_viewed'],
        'searched': ['products_searched'],
        'returned_to': [],
        'wishlisted': ['product_added_to_wishlist'],
        'carted': ['product_added', 'cart_viewed'],
        'checked_out': ['checkout_started', 'checkout_begun'],
    }) }}
{%- endmacro %}

{#- The signal of an interaction; NULL where it is none. -#}
{% macro intent_signal(kind) -%}
    case
        {%- for signal, kinds in intent_signals().items() if kinds %}
        when {{ kind }} in ({{ quoted(kinds) }}) then '{{ signal }}'
        {%- endfor %}
    end
{%- endmacro %}

{#- Days of the past at which the science learns and is judged: so many weeks back from the run. -#}
{% macro intent_weeks() -%}
    {%- set today = as_of_date_text() -%}
    {%- set found = [] -%}
    {%- for week in range(27) -%}
        {%- do found.append(days_before(today, 7 * week)) -%}
    {%- endfor -%}
    {{ return(found) }}
{%- endmacro %}

{#- A signal and its day as a sentence for the shop's own people. -#}
{% macro intent_reason(signal, signal_date) -%}
    case {{ signal }}
        when 'visited' then 'Visited '
        when 'clicked' then 'Clicked a message '
        when 'viewed' then 'Viewed a product '
        when 'searched' then 'Searched '
        when 'returned_to' then 'Came back to a product '
        when 'wishlisted' then 'Saved a product to the wishlist '
        when 'carted' then 'Put a product in the cart '
        when 'checked_out' then 'Started the checkout '
    end || {{ on_date_in_words(signal_date) }} || '; no order since.'
{%- endmacro %}
