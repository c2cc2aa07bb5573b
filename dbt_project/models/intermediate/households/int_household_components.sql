{#- Who lives with whom: people (their components) in place of identifiers, which nothing here merges. -#}
{{ connected_components(ref('int_household_links')) }}
