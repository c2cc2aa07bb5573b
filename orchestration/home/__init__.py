"""A home on disk: where everything lies, whose data it holds, its lock, its processes.

Belongs here: files, locks and processes. Does not belong here: what the stores hold.
"""
