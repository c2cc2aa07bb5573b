"""What is worked out of what a person will do, and what to show them next, each with its proof.

Belongs here: the rows of it and their sentences, for the shop's own people. Does not belong here:
reading the rows (explain), laying them out (view), working anything out (the models did), words
for the customer (`orchestration.who.statement`).

Everything here is inferred, and no sentence says it as something that the person stated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestration.words import codes
from orchestration.words.amounts import counted, exact

Row = dict[str, Any]

FULL = "full"
# Which target of `rpt_prediction_backtests` each sentence rests on.
_SPEND, _MARGIN, _ALIVE, _CATEGORY = "spend", "margin", "alive", "next_category"
_INTENT, _STAGE = "intent", "next_stage"


@dataclass(frozen=True)
class Predicted:
    """Rows about one person as of the run: `predictions` of the date, `backtests` of the shop's
    past, the best recommendation of each kind, what is due again, the person's level, and the
    `intent` of the date."""

    predictions: Row = field(default_factory=dict)
    backtests: list[Row] = field(default_factory=list)
    recommendations: list[Row] = field(default_factory=list)
    replenishments: list[Row] = field(default_factory=list)
    level: str | None = None
    intent: Row = field(default_factory=dict)


def value(predicted: Predicted, clv: Row, currency: str) -> Iterator[str]:
    """What they may spend, whether they stay away, what they buy next: with the proof, or why it is
    not said."""
    if clv:
        yield from _spend(clv, currency, predicted.backtests)
    row = predicted.predictions
    if not row:
        return
    if row.get("churn_risk") is not None:
        between = f", nine times in ten between {_part(row['low'])} and {_part(row['high'])}"
        yield (
            f"Chance of no order in a year: {_part(row['churn_risk'])}{between}."
            f"{proof(predicted.backtests, _ALIVE)}"
        )
    else:
        yield f"Chance of no order in a year: not said. {codes.why_not(row.get('null_reason'))}"
    if row.get("next_category") is not None:
        yield (
            f"Next category, worked out: {row['next_category']}."
            f"{proof(predicted.backtests, _CATEGORY)}"
        )
    else:
        yield f"Next category: not said. {codes.why_not(row.get('next_category_null_reason'))}"


def intent(predicted: Predicted) -> Iterator[str]:
    """Whether they may order within a week and move on: the evidence first, then the chances with
    their calibration and proof, or why they are not said."""
    row = predicted.intent
    if not row:
        yield "No signals in the last 30 days that no order answered."
        return
    yield f"Strongest signal: {row['reason']}"
    if row.get("intent") is not None:
        alike = ""
        if row.get("alike_share") is not None:
            alike = (
                f"; of {counted(int(row['alike_people']), 'people')} of the past with such a chance"
                f" {_part(row['alike_share'])} did"
            )
        yield (
            f"Chance of an order within a week, worked out: {_part(row['intent'])}{alike}."
            f"{proof(predicted.backtests, _INTENT)}"
        )
    else:
        yield f"Chance of an order within a week: not said. {codes.why_not(row.get('null_reason'))}"
    if row.get("next_stage_28d") is not None:
        stage = codes.label(str(row["next_stage"] or "a later one"))
        yield (
            f"Chance of the next stage ({stage}) within four weeks, worked out:"
            f" {_part(row['next_stage_28d'])}.{proof(predicted.backtests, _STAGE)}"
        )
    else:
        yield f"Next stage: not said. {codes.why_not(row.get('next_stage_null_reason'))}"


def _spend(clv: Row, currency: str, backtests: Sequence[Row]) -> Iterator[str]:
    if clv.get("predicted_clv_365d") is not None:
        low, high = (exact(clv.get(f"predicted_clv_{end}"), currency) for end in ("low", "high"))
        yield (
            f"Expected in a year: {exact(clv['predicted_clv_365d'], currency)}, nine times in ten"
            f" between {low} and {high}.{proof(backtests, _SPEND)}"
        )
        yield _margin(clv, currency, backtests)
    elif clv.get("null_reason"):
        yield f"Expected in a year: not said. {codes.why_not(clv['null_reason'])}"


def _margin(clv: Row, currency: str, backtests: Sequence[Row]) -> str:
    what = "Of that, after what the goods cost the shop"
    if clv.get("margin_365d") is None:
        return f"{what}: not said. {codes.why_not(clv.get('margin_null_reason'))}"
    return f"{what}: {exact(clv['margin_365d'], currency)}.{proof(backtests, _MARGIN)}"


def proof(backtests: Sequence[Row], target: str) -> str:
    """How the published model did on the shop's past, as a sentence with a space before it."""
    judged = [
        row
        for row in backtests
        if row["target"] == target and row["is_published"] and row.get("error") is not None
    ]
    if not judged:
        return ""
    best = [row for row in judged if row["error"] < row["baseline_error"]]
    return (
        f" Proven on the shop's past: on {len(best)} of {counted(len(judged), 'days')} tried,"
        f" {codes.MODELS.get(judged[0]['model'], judged[0]['model'])} was nearer than every naive"
        " rule."
    )


def _part(share: float) -> str:
    return f"{share:.0%}".replace("%", " %")


def next_steps(predicted: Predicted, as_of: datetime | None) -> Iterator[tuple[str, str, str, str]]:
    """What to show, as kind, product, reason and proof; what is due again but did not please is
    told with what stands in its place."""
    for row in predicted.recommendations:
        kind = codes.RECOMMENDATIONS.get(row["kind"], codes.label(row["kind"]))
        yield kind, _product(row, "product"), row["reason"], row["proof"]
    for row in predicted.replenishments:
        if as_of and row["remind_at"] <= as_of and row.get("is_displeased"):
            with_what = _product(row, "other_product") if row.get("other_product_id") else "nothing"
            because = codes.DISPLEASED.get(str(row["displeased_by"]), str(row["displeased_by"]))
            yield (
                "Needed again, did not please",
                with_what,
                f"In place of {_product(row, 'product')}, due {row['due_at']:%Y-%m-%d}: {because}.",
                codes.INTERVALS.get(str(row["basis"]), str(row["basis"])),
            )


def may_use(level: str | None) -> str:
    """Whether what is worked out may be used for this person."""
    if level == FULL:
        return "All of it is worked out, none was stated. Their level permits to use it for them."
    known = f"Their level is {level}" if level else "They have no level"
    return (
        "All of it is worked out, none was stated. "
        f"{known}, so nothing of it may be used in what they are sent or shown."
    )


def _product(row: Row, what: str) -> str:
    return str(row.get(f"{what}_name") or row[f"{what}_id"])
