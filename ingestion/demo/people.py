"""The people of the pretend shop: who they are, how they live with the shop, what they are worth.

Belongs here: latent facts about each person and household. Does not belong here: the names under
which systems know them (identifiers) or anything they do (purchases, mailing, browsing).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingestion.demo import catalogue
from ingestion.demo.calendar import DAY, Calendar, Floats, Ints
from ingestion.demo.troubles import Troubles

Bools = NDArray[np.bool_]
Texts = NDArray[np.object_]

ANONYMOUS, SUBSCRIBER, BUYER = 0, 1, 2
KINDS = ("anonymous", "subscriber", "buyer")
_KIND_SHARE = np.array([0.24, 0.18, 0.58])
_KNOWN_BEFORE = 0.35
# Some leave soon and others stay for years: below one, whoever has stayed is likelier to stay on.
_STAY_DAYS, _STAY_SHAPE = 350.0, 0.8
_NEXT_YEAR = 365
_MEAN_RATE = 0.9 * 0.55 / 30
_ONE_OF_EACH = 43.6  # pounds: an order's products at one piece each, discounts taken off
# Frequent buyers spend less at a time and stay longer.
_SPEND_BY_RATE, _STAY_BY_RATE = -0.25, 0.2
# How regular each buyer is: the shape of the gaps between orders (1: no rhythm at all).
GAP_SHAPES = (0.5, 1.0, 3.0, 8.0)
_GAP_SHARE = np.array([0.3, 0.2, 0.3, 0.2])


@dataclass(frozen=True)
class People:
    """One column per fact, one row per person; `first_id` numbers them across blocks.

    `leaves` is when somebody loses interest, whenever that is; `left` is the same, or the end of
    the time that is drawn. `latent_value` is what the year after the world's end is worth.
    """

    first_id: int
    kind: Ints
    household: Ints
    joined: Ints
    left: Ints
    leaves: Ints
    order_rate: Floats
    gap_shape: Floats
    visit_rate: Floats
    spend: Floats
    online_share: Floats
    engagement: Floats
    interest: Ints
    country: Ints
    first_name: Texts
    last_name: Texts
    gender: Texts
    birthday: Ints
    postcode: Texts
    street: Texts
    job: Texts
    latent_value: Floats

    def __len__(self) -> int:
        """How many people."""
        return len(self.kind)

    @property
    def known(self) -> Bools:
        """People who gave at least one address to somebody."""
        return np.asarray(self.kind != ANONYMOUS)

    @property
    def buyer(self) -> Bools:
        """People who buy."""
        return np.asarray(self.kind == BUYER)


def make_people(
    rng: np.random.Generator, first_id: int, n: int, calendar: Calendar, troubles: Troubles
) -> People:
    """Draw `n` people and their households."""
    household = _households(rng, n, troubles.family)
    size = np.bincount(household, minlength=n)[household]
    kind = rng.choice(3, n, p=_KIND_SHARE)
    kind = np.where((size > 1) & (kind == ANONYMOUS), SUBSCRIBER, kind).astype(np.int64)
    rate = rng.gamma(0.9, 0.55 / 30, n) + 0.03 / 30
    order_rate = np.where(kind == BUYER, rate, 0.0)
    joined, leaves = _presence(rng, kind, rate, calendar)
    spend = np.exp(rng.normal(-0.12, 0.30, n)) * (rate / _MEAN_RATE) ** _SPEND_BY_RATE
    here_next_year = np.clip(leaves - calendar.end, 0, _NEXT_YEAR * DAY) / DAY
    gender = rng.choice(3, n, p=[0.56, 0.40, 0.04])
    return People(
        first_id=first_id,
        kind=kind,
        household=household,
        joined=joined,
        left=np.minimum(leaves, calendar.end),
        leaves=leaves,
        order_rate=order_rate,
        gap_shape=np.array(GAP_SHAPES)[rng.choice(len(GAP_SHAPES), n, p=_GAP_SHARE)],
        visit_rate=np.where(kind == BUYER, 0.45 / 30 + order_rate * 0.8, 0.4 / 30),
        spend=spend,
        online_share=np.where(rng.random(n) < 0.15, 0.1, rng.beta(6, 1.6, n)),
        engagement=rng.beta(1.6, 3.2, n),
        interest=rng.integers(0, len(catalogue.CATEGORIES), n),
        country=_by_household(rng.choice(5, n, p=catalogue.COUNTRY_SHARE), household),
        first_name=_first_names(rng, gender, household),
        last_name=_last_names(rng, household, size),
        gender=np.array(["female", "male", ""], dtype=object)[gender],
        birthday=(rng.beta(2.2, 2.6, n) * 62 * 365 - 15 * 365 - 365 * 10).astype(np.int64),
        postcode=_postcodes(rng, household),
        street=_streets(rng, household),
        job=np.array(catalogue.JOBS, dtype=object)[rng.integers(0, len(catalogue.JOBS), n)],
        latent_value=order_rate * here_next_year * _ONE_OF_EACH * pieces(spend),
    )


def _households(rng: np.random.Generator, n: int, family: float) -> Ints:
    """A household number per person; members of a family stand next to each other."""
    sizes = np.where(rng.random(n) < family, rng.choice([2, 3, 4], n, p=[0.5, 0.25, 0.25]), 1)
    return np.repeat(np.arange(n), sizes)[:n]


def _by_household(values: Ints, household: Ints) -> Ints:
    """Every member has what the first of the household drew."""
    first_member = np.searchsorted(household, household)
    return np.asarray(values[first_member], dtype=np.int64)


def pieces(spend: Floats) -> Floats:
    """How many pieces of one product people who spend like this buy, on average."""
    return np.asarray(1 + 0.5 * spend**1.5)


def _presence(
    rng: np.random.Generator, kind: Ints, rate: Floats, calendar: Calendar
) -> tuple[Ints, Ints]:
    """When each person first met the shop and when they lose interest (after `end`: not yet)."""
    n = len(kind)
    old = rng.random(n) < _KNOWN_BEFORE
    before = calendar.start - rng.integers(1, 900, n) * DAY
    during = calendar.draw(rng, calendar.start, calendar.end, n)
    joined = np.where(old & (kind != ANONYMOUS), before, during)
    usual = _STAY_DAYS * (rate / _MEAN_RATE) ** _STAY_BY_RATE
    stay = (rng.weibull(_STAY_SHAPE, n) * usual * DAY).astype(np.int64)
    short_stay = rng.integers(1, 25, n) * DAY
    leaves = np.maximum(joined, calendar.start) + np.where(kind == ANONYMOUS, short_stay, stay)
    return joined.astype(np.int64), leaves.astype(np.int64)


def _first_names(rng: np.random.Generator, gender: Ints, household: Ints) -> Texts:
    """One name each; no two members of a household are called alike."""
    female = np.array(catalogue.FIRST_F, dtype=object)
    male = np.array(catalogue.FIRST_M, dtype=object)
    n = len(gender)
    is_female = np.where(gender == 2, rng.random(n) < 0.5, gender == 0)
    position = np.arange(n) - np.searchsorted(household, household)
    drawn = _by_household(rng.integers(0, len(female) * len(male), n), household) + position * 7
    names: Texts = np.where(is_female, female[drawn % len(female)], male[drawn % len(male)])
    return names


def _last_names(rng: np.random.Generator, household: Ints, size: Ints) -> Texts:
    """Families mostly share a surname."""
    names = rng.integers(0, len(catalogue.LAST), len(household))
    shared = _by_household(names, household)
    keeps_own = (size > 1) & (rng.random(len(household)) < 0.12)
    return np.array(catalogue.LAST, dtype=object)[np.where(keeps_own, names, shared)]


def _postcodes(rng: np.random.Generator, household: Ints) -> Texts:
    draws = _by_household(rng.integers(0, 20 * 9 * 26 * 26, len(household)), household)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    areas = catalogue.POSTCODE_AREAS
    return np.array(
        [
            f"{areas[d % 20]}{d // 20 % 9 + 1} "
            f"{d % 9 + 1}{letters[d // 180 % 26]}{letters[d // 4680 % 26]}"
            for d in draws.tolist()
        ],
        dtype=object,
    )


def _streets(rng: np.random.Generator, household: Ints) -> Texts:
    draws = _by_household(rng.integers(0, 180 * 40, len(household)), household)
    roads = catalogue.ROADS
    ends = ("Road", "Lane", "Street", "Close")
    return np.array(
        [f"{d % 180 + 1} {roads[d // 180 % 10]} {ends[d // 1800 % 4]}" for d in draws.tolist()],
        dtype=object,
    )
