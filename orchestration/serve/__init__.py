"""Dagster's web page behind a guard, on this machine only.

Belongs here: who may talk to the web server, and starting and ending it. Does not belong here: what
a run may do (orchestration/run/run.py, orchestration/activation/authority.py).
"""
