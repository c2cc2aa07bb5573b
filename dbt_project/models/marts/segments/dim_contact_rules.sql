select
    'shop' as shop,
    cast({{ var('contacts_per_day') }} as integer) as contacts_per_day,
    cast({{ var('contacts_per_week') }} as integer) as contacts_per_week,
    cast({{ var('just_bought_days') }} as integer) as just_bought_days,
    {{ threshold('quiet_time_days') }} as quiet_time_days,
    cast({{ var('support_quiet_days') }} as integer) as support_quiet_days,
    cast({{ var('holdout_share') }} as double) as holdout_share,
    {{ segment_text(var('holdout_salt')) }} as holdout_salt,
    {{ segment_text(var('shop_timezone')) }} as shop_timezone,
    {{ segment_text(var('default_country')) }} as default_country
