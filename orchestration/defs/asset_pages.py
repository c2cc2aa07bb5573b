"""Which page of `regulars dev` shows what a model says.

Belongs here: the addresses by folder. Does not belong here: the pages (orchestration/serve/pages).
"""

from collections.abc import Mapping
from typing import Any

# The page of `regulars dev`, at the same address, that shows what the models of a folder say.
PAGES = {
    "staging": "/health",
    "identity": "/health",
    "identity_review": "/health",
    "quality": "/health",
    "customers": "/customers",
    "personas": "/customers",
    "value": "/customers",
    "journey": "/customers",
    "retention": "/customers",
    "attribution": "/works",
    "experiments": "/works",
    "email": "/works",
    "spend": "/works",
    "recommendations": "/products",
    "activity": "/",
}
SEGMENT_MODEL = "seg_"


def page_of(dbt_resource_props: Mapping[str, Any]) -> str | None:
    """The address of the page that shows a model; None where none does."""
    if dbt_resource_props["resource_type"] != "model":
        return None
    name, folders = dbt_resource_props["name"], dbt_resource_props["fqn"][1:-1]
    if name.startswith(SEGMENT_MODEL):
        return f"/segments/{name.removeprefix(SEGMENT_MODEL)}"
    return next((PAGES[folder] for folder in folders if folder in PAGES), None)
