"""Write, audit, publish: how the warehouse becomes the file that people read.

Belongs here: building the candidate, its audit record, the atomic swap and the one way to open the
published file. Does not belong here: what is checked (orchestration/quality) or Dagster.

Data flow: warehouse.duckdb -> published.candidate.duckdb -> audit -> published.duckdb + Parquet.
"""
