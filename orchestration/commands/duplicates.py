"""`regulars duplicates`: the strongest proposals, and where all of them stand.

Belongs here: layout. Does not belong here: how they are found (orchestration/science).
"""

from __future__ import annotations

from time import monotonic

from rich.console import Console
from rich.table import Table

from orchestration.home.layout import Home
from orchestration.science.duplicates import propose_duplicates


def duplicates(home: Home, min_weight: float, out: Console) -> None:
    """Propose, print ids and weights, and name the file."""
    started = monotonic()
    proposals = propose_duplicates(home, min_weight)
    out.print(
        f"{proposals.people:,} people with a full name;"
        f" {proposals.pairs:,} pairs may be one person."
    )
    if proposals.strongest:
        table = Table("one", "other", header_style="bold")
        table.add_column("match weight", justify="right")
        table.add_column("probability", justify="right")
        for one, other, weight, probability in proposals.strongest:
            table.add_row(one, other, f"{weight:.1f}", f"{probability:.4f}")
        out.print(table)
    out.print(f"All of them: {proposals.file}")
    out.print("Nothing was merged. `must_link` in identity_rules.csv joins two for good.")
    out.print(f"Done in {monotonic() - started:.1f} s.")
