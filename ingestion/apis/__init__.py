"""What the sources that pull from an API share: one policy for HTTP, paging, connection.

Belongs here: what any API needs. Does not belong here: one vendor's queries (`sources/`).
"""
