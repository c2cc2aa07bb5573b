"""When somebody will need a thing again, from the shop's own gaps, proven or not used."""
