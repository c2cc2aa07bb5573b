"""Shopify: the source, and how it talks to the GraphQL Admin API."""

from ingestion.sources.shopify.source import SOURCE

__all__ = ["SOURCE"]
