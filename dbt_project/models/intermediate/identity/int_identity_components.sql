{#- Which identifiers are one person. -#}
{{ connected_components(ref('int_identity_edges_used')) }}
