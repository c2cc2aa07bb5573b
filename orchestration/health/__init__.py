"""The health of an installation and of a home, as findings with what to do.

Belongs here: looking. Does not belong here: mending.
"""
