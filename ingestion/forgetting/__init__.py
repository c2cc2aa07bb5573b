"""Taking one person out of the raw store, at once or whenever rows of theirs arrive again.

Belongs here: whose a raw row is, and what of it stays. Does not belong here: who is forgotten; a
function says it of identifiers.
"""
