"""Stands in for pyspark, so that dbt-spark can read and compile the project without Spark or Java.

Belongs here: the few names that dbt-spark imports, and a session that answers every statement with
no rows. Does not belong here: anything that works out an answer; Spark's own does that.
"""
