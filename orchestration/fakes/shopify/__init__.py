"""Shopify's fake: the customers of one shop behind the GraphQL Admin API.

Rules: `rules`, shown in docs/fakes.md. Not here: orders, products, segments, customer merges,
metafield definitions, bulk operations, webhooks.
"""

from __future__ import annotations

from orchestration.fakes.server import Clock
from orchestration.fakes.shopify.app import Shopify


def create(seed: int, clock: Clock) -> Shopify:
    """A shop without customers."""
    return Shopify(seed, clock)
