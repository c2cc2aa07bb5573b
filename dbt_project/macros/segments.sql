{#-
    What segments share. A segment is one file, models/segments/seg_<name>.sql; the command line
    hands dbt the names it finds there as the var `segments`, so adding a file is enough.
    The list below serves a bare `dbt build`; a test compares it with the folder.
-#}
{% macro segment_names() -%}
    {{ return(var('segments', none) or [
        'abandoned_browse',
        'abandoned_cart',
        'abandoned_checkout',
        'abandoned_wishlist',
        'anonymous_push',
        'ask_for_email',
        'ask_for_personalisation',
        'at_risk',
        'back_in_stock',
        'birthday',
        'buyers_without_email_permission',
        'category_with_promotion',
        'costly_unmailable',
        'displeased_with_product',
        'first_time_buyers',
        'first_time_visitors',
        'frequent_buyers',
        'gift_shoppers',
        'high_intent',
        'high_spenders',
        'information_seekers',
        'lookalike_seed',
        'low_intent',
        'low_spenders',
        'loyal_customers',
        'medium_spenders',
        'new_subscribers',
        'occasion_gifts',
        'one_time_buyers',
        'potential_buyers',
        'price_drop',
        'recent_buyers',
        'repeat_coupon',
        'replenishment_due',
        'retargeting',
        'returning_buyers',
        'returning_visitors',
        'search_without_result',
        'second_order_due',
        'service_recovery',
        'sms_acquisition',
        'sms_advocacy',
        'sms_awareness',
        'sms_consideration',
        'sms_purchase',
        'social_ad_visitors',
        'stage_exclusions',
        'sunset',
        'thank_you',
        'undecided_visitors',
        'vip',
        'vip_by_frequency',
        'vip_by_order_value',
        'voucher_expiring',
        'voucher_unused',
        'welcome_by_source',
        'welcome_in_store',
        'win_back_60',
        'win_back_75',
        'win_back_90',
    ]) }}
{%- endmacro %}

{#- A segment file that nobody named would be built and never published: better to stop. -#}
{% macro check_segment_names(graph) -%}
    {%- for node in graph.nodes.values() -%}
        {%- if node.resource_type == 'model' and node.name.startswith('seg_')
            and node.name[4:] not in segment_names() -%}
            {{ exceptions.raise_compiler_error(
                node.name ~ ' is not named in the var `segments`: run it through `regulars run`, '
                ~ 'or add it to segment_names() in macros/segments.sql'
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{#- What a segment's own file must say, and in which words. Vocabulary.py has the same lists. -#}
{% macro message_kinds() -%}
    {{ return([
        'transactional', 'service', 'thank_you', 'education',
        'welcome', 'reminder', 'recommendation', 'newsletter', 'offer', 'win_back',
    ]) }}
{%- endmacro %}

{#- What a contract permits, so the kinds of the purpose transactional; the second, of no other. -#}
{% macro contract_kinds() -%}
    {{ return(['transactional', 'service', 'thank_you']) }}
{%- endmacro %}

{% macro only_contract_kinds() -%}
    {{ return(['transactional', 'service']) }}
{%- endmacro %}

{#- What members get at a segment's first activation; the first where its file says nothing. -#}
{% macro first_activations() -%}
    {{ return(['baseline', 'send']) }}
{%- endmacro %}

{#- What ends a stay before its conditions do: each goal with the kinds of interactions that reach it. -#}
{% macro segment_goals() -%}
    {{ return({
        'order': ['order_placed'],
        'referral': ['referral'],
        'review': ['review', 'product_reviewed'],
        'sign_up': ['signed_up'],
        'voucher': ['voucher_redeemed'],
    }) }}
{%- endmacro %}

{#- What `exit_on` of a segment says, as (goal, kind of interactions), each kind once. A kind that belongs to a goal
    says that goal; any other is its own. -#}
{% macro goals_of_segment(name, exit_on) -%}
    {%- set goals, pairs = segment_goals(), {} -%}
    {%- set words = [exit_on] if exit_on is string else (exit_on or []) -%}
    {%- for word in words -%}
        {%- if word in goals -%}
            {%- for kind in goals[word] -%}
                {%- do pairs.update({kind: word}) -%}
            {%- endfor -%}
        {%- elif word in interaction_kinds() -%}
            {%- set named = namespace(goal=word) -%}
            {%- for goal, kinds in goals.items() if word in kinds -%}
                {%- set named.goal = goal -%}
            {%- endfor -%}
            {%- do pairs.update({word: named.goal}) -%}
        {%- else -%}
            {{ exceptions.raise_compiler_error(
                'models/segments/seg_' ~ name ~ '.sql: exit_on has the word ' ~ as_written(word)
                ~ right_words(word, goals | list + (interaction_kinds() if nearest_word(word, goals | list) is none else []))
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ return(pairs) }}
{%- endmacro %}

{#- The goals of all segments as rows: segment, goal, kind. -#}
{% macro all_segment_goals() -%}
    {%- set rows = [] -%}
    {%- if execute -%}
        {%- for name in segment_names() -%}
            {%- set node = graph.nodes.get('model.' ~ project_name ~ '.seg_' ~ name, {}) -%}
            {%- set meta = node.get('config', {}).get('meta', {}).get('segment', {}) -%}
            {%- for kind, goal in goals_of_segment(name, meta.get('exit_on')).items() -%}
                {%- do rows.append((name, goal, kind)) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for name, goal, kind in rows or [('', '', '')] %}
    select
        '{{ name }}' as segment,
        '{{ goal }}' as goal,
        '{{ kind }}' as kind
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{% macro check_segment(name, meta) -%}
    {%- set wrong = [] -%}
    {%- set channels, purposes = contact_channels(), contact_purposes() -%}
    {%- set levels = personalisation_levels() -%}
    {%- for channel in segment_channels(meta) if channel not in channels -%}
        {%- do wrong.append("has the channel '" ~ channel ~ "'; use " ~ channels | join(', ')) -%}
    {%- endfor -%}
    {%- for channel in segment_channels(meta) if meta.channels == 'best' and channel in ['ads', 'onsite'] -%}
        {%- do wrong.append("is for the best channel, and best_channels has '" ~ channel ~ "'; use email, sms, push") -%}
    {%- endfor -%}
    {%- if not segment_channels(meta) -%}
        {%- do wrong.append("says no channel; use one or more of " ~ channels | join(', ')) -%}
    {%- endif -%}
    {%- if meta.purpose not in purposes -%}
        {%- do wrong.append("needs a purpose; use " ~ purposes | join(', ')) -%}
    {%- endif -%}
    {%- if meta.message_kind not in message_kinds() -%}
        {%- do wrong.append("needs a message_kind; use " ~ message_kinds() | join(', ')) -%}
    {%- endif -%}
    {%- if meta.purpose == 'transactional' and meta.message_kind in message_kinds()
        and meta.message_kind not in contract_kinds() -%}
        {%- do wrong.append("has the purpose transactional, which permits the kinds "
            ~ contract_kinds() | join(', ') ~ ", and the message_kind " ~ meta.message_kind
            ~ "; use the purpose marketing") -%}
    {%- elif meta.message_kind in only_contract_kinds() and meta.purpose in purposes
        and meta.purpose != 'transactional' -%}
        {%- do wrong.append("has the message_kind " ~ meta.message_kind
            ~ ", which is for the purpose transactional alone; use that purpose or another message_kind") -%}
    {%- endif -%}
    {%- if (meta.first_activation or first_activations()[0]) not in first_activations() -%}
        {%- do wrong.append("has the first_activation '" ~ meta.first_activation
            ~ "'; use " ~ first_activations() | join(' or ')) -%}
    {%- endif -%}
    {%- if (meta.level or 'full') not in levels -%}
        {%- do wrong.append("has the level '" ~ meta.level ~ "'; use " ~ levels | join(', ')) -%}
    {%- endif -%}
    {%- do goals_of_segment(name, meta.exit_on) -%}
    {%- if wrong -%}
        {{ exceptions.raise_compiler_error('The segment ' ~ name ~ ' ' ~ wrong | join('; it ') ~ '.') }}
    {%- endif -%}
{%- endmacro %}

{#- The channels of a segment, the first choice first; `best` is the shop's own order of messages. -#}
{% macro segment_channels(meta) -%}
    {%- if meta.channels == 'best' -%}
        {{ return(var('best_channels')) }}
    {%- elif meta.channels is string -%}
        {{ return([meta.channels]) }}
    {%- endif -%}
    {{ return(meta.channels or ([meta.channel] if meta.channel else [])) }}
{%- endmacro %}

{#- '4 hours' in minutes; none stays none. -#}
{% macro minutes_of(name, words) -%}
    {%- if words is none or words is not defined -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set units = {'minute': 1, 'hour': 60, 'day': 1440} -%}
    {%- set parts = (words | string).split(' ') -%}
    {%- set unit = (parts[1] | default('', true)).rstrip('s') -%}
    {%- if parts | length != 2 or not parts[0].isdigit() or unit not in units -%}
        {{ exceptions.raise_compiler_error(
            'The segment ' ~ name ~ " has the time '" ~ words ~ "'; write it as '4 hours' or '7 days'."
        ) }}
    {%- endif -%}
    {{ return(parts[0] | int * units[unit]) }}
{%- endmacro %}

{#- Every member of every segment: segment, customer_id, and further columns. -#}
{% macro all_segment_members(columns=[]) -%}
    {%- for segment in segment_names() %}
    select
        '{{ segment }}' as segment,
        {{ (['customer_id'] + columns) | join(', ') }}
    from {{ ref('seg_' ~ segment) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}

{#- What a product is called in a sentence. -#}
{% macro product_in_words(product_name, sku) -%}
    coalesce({{ product_name }}, {{ sku }}, 'a product')
{%- endmacro %}

{#- What tells one product from another where a source leaves out the id. -#}
{% macro product_key_of(product_id, sku, product_name) -%}
    coalesce({{ product_id }}, {{ sku }}, {{ product_name }})
{%- endmacro %}

{#- Words from a model file as a SQL literal. -#}
{% macro segment_text(words) -%}
    '{{ words | default("", true) | replace("'", "''") }}'
{%- endmacro %}

{#- "6 orders, usually every 30 days; the last one on 2026-05-02." -#}
{% macro order_rhythm_in_words(buyers) -%}
    {{ count_in_words(buyers ~ '.order_count', 'order', 'orders') }}
    || coalesce(
        ', usually every '
        || {{ days_in_words('cast(round(' ~ buyers ~ '.usual_gap_days) as bigint)') }}, ''
    )
    || '; the last one ' || {{ on_date_in_words(buyers ~ '.last_ordered_date') }} || '.'
{%- endmacro %}

{#- Why somebody may not be emailed, as the end of a sentence. -#}
{% macro permission_in_words(reason) -%}
    case coalesce({{ reason }}, 'no_consent')
        when 'no_consent' then 'no permission for email is on record'
        when 'denied' then 'they said no to email'
        when 'revoked' then 'they withdrew permission for email'
        when 'unsubscribed' then 'they unsubscribed from email'
        when 'expired' then 'their permission for email has run out'
        when 'unconfirmed' then 'they never confirmed the sign-up'
        when 'spam_report' then 'they reported an email as spam'
        when 'hard_bounce' then 'their email address no longer works'
        when 'no_address' then 'no email address is known'
        else 'email is switched off for them'
    end
{%- endmacro %}

{#- Where a sign-up came from: "klaviyo:form" becomes "klaviyo form". -#}
{% macro source_in_words(source) -%}
    replace(replace({{ source }}, '_', ' '), ':', ' ')
{%- endmacro %}
