"""`regulars score`: the tables it prints, and the same as a file.

Belongs here: layout. Does not belong here: what is measured (orchestration/scorecard). Counts and
shares only; no identifier of anybody.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.table import Table

from ingestion.errors import UsageError
from orchestration.home.layout import Home
from orchestration.scorecard.scorecard import MethodScore, Scorecard, TroubleScore, make_scorecard

LEGEND = (
    "Precision: of the pairs of identifiers given to one customer, those of one person. Recall: of"
    " the pairs that evidence can join, those given to one customer. Merges: pairs of people taken"
    " for one. An identifier that several people share is in no pair; what it does shows as merges."
)


def score(home: Home, as_file: Path | None, since: Path | None, out: Console) -> None:
    """Measure, print the tables and, if asked, write them as JSON.

    Raises:
        UsageError: the JSON cannot be written there; found out before anything is measured.
    """
    started = monotonic()
    if as_file:
        _write(as_file, "", mode="a")
    card = make_scorecard(home, since, out.print)
    if as_file:
        _write(as_file, json.dumps(card.as_dict(), indent=2) + "\n")
    render(card, out)
    out.print(f"Done in {monotonic() - started:.1f} s.")


def _write(path: Path, text: str, mode: str = "w") -> None:
    try:
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Name another file."
        ) from error


def render(card: Scorecard, out: Console) -> None:
    """The overall table, then F1 and merges by kind of trouble."""
    out.print(
        f"{card.identifiers:,} identifiers of {card.people:,} people; published by {card.run_id}"
    )
    out.print(_overall(card))
    out.print(_by_trouble(card, "F1 of pairs, by trouble", _f1))
    out.print(_by_trouble(card, "people merged who share it (pairs)", _merges))
    out.print(LEGEND)


def _overall(card: Scorecard) -> Table:
    with_ids = any(method.kept_ids is not None for method in card.methods)
    table = Table("method", header_style="bold")
    for name in ("precision", "recall", "F1", "B³ precision", "B³ recall", "B³ F1", "merges"):
        table.add_column(name, justify="right")
    table.add_column("best email", justify="right")
    if with_ids:
        table.add_column("kept ids", justify="right")
    for method in card.methods:
        pairs = method.pairs.score
        shares = (
            *(pairs.precision, pairs.recall, pairs.f1),
            *(method.b_cubed.precision, method.b_cubed.recall, method.b_cubed.f1),
        )
        row = [*map(_share, shares), f"{method.merges:,}", _share(method.best_email)]
        table.add_row(method.label, *row, *([_share(method.kept_ids)] if with_ids else []))
    return table


def _by_trouble(card: Scorecard, title: str, cell: Callable[[TroubleScore], str]) -> Table:
    table = Table(title, header_style="bold")
    table.add_column("people", justify="right")
    for method in card.methods:
        table.add_column(method.label, justify="right")
    for number, trouble in enumerate(card.methods[0].troubles):
        cells = [_cell(method, number, cell) for method in card.methods]
        table.add_row(trouble.trouble, f"{trouble.people:,}", *cells)
    return table


def _cell(method: MethodScore, number: int, cell: Callable[[TroubleScore], str]) -> str:
    trouble = method.troubles[number]
    return cell(trouble) if trouble.people else "-"


def _f1(trouble: TroubleScore) -> str:
    return _share(trouble.pairs.score.f1)


def _merges(trouble: TroubleScore) -> str:
    return f"{trouble.merges:,}"


def _share(value: Fraction | None) -> str:
    """Four digits, cut and not rounded, so that 1.0000 means all of them."""
    return "-" if value is None else f"{int(value * 10_000) / 10_000:.4f}"
