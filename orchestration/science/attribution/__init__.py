"""What each marketing channel changes about whether people buy, by their paths."""
