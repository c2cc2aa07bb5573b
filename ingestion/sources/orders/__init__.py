"""Orders: the source, and its mapping of a shop's own order lines."""

from ingestion.sources.orders.source import SOURCE

__all__ = ["SOURCE"]
