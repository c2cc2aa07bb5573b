"""What works: which channels, campaigns and messages bring what, in the short and the long run.

Belongs here: the page. Does not belong here: crediting orders (orchestration/science/attribution)
and judging experiments (orchestration/science/experiments).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestration.serve.pages.page import Asked, Page, View
from orchestration.serve.pages.queries import Row
from orchestration.words.codes import why_not

# In the order of the table; the first is the one that the figures beside it are of
MODELS = ("last_touch", "first_touch", "linear", "position_based", "time_decay", "markov")


def read(asked: Asked) -> Mapping[str, object]:
    """Everything of the page; `model` of the address picks whose credits stand beside cost."""
    until = asked.build.last_day
    model = asked.parameters.get("model", "")
    model = model if model in MODELS else MODELS[0]
    credit_rows = asked.rows("works_attribution", until=until)
    return {
        "model": model,
        "models": MODELS,
        "channels": [row for row in credit_rows if row["model"] == model],
        "by_model": by_model(credit_rows),
        "claims": asked.rows("works_claims", until=until, model=model),
        "programmes": asked.rows("works_programmes", until=until, model=model),
        "paths": asked.rows("works_paths"),
        "experiments": judged(asked.rows("works_experiments")),
        "launches": asked.rows("works_launches"),
        "messages": asked.rows("works_messages", until=until),
        "sources": asked.rows("works_sources", until=until),
        "pressure": asked.rows("works_pressure"),
        "acquisition": asked.rows("works_acquisition", until=until),
        "retention": asked.row("works_retention"),
    }


def by_model(rows: Sequence[Row]) -> dict[str, dict[str, object]]:
    """Net sales of the year by channel and model; 0 is a channel that the model gives nothing."""
    channels: dict[str, dict[str, object]] = {}
    for row in rows:
        credit = channels.setdefault(row["marketing_channel"], dict.fromkeys(MODELS, 0))
        credit[row["model"]] = row["net_sales_365d"]
    return channels


def judged(rows: Sequence[Row]) -> list[Row]:
    """Rows of experiments, each with what may be said of it as `verdict`."""
    return [{**row, "verdict": verdict(row)} for row in rows]


def verdict(row: Row) -> str:
    """What may be said of one metric of an experiment, in a sentence."""
    if row["is_unequal"]:
        return "The groups are no draw of the planned share: trust nothing of it."
    if row["null_reason"]:
        return why_not(row["null_reason"])
    if row["is_conclusive"]:
        return f"Conclusive: {'more' if row['lift'] > 0 else 'fewer or less'} than without."
    if weeks := row["weeks_to_detect"]:
        return f"Not conclusive; a tenth more would show after {max(round(weeks), 1):,} weeks."
    return "Not conclusive."


PAGE = Page("What works", "/works", (View("/works", "works.html.j2", read),))
