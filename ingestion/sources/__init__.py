"""One file per source: what it is, its format and key, how late rows may be, and its bad day.

To add a folder source: `regulars new source NAME`, then declare its columns; a module with a
`SOURCE` is found by itself. Does not belong here: reading files, loading, anything shared.
"""
