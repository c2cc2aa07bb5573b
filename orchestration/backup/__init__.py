"""Backups of the stores that nothing else can bring back, and putting one in the place of a home.

Belongs here: what a backup holds, its file, its key, and what has to be asked again after a
restore. Does not belong here: when one is made, or any table of a store.
"""
