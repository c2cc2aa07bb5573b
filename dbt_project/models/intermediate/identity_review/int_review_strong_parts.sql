{#- What of these people holds together without their weak links. -#}
{{ connected_components(ref('int_review_strong_links')) }}
