"""Intent and the next stage, learnt at days of the shop's past and judged on what came after.

At each origin the model is fitted to earlier days whose outcome was known then, and its chances
stand beside naive rules: everybody's share, and the shares of those as long silent, with a cart or
without, as long without an order, or in the same stage.

Belongs here: targets, rules, origins, the verdict. Does not belong here: the model (logistic), or
where rows come from (files).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from orchestration.science.intent.logistic import Logistic, fit
from orchestration.science.intent.rows import NEVER, Rows
from orchestration.science.measures import (
    DRAWS,
    SEED,
    beside,
    by_fifth,
    coverage_of_counts,
    moved_together,
    random_groups,
    share_by_fifth,
)
from orchestration.science.purchases import Flags, Floats, Ints
from orchestration.science.verdicts import (
    HISTORY_TOO_SHORT,
    NOT_CONVERGED,
    TOO_FEW_SIGNALS,
    Decision,
    Judgement,
    Verdict,
    decide,
    drift,
)

INTENT, NEXT_STAGE = "intent", "next_stage"
LOGISTIC = "logistic"
WEEK = 7
LEARNT_DAYS = 10 * WEEK
# A chance is not learnt or judged from fewer
LEAST_PEOPLE = 30
LEAST_HAPPENED = 10
MOST_ROWS = 50_000


@dataclass(frozen=True)
class Target:
    """What may happen within `horizon` days, and at how many days of the past it is judged."""

    name: str
    horizon: int
    origins: int
    columns: Callable[[Rows], Floats]
    happened: Callable[[Rows], Floats]
    rules: Callable[[Rows, Floats, Rows], dict[str, Floats]]
    concerns: Callable[[Rows], Flags]


def _order_rules(learnt: Rows, happened: Floats, rows: Rows) -> dict[str, Floats]:
    """The naive rules of an order, as shares of what was learnt from."""
    never = (np.nan_to_num(each.since_order, nan=NEVER) for each in (learnt, rows))
    return {
        "mean": np.full(len(rows), happened.mean()),
        "by_last_seen": share_by_fifth(learnt.silent, happened, rows.silent),
        "any_cart": _share_of_same(learnt.has_cart, happened, rows.has_cart),
        "by_last_order": share_by_fifth(next(never), happened, next(never)),
    }


def _stage_rules(learnt: Rows, happened: Floats, rows: Rows) -> dict[str, Floats]:
    """The naive rules of a later stage."""
    return {
        "mean": np.full(len(rows), happened.mean()),
        "by_last_seen": share_by_fifth(learnt.silent, happened, rows.silent),
        "by_stage": _share_of_same(learnt.stage, happened, rows.stage),
    }


def _share_of_same(learnt: Flags | np.ndarray, happened: Floats, of: np.ndarray) -> Floats:
    """The share among those of the same kind; of a kind that is new, everybody's."""
    shares = np.full(len(of), happened.mean())
    for kind in np.unique(of):
        if (same := learnt == kind).any():
            shares[of == kind] = happened[same].mean()
    return shares


def targets(last_stage: int) -> tuple[Target, ...]:
    """An order within a week, and a later stage within four, of whoever is not in the last."""
    return (
        Target(
            INTENT,
            WEEK,
            8,
            lambda rows: rows.columns,
            lambda rows: (rows.until_order <= WEEK).astype(np.float64),
            _order_rules,
            lambda rows: np.ones(len(rows), dtype=np.bool_),
        ),
        Target(
            NEXT_STAGE,
            4 * WEEK,
            3,
            lambda rows: rows.stage_columns,
            lambda rows: (rows.until_stage <= 4 * WEEK).astype(np.float64),
            _stage_rules,
            lambda rows: (rows.stage >= 0) & (rows.stage < last_stage),
        ),
    )


@dataclass(frozen=True)
class Learnt:
    """A target's verdict; the chance of each row, NaN where it is withheld or does not concern it;
    and of the past who was given which chance, and what happened."""

    decision: Decision
    judgements: tuple[Judgement, ...]
    chance: Floats
    past_chance: Floats
    past_happened: Floats


def learn(rows: Rows, target: Target, as_of: int) -> Learnt:
    """Judge a target on the past and give each row its chance, if that is proven.

    Args:
        rows: people on days up to `as_of`, with what came after until then.
        target: what may happen.
        as_of: today.
    """
    own = rows.where(target.concerns(rows) & ((as_of - rows.day) % WEEK == 0))
    judgements: list[Judgement] = []
    past: list[tuple[Floats, Floats]] = []
    for number in range(target.origins, 0, -1):
        origin = as_of - number * target.horizon
        if judged := _judge(own, target, origin, judgements):
            judgement, chance, happened = judged
            judgements.append(judgement)
            past.append((chance, happened))
    decision = decide(judgements, target.name)
    if decision.reason == HISTORY_TOO_SHORT and len(np.unique(own.person)) < LEAST_PEOPLE:
        decision = replace(decision, reason=TOO_FEW_SIGNALS)
    chances = np.full(len(rows), np.nan)
    if decision.reason is None:
        model = _fitted(_known_by(own, target, as_of), target)
        if isinstance(model, str):
            decision = replace(decision, reason=model)
        else:
            concerned = target.concerns(rows)
            chances[concerned] = model.chance(target.columns(rows.where(concerned)))
    pooled = [np.concatenate([np.zeros(0), *column]) for column in zip(*past, strict=True)]
    return Learnt(decision, tuple(judgements), chances, *(pooled or [np.zeros(0), np.zeros(0)]))


def _known_by(rows: Rows, target: Target, day: int) -> Rows:
    """The rows of the weeks before a day whose outcome was known on it."""
    last = day - target.horizon
    known = rows.where((rows.day <= last) & (rows.day > last - LEARNT_DAYS))
    step = -(-len(known) // MOST_ROWS)
    return known.where(np.arange(len(known)) % max(step, 1) == 0)


def _fitted(known: Rows, target: Target) -> Logistic | str:
    """The model of these rows, or why there is none."""
    happened = target.happened(known)
    if min(happened.sum(), (1 - happened).sum()) < LEAST_HAPPENED:
        return TOO_FEW_SIGNALS
    return fit(target.columns(known), happened) or NOT_CONVERGED


def _judge(
    rows: Rows, target: Target, origin: int, earlier: list[Judgement]
) -> tuple[Judgement, Floats, Floats] | None:
    """The model at one origin, its chances and what happened; None where nothing was known yet."""
    known, then = _known_by(rows, target, origin), rows.where(rows.day == origin)
    if not len(known):
        return None
    blank = Judgement(LOGISTIC, target.name, origin, target.horizon, len(then))
    nothing = np.zeros(0)
    if len(then) < LEAST_PEOPLE:
        return replace(blank, reason=TOO_FEW_SIGNALS), nothing, nothing
    model = _fitted(known, target)
    if isinstance(model, str):
        return replace(blank, reason=model), nothing, nothing
    chance, happened = model.chance(target.columns(then)), target.happened(then)
    rules = target.rules(known, target.happened(known), then)
    losses = {name: (rule - happened) ** 2 for name, rule in rules.items()}
    judged = beside(blank, (chance - happened) ** 2, losses, chance, happened)
    seen = origin - int(rows.day.min())
    moved = drift(earlier, origin, target.horizon, seen)
    judged = replace(
        judged,
        error=float(np.sqrt(judged.error or 0.0)),
        baseline_error=float(np.sqrt(judged.baseline_error or 0.0)),
        coverage=_coverage(chance, happened, moved),
    )
    return judged, chance, happened


def _coverage(chance: Floats, happened: Floats, moved: float) -> float | None:
    """How often the number of random groups in whom it happens lay within its 90 % interval."""
    rng = np.random.default_rng(SEED)
    groups = random_groups(len(chance), rng)
    members = chance[np.concatenate([np.arange(0), *groups]).astype(np.intp)]
    drawn = rng.random((DRAWS, len(members))) < members * moved_together(moved, rng)
    return coverage_of_counts(drawn, happened, groups)


@dataclass(frozen=True)
class Alike:
    """Of people of the past who had a chance of the same fifth: the share in whom it happened, and
    how many they are; one per chance."""

    share: Floats
    people: Floats


def alike(learnt: Learnt) -> Alike:
    """The calibration of each chance; NaN where there is none."""
    share = np.full(len(learnt.chance), np.nan)
    people = share.copy()
    has_chance = ~np.isnan(learnt.chance)
    if has_chance.any():
        past, happened, own = learnt.past_chance, learnt.past_happened, learnt.chance[has_chance]
        share[has_chance], people[has_chance] = by_fifth(past, happened, own)
        share[people == 0] = np.nan  # nobody of the past had such a chance
    return Alike(share, people)


def usual_next_stages(rows: Rows, horizon: int) -> Ints:
    """For each row the stage that people of its stage most often reach next; -1 where nobody did.

    Of several as often, the first.
    """
    moved = rows.where((rows.until_stage <= horizon) & (rows.stage >= 0))
    usual = np.full(len(rows), -1)
    for stage in np.unique(moved.stage):
        reached = np.bincount(moved.later_stage[moved.stage == stage])
        usual[rows.stage == stage] = reached.argmax()
    return usual


def verdict_of(learnt: dict[str, Learnt]) -> Verdict:
    """The verdicts on all targets as one."""
    judgements = [judgement for each in learnt.values() for judgement in each.judgements]
    return Verdict({name: each.decision for name, each in learnt.items()}, tuple(judgements))
