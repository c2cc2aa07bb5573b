"""One file per revision, `rNNNN_what.py`, each with `revision`, `down_revision` and `upgrade()`.

Belongs here: steps that are never edited once they are released. Does not belong here: the shape of
today (`schema.py`), which the steps must lead to.
"""
