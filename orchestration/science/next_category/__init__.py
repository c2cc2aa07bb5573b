"""In which category each buyer buys next: rules, judged on the shop's own past."""
