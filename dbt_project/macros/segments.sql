{#-
    What segments share. A segment is one file, models/segments/seg_<name>.sql; the command line
    hands dbt the names it finds there as the var `segments`, so adding a file is enough.
    The list below serves a bare `dbt build`; a test compares it with the folder.
-#}
{% macro segment_names() -%}
    {{ return(var('segments', none) or [
        'abandoned_browse',
        'abandoned_browse_24h',
        'abandoned_browse_48h',
        'abandoned_cart',
        'abandoned_cart_24h',
        'abandoned_cart_48h',
        'abandoned_checkout',
        'abandoned_wishlist',
        'anonymous_push',
        'ask_for_email',
        'ask_for_personalisation',
        'at_risk',
        'back_in_stock',
        'birthday',
        'bundle',
        'buyers_without_email_permission',
        'category_with_promotion',
        'complements_for_ads',
        'costly_unmailable',
        'cross_sell',
        'displeased_with_product',
        'early_access',
        'exit_intent',
        'first_time_buyers',
        'first_time_visitors',
        'frequent_buyers',
        'gift_shoppers',
        'high_intent',
        'high_spenders',
        'information_seekers',
        'just_bought',
        'likely_in_30_days',
        'likely_in_7_days',
        'likely_in_90_days',
        'lookalike_seed',
        'low_intent',
        'low_spenders',
        'loyal_customers',
        'medium_spenders',
        'new_subscribers',
        'occasion_gifts',
        'one_time_buyers',
        'opportunity_reach_out',
        'opportunity_second_order',
        'opportunity_win_back',
        'post_purchase_education',
        'potential_buyers',
        'price_drop',
        'recent_buyers',
        'refer_a_friend',
        'repeat_coupon',
        'replenishment_due',
        'retargeting',
        'returning_buyers',
        'returning_visitors',
        'review_request',
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
        'up_sell',
        'vip',
        'vip_by_both',
        'vip_by_frequency',
        'vip_by_order_value',
        'voucher_expiring',
        'voucher_unused',
        'welcome_by_source',
        'welcome_from_referral',
        'welcome_from_search',
        'welcome_from_social',
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

{#- The words of a segment's own file. A word near to one of them is a slip; any other is the shop's own. -#}
{% macro segment_words() -%}
    {{ return([
        'channel', 'channels', 'cooldown_days', 'delay', 'description', 'destinations', 'exit_on', 'first_activation',
        'holdout_share', 'is_exclusion', 'label', 'landing_page', 'level', 'may_be_everybody', 'message_kind', 'min_size', 'not_after',
        'plain_context', 'priority', 'programme', 'purpose', 'slots', 'window_days',
    ]) }}
{%- endmacro %}

{#- Whether this can be the name of a slot or the key of what it shows, as the on-site feed has them. -#}
{% macro is_content_key(word) -%}
    {%- if word is not string -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set letters = word | replace('.', '') | replace('-', '') | replace('_', '') -%}
    {{ return(word | length <= 64 and letters.isalnum() and word.isascii() and word[0].isalnum()) }}
{%- endmacro %}

{#- What is wrong with the slots and the landing page that a file declares. -#}
{% macro faults_of_content(meta) -%}
    {%- set wrong = [] -%}
    {%- set own = "the site's own words of up to 64 letters, digits, '.', '-' and '_'" -%}
    {%- if meta.landing_page is defined and meta.landing_page is not none and not is_content_key(meta.landing_page) -%}
        {%- do wrong.append('has the landing_page ' ~ as_written(meta.landing_page) ~ '; write ' ~ own) -%}
    {%- endif -%}
    {%- if meta.slots is defined and meta.slots is not none and meta.slots is not mapping -%}
        {%- do wrong.append("has slots that are no mapping; write {'hero': 'thanks'}") -%}
    {%- elif meta.slots -%}
        {%- for slot, key in meta.slots.items() if not (is_content_key(slot) and is_content_key(key)) -%}
            {%- do wrong.append('has the slot ' ~ as_written(slot) ~ ' with ' ~ as_written(key) ~ '; write ' ~ own) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(wrong) }}
{%- endmacro %}

{% macro check_segment(name, meta) -%}
    {%- set wrong = faults_of_content(meta) -%}
    {%- for word in meta if word not in segment_words() and nearest_word(word, segment_words()) is not none -%}
        {%- do wrong.append('has the word ' ~ as_written(word) ~ '; did you mean '
            ~ nearest_word(word, segment_words()) ~ '?') -%}
    {%- endfor -%}
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
    {%- if meta.is_exclusion is defined and meta.is_exclusion is not boolean -%}
        {%- do wrong.append("has an is_exclusion that is neither True nor False") -%}
    {%- elif meta.is_exclusion and segment_channels(meta) != ['ads'] -%}
        {%- do wrong.append("is an exclusion, which is for ads alone; use the channel ads, or leave is_exclusion out") -%}
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
