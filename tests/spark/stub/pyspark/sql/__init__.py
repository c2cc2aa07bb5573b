"""The session of the stand-in: every statement is answered with no rows and no columns.

Belongs here: what `dbt.adapters.spark.session` imports from `pyspark.sql`. Does not belong here:
answers; models that ask for one while they compile get theirs from the var `offline_compile`.
"""

from __future__ import annotations

Row = tuple


class _Schema:
    """The columns of an answer: none."""

    fields: tuple[object, ...] = ()


class DataFrame:
    """The answer to any statement: no rows."""

    schema = _Schema()

    def collect(self) -> list[Row]:
        """All rows."""
        return []

    def take(self, count: int) -> list[Row]:
        """The first rows."""
        return []


class _Builder:
    """Makes the one session, whatever is asked of it."""

    def enableHiveSupport(self) -> _Builder:  # noqa: N802 - Spark's name
        """Accept, as Spark does."""
        return self

    def config(self, name: str, value: str) -> _Builder:
        """Accept, as Spark does."""
        return self

    def getOrCreate(self) -> SparkSession:  # noqa: N802 - Spark's name
        """The session."""
        return SparkSession()


class SparkSession:
    """A session that knows no table."""

    builder = _Builder()

    def sql(self, statement: str) -> DataFrame:
        """Answer a statement with no rows."""
        return DataFrame()
