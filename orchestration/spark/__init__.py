"""The models on Spark: its session, what it reads, our functions there, and dbt in its process.

Belongs here: everything that knows Spark, which is an extra (`spark`, and Java 17).
Does not belong here: the two forms of SQL (dbt_project/macros/engine).
"""
