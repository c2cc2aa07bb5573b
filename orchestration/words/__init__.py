"""Plain words: codes, figures, masks, and text made fit for a terminal.

Belongs here: how things are written for people. Does not belong here: reading data.
"""
