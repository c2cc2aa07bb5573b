"""Files as a shop's systems write them: one module per system, found by being there.

Each module's docstring says where the vendor describes the file; `EXPORTS` in it says which headers
make one and what its columns are in our tables (`export.py`).

Belongs here: one module per system, and what all of them share. Does not belong here: our own
layouts (`sources/`), reading files.
"""
