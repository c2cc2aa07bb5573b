"""Who somebody is, and why we say so.

Belongs here: evidence, explanations, their layout. Does not belong here: resolving identity
(dbt).
"""
