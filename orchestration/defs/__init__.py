"""Dagster objects only: assets, checks, jobs, schedules, sensors, resources.

Anything with logic lives in the Dagster-free folders beside this one and is called from here.
"""
