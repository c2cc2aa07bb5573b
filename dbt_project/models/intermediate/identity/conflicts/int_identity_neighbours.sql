{#- Identifiers that hang together in any way, whoever they are in the end: a change reaches no further. -#}
{{ connected_components(ref('int_identity_neighbour_edges')) }}
