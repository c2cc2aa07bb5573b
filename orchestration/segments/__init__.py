"""What segments' files say, read without dbt: rendered by Jinja alone, judged, tried.

Belongs here: rendering the project's macros over published tables, what is wrong with a segment's
file, who would be in it. Does not belong here: building segments (dbt_project, orchestration/run),
delivering them (orchestration/activation).

Imports neither dbt nor dlt, Dagster or Great Expectations, so that an answer takes seconds.
"""
