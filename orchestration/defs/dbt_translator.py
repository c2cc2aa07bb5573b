"""What Dagster calls dbt's models, seeds and sources, and where it shows them.

Belongs here: asset keys, groups and tags. Does not belong here: running dbt (transformation).
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator

from orchestration.defs.asset_pages import page_of
from orchestration.defs.keys import PAGE

# In the order of the data; `sources` comes before and `activation` after all models.
GROUPS = {
    "staging": "staging",
    "conformed": "events_and_orders",
    "sessions": "events_and_orders",
    "orders": "events_and_orders",
    "web": "events_and_orders",
    "email": "events_and_orders",
    "interactions": "events_and_orders",
    "experiments": "events_and_orders",
    "identity": "identity",
    "conditions": "segments",
    "identity_review": "identity",
    "quality": "publish",
    "ops": "publish",
    "households": "customers",
    "interests": "customers",
    "personas": "customers",
    "profiles": "customers",
    "customers": "customers",
    "intent": "value_and_journey",
    "value": "value_and_journey",
    "journey": "value_and_journey",
    "recommendations": "value_and_journey",
    "attribution": "value_and_journey",
    "retention": "value_and_journey",
    "spend": "value_and_journey",
    "permission": "permission",
    "segments": "segments",
    "activity": "segments",
}


IDENTITY = "identity"
# Fifty models in one group: the tag says which step of docs/identity.md a model belongs to.
IDENTITY_STEP = "identity_step"


class Translator(DagsterDbtTranslator):
    """Models are named by their name, sources `<source>/<table>`, groups are folders."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """`web/events` for a raw table, `dim_customers` for a model."""
        if dbt_resource_props["resource_type"] == "source":
            source = dbt_resource_props["source_name"].removeprefix("raw_")
            return dg.AssetKey([source, dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The part of the data's way that the model's folder belongs to."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        folders = dbt_resource_props["fqn"][1:-1]
        return next((GROUPS[folder] for folder in folders if folder in GROUPS), None)

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """dbt's own; for a model also the page that shows it."""
        metadata = dict(super().get_metadata(dbt_resource_props))
        page = page_of(dbt_resource_props)
        return metadata | {PAGE: dg.MetadataValue.url(page)} if page else metadata

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """dbt's tags; for a model of identity also its folder: `tag:identity_step=cores`."""
        tags = dict(super().get_tags(dbt_resource_props))
        folders = dbt_resource_props["fqn"][1:-1]
        if dbt_resource_props["resource_type"] == "model" and IDENTITY in folders[:-1]:
            tags[IDENTITY_STEP] = folders[folders.index(IDENTITY) + 1]
        return tags
