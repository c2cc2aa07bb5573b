"""The page on which a person looks at plans and approves one of them.

Belongs here: HTTP and the page. Does not belong here: plans, approvals and syncs
(orchestration/activation), who is let in (orchestration/serve/guard).
"""
