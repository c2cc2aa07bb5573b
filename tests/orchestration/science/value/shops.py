"""Shops as the science reads them: pretend ones with a known rhythm, drawn ones, the real one."""

from __future__ import annotations

import gzip
from datetime import date, datetime
from pathlib import Path

import numpy as np

from ingestion.demo.world import make_world
from orchestration.science.value.buyers import Sales

DAY = 86_400
MARGIN = 0.4  # of what was paid, in drawn shops


def sales(rows: list[tuple[int, int, float]]) -> Sales:
    """Orders as (person, day, amount); four tenths of each stay after the goods are paid."""
    person, day, amount = (np.array(list(column)) for column in zip(*rows, strict=True))
    amount = amount.astype(np.float64)
    return Sales(person.astype(np.int64), day, day, amount, MARGIN * amount)


def nothing() -> Sales:
    """A shop without an order."""
    none = np.zeros(0, dtype=np.int64)
    return Sales(none, none, none, np.zeros(0))


def pretend_shop(people: int, seed: int, months: int) -> Sales:
    """The orders of the pretend shop by true person: seasons, own rhythms, people who leave."""
    block = make_world(people, seed, months=months).block(0)
    orders, lines = block.orders, block.lines
    money = lines.price * lines.quantity - lines.discount
    amount = np.bincount(lines.order, weights=money, minlength=len(orders)) / 100
    kept = (orders.cancelled == 0) & ~orders.is_test
    day = (orders.placed // DAY).astype(np.int64)
    assert 15_000 < day.min() < day.max() < 40_000
    return Sales(orders.person[kept], day[kept], day[kept], amount[kept])


def drawn_shop(people: int, days: int, seed: int) -> Sales:
    """A shop that is as BG/NBD and Gamma-Gamma say."""
    rng = np.random.default_rng(seed)
    rows = []
    for person in range(people):
        day = float(rng.integers(0, days // 2))
        rate, leaves = rng.gamma(0.8) / 40, rng.beta(0.8, 3.0)
        scale = rng.gamma(4.0) / 120
        while day < days:
            rows.append((person, int(day), rng.gamma(6.0) / scale))
            if len(rows) > 1 and rows[-2][0] == person and rng.random() < leaves:
                break
            day += rng.exponential(1 / rate) + 1
    return sales(rows)


def online_retail(folder: Path) -> Sales:
    """UCI Online Retail: kept lines count on their day, what is returned on its own."""
    numbers: dict[str, int] = {}
    person, day, amount = [], [], []
    is_return = []
    for file in sorted((folder / "online_retail").glob("*.csv.gz")):
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            import csv

            for line in csv.DictReader(stream):
                value = float(line["Quantity"]) * float(line["UnitPrice"])
                if line["CustomerID"] and value:
                    person.append(numbers.setdefault(line["CustomerID"], len(numbers)))
                    day.append(_number(line["InvoiceDate"]))
                    amount.append(value)
                    is_return.append(value < 0)
    return _with_returns(*(np.array(c) for c in (person, day, amount, is_return)))


def _number(text: str) -> int:
    for form in ("%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M", "%Y-%m-%dT%H:%M:%S"):
        try:
            return (datetime.strptime(text, form).date() - date(1970, 1, 1)).days
        except ValueError:
            continue
    raise ValueError(text)


def _with_returns(
    person: np.ndarray, day: np.ndarray, amount: np.ndarray, is_return: np.ndarray
) -> Sales:
    """A return belongs to the person's last order day up to then; without one it is left out."""
    ordered = day.copy()
    keep = ~is_return
    by_person: dict[int, np.ndarray] = {
        p: np.unique(day[(person == p) & ~is_return]) for p in np.unique(person[is_return])
    }
    for row in np.flatnonzero(is_return):
        before = by_person[person[row]]
        at = np.searchsorted(before, day[row], side="right") - 1
        if at >= 0:
            ordered[row], keep[row] = before[at], True
    return Sales(person[keep], ordered[keep], day[keep], amount[keep])
