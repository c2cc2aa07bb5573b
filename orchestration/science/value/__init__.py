"""What buyers are worth and will do: models of orders and money, proven on the shop's own past."""
