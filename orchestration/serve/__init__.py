"""Web pages on this machine only: the marketer's, Dagster's, webhooks and the feed; their guard.

Belongs here: who may talk to the web server, and starting and ending it. Does not belong here: what
a run may do (orchestration/run/run.py, orchestration/activation/authority.py).
"""
