"""One file per source: what it is, its format and key, how late rows may be, and its bad day.

To add one: `regulars new source NAME`, with `--api` where it asks an API; a module with a `SOURCE`
is found by itself (ingestion/README.md). Does not belong here: reading files, HTTP, loading,
anything shared.
"""
