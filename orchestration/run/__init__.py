"""One run: its life, how it calls dbt, what it tells people.

Belongs here: what a run needs beside its steps. Does not belong here: Dagster (`host/`, `defs/`).
"""
