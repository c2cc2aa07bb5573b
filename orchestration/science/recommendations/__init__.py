"""What each buyer may like next, by the method that this shop's past chose."""
