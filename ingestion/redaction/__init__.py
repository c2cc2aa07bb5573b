"""Messages of engines and of dbt without what they quote of a row (RELIABILITY SEC5).

Belongs here: taking values out. Does not belong here: deciding who reads the rest.
"""
