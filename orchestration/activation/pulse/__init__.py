"""A pulse: what arrived since the last run, judged and sent without a run.

Belongs here: reading new rows, laying them over what is published, who enters and leaves the
segments that turn on them. Does not belong here: the gate, the decision and the outbox, which are
those of every sync (orchestration/activation), and loading the rows, which the next run does.
"""
