"""The input folder and its files, as batches of rows for the landing.

Belongs here: bytes, records, which files were read. Does not belong here: what a column means.
"""
