"""Webhooks: what senders post, judged, kept, and its refusals in force before the answer.

Belongs here: from a request to a kept body, one file per kind of sender in `senders/`, and the link
by which a person unsubscribes with one click. Does not belong here: what a refusal is
(`orchestration.ops.permission`), or reading what was kept (`ingestion`).
"""
