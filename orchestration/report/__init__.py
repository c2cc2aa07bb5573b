"""The HTML report for the shop's marketer: one self-contained page from the published file.

Belongs here: the figures, words, masks and templates of the page. Does not belong here: the meaning
of any figure (dbt_project has it) or Dagster. The page fetches nothing from anywhere, and nobody on
it can be recognised.
"""
