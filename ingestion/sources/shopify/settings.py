"""`[sources.shopify]` and one `[sources.shopify.NAME]` for each further shop.

Belongs here: the keys of a shop's section, what a further shop may leave out, and that no two are
the same shop. Does not belong here: asking a shop anything (graphql.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from ingestion.config import MAIN_SHOP_ID, ApiSettings, ShopName, gathered

EXAMPLE_URL = "https://example.myshopify.com"


class ShopSettings(ApiSettings):
    """One shop: the variables that hold its client credentials, the API's version.

    `shop_id` is what `fct_orders.shop_id` calls it. `bulk_backfill`: whether a table's first pull
    is one bulk operation.
    """

    base_url: str = EXAMPLE_URL
    client_id_env: str = "SHOPIFY_CLIENT_ID"
    client_secret_env: str = "SHOPIFY_CLIENT_SECRET"  # noqa: S105 - the variable's name
    api_version: str = "2026-07"
    bulk_backfill: bool = True
    shop_id: str = ""


class ShopifySettings(ShopSettings):
    """The shop of `[sources.shopify]`, and in `shops` those of `[sources.shopify.NAME]`.

    A further shop's credentials are `SHOPIFY_NAME_CLIENT_ID` and `SHOPIFY_NAME_CLIENT_SECRET`, and
    its `shop_id` is its name, unless its section says otherwise.
    """

    shops: dict[ShopName, ShopSettings] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_shops(cls, section: Any) -> Any:
        """Tables within the section are further shops."""
        section = gathered(section, "shops", cls.model_fields)
        if not isinstance(section, dict) or not isinstance(section.get("shops"), dict):
            return section
        shops = {
            name: _named(name, shop) if isinstance(shop, dict) else shop
            for name, shop in section["shops"].items()
        }
        return {**section, "shops": shops}

    @field_validator("shops")
    @classmethod
    def _check_shops(
        cls, shops: dict[str, ShopSettings], info: ValidationInfo
    ) -> dict[str, ShopSettings]:
        """Each has an address and an id of its own: rows of one shop must not come twice."""
        on = {name: shop for name, shop in shops.items() if shop.enabled}
        for name, shop in on.items():
            if shop.base_url == EXAMPLE_URL:
                raise ValueError(f"the shop {name} needs its base_url")
        main = info.data
        addresses = Counter(shop.base_url.rstrip("/").lower() for shop in on.values())
        if main.get("enabled"):
            addresses[str(main.get("base_url", "")).rstrip("/").lower()] += 1
        if any(count > 1 for count in addresses.values()):
            raise ValueError("two shops have one base_url")
        ids = Counter(shop.shop_id for shop in shops.values())
        ids[main.get("shop_id") or MAIN_SHOP_ID] += 1
        if any(count > 1 for count in ids.values()):
            raise ValueError("two shops have one shop_id")
        return shops

    def accounts(self) -> dict[str, ApiSettings]:
        """The shops that are pulled, by name; that of `[sources.shopify]` has none."""
        return {name: shop for name, shop in self.by_name().items() if shop.enabled}

    def by_name(self) -> dict[str, ShopSettings]:
        """Every shop of the section, by name."""
        return {"": self, **self.shops}

    def only_with(self, accounts: Mapping[str, str]) -> ShopifySettings:
        """The shop of `[sources.shopify]`, and these further ones at their addresses."""
        shops = {
            name: ShopSettings(**_named(name, {"enabled": True, "base_url": address}))
            for name, address in accounts.items()
        }
        return self.model_copy(update={"shops": shops})


def _named(name: str, table: dict[str, Any]) -> dict[str, Any]:
    """What a further shop's section says, and what its name says where that is silent."""
    variables = f"SHOPIFY_{name.upper()}_CLIENT"
    defaults = {
        "client_id_env": f"{variables}_ID",
        "client_secret_env": f"{variables}_SECRET",
        "shop_id": name,
    }
    return {**defaults, **table}
