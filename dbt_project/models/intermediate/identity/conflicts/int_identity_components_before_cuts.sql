{#- Which identifiers hang together before chains between different people are cut. -#}
{{ connected_components(ref('int_identity_edges_open')) }}
