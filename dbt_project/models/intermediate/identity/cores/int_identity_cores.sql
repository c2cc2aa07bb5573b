{#-
    What is one person by accounts and addresses alone: the parts that cards, phones and devices may then
    tie together, unless what is known of two parts speaks against it.
-#}
{{ connected_components(ref('int_identity_core_edges')) }}
