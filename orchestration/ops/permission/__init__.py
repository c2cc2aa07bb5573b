"""What people permitted and refused, as facts in the store.

Belongs here: reading it out of the sources, from their words to consent events and suppressions,
and writing it. Does not belong here: deciding from it who may be contacted
(`orchestration.activation.gate`), or the tables themselves (`orchestration.ops.schema`).
"""
