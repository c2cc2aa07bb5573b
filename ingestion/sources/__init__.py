"""One file per source: what it is, its format and key, how late rows may be, and its bad day.

To add a folder source: copy the smallest file here, declare its columns, list it in
`ingestion/pipelines.py`. Does not belong here: reading files, loading, anything shared.
"""
