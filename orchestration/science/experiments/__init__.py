"""What treating people changed, by those who were drawn not to be treated."""
