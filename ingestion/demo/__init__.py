"""The pretend shop: a world whose truth is known, its files, and its two API servers.

Belongs here: making the world, writing what the shop's systems would have written, serving its
APIs. Does not belong here: reading any of it (ingestion/sources) or keeping score.
"""
