"""Where rows enter the raw store: declared, typed, judged, counted, quarantined.

Belongs here: what happens to rows of any source. Does not belong here: reading files or APIs.
"""
