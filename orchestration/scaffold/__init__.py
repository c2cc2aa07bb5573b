"""`regulars new`: makes the files that add one thing.

Belongs here: templates and where they go. Does not belong here: what the files come to do.
"""
