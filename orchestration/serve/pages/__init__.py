"""The pages on which a marketer looks at the shop and decides: `regulars serve`.

Belongs here: HTTP, the pages, their queries (`sql/`) and their templates. Does not belong here: who
is let in (orchestration/serve/guard), what a figure means (dbt_project), what a change does
(orchestration/activation).

To add a page: one module with a `PAGE` (`page.py` has the shape, `health.py` is the shortest), its
queries in `sql/`, its template in `templates/`, its name in `PAGES` of `site.py`; docs/pages.md.
"""
