"""Nothing unchecked leaves: what a candidate must satisfy before it may be published.

Belongs here: expectation suites, the public contract, the size breaker and the reading of dbt's
test results. Does not belong here: the swap itself (orchestration/published) or Dagster.
"""
