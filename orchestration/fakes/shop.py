"""The mail profiles of a pretend shop, so that a fake can begin with the people who are there.

Belongs here: reading them from the files that the pretend shop's own servers answer from
(`ingestion.demo.write_klaviyo`). Does not belong here: what a fake makes of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingestion.duckdb import connect, literal


@dataclass(frozen=True, slots=True)
class ShopProfile:
    """One person as the shop's mail system knows them: attributes and subscriptions of Klaviyo."""

    id: str
    attributes: Mapping[str, Any]
    subscriptions: Mapping[str, Any]
    joined_at: datetime | None  # the shop's list


def has_profiles(folder: Path) -> bool:
    """Whether a pretend shop's `api/` folder has any."""
    return (folder / "klaviyo" / "profiles").is_dir()


def profiles_of(folder: Path) -> list[ShopProfile]:
    """The profiles in a pretend shop's `api/` folder, in the order of their ids."""
    profiles = literal(str(folder / "klaviyo" / "profiles" / "*.parquet"))
    members = literal(str(folder / "klaviyo" / "list_members" / "*.parquet"))
    query = f"""
        select p.id, p.resource, p.subscriptions, m.joined from read_parquet({profiles}) p
        left join (select id, min(joined) as joined from read_parquet({members}) group by id) m
            using (id)
        order by p.id
    """
    with connect() as connection:
        rows = connection.execute(query).fetchall()
    return [
        ShopProfile(
            key,
            json.loads(resource)["attributes"],
            json.loads(subscriptions),
            datetime.fromtimestamp(joined, UTC) if joined else None,
        )
        for key, resource, subscriptions, joined in rows
    ]
