"""The error that dbt-spark catches.

Belongs here: names that dbt-spark imports from `pyspark.sql.utils`. Does not belong here: more.
"""


class AnalysisException(Exception):  # noqa: N818 - Spark's name
    """What Spark raises for a statement that it cannot read; the stand-in reads all."""
