"""What a shop expects of a person: worked out, never said by them, with what each is used for.

Belongs here: that section. Does not belong here: what the person said or did (`known`), words for
the shop's own people (`orchestration.who.predicted`).

Figures of the shop about a person are told at every level. What could be shown to them is listed at
the level that permits to use it; below, the section says that there is such a thing and where its
copy is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestration.who.statement.parts import Asked, Own, Row, Section, Tables
from orchestration.words import amounts
from orchestration.words import to_customers as words

FULL = "full"
MAX_EXPECTED = 12
_COLUMNS = ("What", "Value", "How we know", "From", "What for", "As of")
_INFERRED = words.KINDS["inferred"]

Line = tuple[str, ...]


def expected(tables: Tables, asked: Asked, own: Own) -> Section:
    """Amounts and chances, then what the person may buy or need next where their level permits."""
    until = amounts.day(asked.as_of, asked.settings.shop.zone)
    rows = [(*line, words.OWN_FIGURES, until) for line in _figures(tables)]
    next_ones = [(*line, words.TO_SHOW, until) for line in _next(tables, asked, own)]
    levels = {str(row["level"]) for row in tables.get("marts.customer_personalisation", ())}
    is_permitted = levels == {FULL}
    sentences = []
    if is_permitted:
        rows += next_ones[:MAX_EXPECTED]
    elif next_ones:
        sentences.append(words.NOT_LISTED)
    if not rows and not sentences:
        sentences.append("Nothing.")
    return Section("What we expect, worked out", sentences, _COLUMNS if rows else (), rows)


def _figures(tables: Tables) -> Iterator[Line]:
    for row in _latest(tables.get("marts.fct_customer_clv", ())):
        if row.get("predicted_clv_365d") is not None:
            currency = row.get("currency") or ""
            low, high = row.get("predicted_clv_low"), row.get("predicted_clv_high")
            value = f"about {amounts.exact(row['predicted_clv_365d'], currency)}"
            if low is not None and high is not None:
                between = f"{amounts.exact(low, currency)} and {amounts.exact(high, currency)}"
                value += f", most likely between {between}"
            yield "What you may buy in a year", value, _INFERRED, "your orders"
    for row in _latest(tables.get("marts.fct_customer_predictions", ())):
        if row.get("churn_risk") is not None:
            chance = f"{row['churn_risk'] * 100:.0f} in 100"
            yield "Chance that you order nothing in a year", chance, _INFERRED, "your orders"
    for row in tables.get("marts.fct_customer_intent", ()):
        if row.get("is_current") and row.get("intent") is not None:
            chance = f"{row['intent'] * 100:.0f} in 100"
            yield "Chance that you order within a week", chance, _INFERRED, words.SIGNALS


def _next(tables: Tables, asked: Asked, own: Own) -> Iterator[Line]:
    """What they may buy next, what may suit them, and when they may need something again."""
    for row in _latest(tables.get("marts.fct_customer_predictions", ())):
        if row.get("next_category"):
            category = own(row["next_category"])
            yield "Kind of goods you may buy next", category, _INFERRED, "your orders"
    needed = sorted(
        tables.get("marts.fct_replenishments", ()),
        key=lambda row: (row["due_at"], row["product_id"]),
    )
    for row in needed:
        day = amounts.day(row["due_at"], asked.settings.shop.zone)
        value = f"{_product(row, asked, own)}, about {day}"
        yield "What you may need again", value, _INFERRED, "your orders"
    shown = sorted(
        (row for row in tables.get("marts.fct_recommendations", ()) if row["kind"] != "replenish"),
        key=lambda row: (row["rank"], row["kind"]),
    )
    names = list(dict.fromkeys(_product(row, asked, own) for row in shown))[:MAX_EXPECTED]
    if names:
        yield "What may suit you", ", ".join(names), _INFERRED, "what you looked at and bought"


def _product(row: Row, asked: Asked, own: Own) -> str:
    return own(asked.products.get(str(row["product_id"]), "a product without a name"))


def _latest(rows: Sequence[Row]) -> Sequence[Row]:
    return sorted(rows, key=lambda row: row["as_of_date"])[-1:]
