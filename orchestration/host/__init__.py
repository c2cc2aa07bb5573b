"""Dagster as a host: its jobs run in this process, its history, its errors in words.

Belongs here: with `defs/`, all that knows Dagster. Does not belong here: definitions.
"""
