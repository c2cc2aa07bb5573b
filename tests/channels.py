"""The rules of the destinations' contract by kind, as docs/channels.md shows them.

`python -m tests.channels` writes the part of the page between its two marks anew.

Belongs here: drawing that table. Does not belong here: the rules and who is tried by which
(`tests/orchestration/destinations/test_contract`, `doubles`).
"""

from __future__ import annotations

from pathlib import Path

from ingestion.config import REPOSITORY
from orchestration.destinations import kinds
from tests.orchestration.destinations.test_contract import RULES, why_not

PAGE = REPOSITORY / "docs" / "channels.md"
BEGIN = "<!-- drawn by `python -m tests.channels`: begin -->"
END = "<!-- drawn by `python -m tests.channels`: end -->"


def drawing() -> str:
    """A row for each rule, a column for each kind, and below it why a rule is none for a kind."""
    names = kinds()
    lines = [
        f"| rule | {' | '.join(f'`{name}`' for name in names)} |",
        f"|---|{'---|' * len(names)}",
    ]
    reasons: dict[str, None] = {}
    for rule in RULES.values():
        cells = []
        for name in names:
            reason = why_not(name, rule.needs)
            if reason:
                reasons.setdefault(reason)
            cells.append(f"– ({list(reasons).index(reason) + 1})" if reason else "yes")
        lines.append(f"| {rule.sentence} | {' | '.join(cells)} |")
    notes = [f"({number}) {reason}" for number, reason in enumerate(reasons, 1)]
    return "\n".join([*lines, "", " · ".join(notes)]).strip()


def page() -> str:
    """docs/channels.md with its drawn part as the suite is now."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{drawing()}\n{END}{after}"


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
