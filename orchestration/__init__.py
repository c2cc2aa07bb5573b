"""Everything after the raw store: Dagster, quality, publishing, activation, the command line.

Belongs here: what runs, checks, publishes and delivers. Does not belong here: reading sources
(`ingestion`) or SQL models (`dbt_project`).
"""
