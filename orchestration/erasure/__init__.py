"""Erasing somebody who asked to be forgotten, from every store and file of a home.

Belongs here: the order of the steps, what goes from which store, the receipt. Does not belong here:
finding a person (`who`), tombstones (`ops.tombstones`), telling destinations (`activation`).
"""
