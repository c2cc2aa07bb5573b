"""How well people are told apart, measured on the pretend shop, whose truth is known.

Belongs here: reading the truth, measures over partitions, rivals' rules re-implemented from their
public descriptions, and the card that puts them side by side. Does not belong here: resolving
identities for real (dbt_project does that and never sees the truth) and layout (commands/score).
"""
