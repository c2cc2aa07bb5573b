"""What identity rules would change, before they do.

Belongs here: a resolution on a copy of the home. Does not belong here: changing anything.
"""
