{#-
    What the timeline is made of: the steps of a message, the names of web events, and how the table grows.
-#}

{#- Steps of a message: the kind of interaction, the column of its first time, and who acted. What a machine
    opens and clicks on the way is no act of the person. -#}
{% macro message_steps() -%}
    {{ return([
        ('message_sent', 'sent_at', 'outbound'),
        ('message_delivered', 'delivered_at', 'outbound'),
        ('message_failed', 'failed_at', 'outbound'),
        ('message_bounced', 'bounced_at', 'outbound'),
        ('message_opened_by_machine', 'machine_opened_at', 'outbound'),
        ('message_clicked_by_machine', 'machine_clicked_at', 'outbound'),
        ('message_opened', 'opened_at', 'inbound'),
        ('message_clicked', 'clicked_at', 'inbound'),
        ('message_replied', 'replied_at', 'inbound'),
        ('message_unsubscribed', 'unsubscribed_at', 'inbound'),
        ('message_complained', 'complained_at', 'inbound'),
    ]) }}
{%- endmacro %}

{#- The kinds of interactions that have a meaning of their own. A site may send events of any further name. -#}
{% macro interaction_kinds() -%}
    {{ return([
        'order_placed', 'order_cancelled', 'order_returned', 'checkout_begun', 'visit',
        'product_viewed', 'product_list_viewed', 'products_searched', 'product_added', 'product_removed',
        'cart_viewed', 'checkout_started', 'order_completed', 'coupon_applied', 'product_added_to_wishlist',
        'product_reviewed', 'product_shared', 'quiz_completed', 'push_subscribed',
        'nps', 'review', 'complaint', 'support', 'referral', 'quiz', 'survey', 'reply', 'preference',
        'voucher_issued', 'voucher_redeemed', 'signed_up', 'loyalty_joined',
    ] + message_steps() | map(attribute=0) | list) }}
{%- endmacro %}

{#- A web event's own name as a word: "Product Viewed" is product_viewed. Anybody can send an event, so a name
    that is not plain is `other_event`. -#}
{% macro event_kind(event_name) -%}
    case
        when {{ text_matches(event_name, "'^[A-Za-z][A-Za-z0-9 _-]{0,59}$'") }}
            then lower(replace(replace({{ event_name }}, ' ', '_'), '-', '_'))
        else 'other_event'
    end
{%- endmacro %}

{#- dbt's hook for an incremental strategy: rows of visits' versions that are gone leave, the new ones come. -#}
{% macro get_incremental_replace_visits_sql(arg_dict) -%}
    {%- set columns = arg_dict['dest_columns'] | map(attribute='quoted') | join(', ') -%}
    delete from {{ arg_dict['target_relation'] }}
    where visit_version not in (select visit_version from {{ ref('int_interaction_visits') }});

    insert into {{ arg_dict['target_relation'] }} ({{ columns }})
    select {{ columns }}
    from {{ arg_dict['temp_relation'] }}
{%- endmacro %}
