"""From segments to audiences: the gate, the plan, the outbox, the ledger and the sync.

Belongs here: who may be sent what, and making sure that it arrives exactly as decided. Does not
belong here: how one destination is talked to (`orchestration.destinations`), or Dagster.

Data flow: published segments + permission facts -> gate -> plan (difference to what was delivered)
-> outbox -> destination -> ledger.
"""
