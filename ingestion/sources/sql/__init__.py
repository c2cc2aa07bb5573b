"""SQL databases: tables of a shop's own database as rows of the folders that files fill.

What: any database that SQLAlchemy has a driver for, read through dlt's `sql_database`. A table or a
view feeds one folder of docs/formats.md (`orders`, `contacts`, …) under a mapping of its columns,
and from there its rows take the way of that folder's files: types, quarantine, duplicates, models.
Auth: the URL from the environment variable that `url_env` names; it is written nowhere.
Paging: one SELECT, streamed; only the mapped columns are asked for.
Incremental: with a `cursor`, a date or time column, rows since `lateness_hours` before the newest
one known, from the beginning of that day; rows without a time are read each time. Without a cursor
the whole table is read each run. A mapping that changed reads the whole table again.
Bad day: an unknown table, column or driver, a database that does not answer, a cursor that is no
time: one sentence, and nothing of that folder is loaded. A row that cannot be used goes to
quarantine. A row that is deleted in the database stays here.
Data flow: a database's table -> raw_<folder>.<table>, with `sql:<database>/<table>` as `_file`

Belongs here: databases. Does not belong here: what a folder's columns mean (its own source).
"""
