"""What SQL cannot say, as pure functions, and their registration in DuckDB.

Belongs here: maths and text of any engine. Does not belong here: tables.
"""
