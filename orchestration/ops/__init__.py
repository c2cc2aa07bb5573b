"""The precious operational store: what must survive when the warehouse is thrown away.

Belongs here: the tables of `ops.sqlite`, and reading and writing them. Does not belong here:
deciding who may be contacted (`orchestration.activation`) or anything about Dagster.
"""
