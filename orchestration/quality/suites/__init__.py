"""One module per suite; `suites(settings, tables)` says what is expected of which table.

Belongs here: declarations. Does not belong here: code that runs them. A new module is found by
itself; its queries should hand over counts, never people's values.
"""
