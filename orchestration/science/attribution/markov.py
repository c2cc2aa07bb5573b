"""Removal effects of marketing channels: a Markov chain of first order over people's paths.

Belongs here: the chain and its exact answer. Does not belong here: what a path is, or files
(files.py); sharing an order out among its touches (dbt's fct_attribution).

Source: Anderl, Becker, von Wangenheim, Schumann (2016), Mapping the customer journey,
https://doi.org/10.1016/j.ijresmar.2016.03.001
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Transitions:
    """How often people went from channel to channel.

    Attributes:
        first: how many paths begin with each channel, (channels,).
        between: how often each channel was followed by each, (channels, channels).
        converted: how often an order followed each, (channels,).
        ended: how often nothing followed each, (channels,).
    """

    first: Floats
    between: Floats
    converted: Floats
    ended: Floats


def transitions(path: Ints, channel: Ints, converts: NDArray[np.bool_], count: int) -> Transitions:
    """Count the transitions of paths.

    Args:
        path: of each touch the number of its path, sorted; touches of a path stand in their order.
        channel: of each touch the number of its channel, from 0 to `count` - 1.
        converts: of each touch whether its path ended in an order.
        count: how many channels there are.
    """
    is_last = np.ones(len(path), dtype=np.bool_)
    is_last[:-1] = path[1:] != path[:-1]
    is_first = np.ones(len(path), dtype=np.bool_)
    is_first[1:] = is_last[:-1]
    pairs = np.flatnonzero(~is_last)
    between = np.bincount(
        channel[pairs] * count + channel[pairs + 1], minlength=count * count
    ).reshape(count, count)
    return Transitions(
        np.bincount(channel[is_first], minlength=count).astype(np.float64),
        between.astype(np.float64),
        np.bincount(channel[is_last & converts], minlength=count).astype(np.float64),
        np.bincount(channel[is_last & ~converts], minlength=count).astype(np.float64),
    )


def removal_effects(chain: Transitions) -> Floats:
    """The share of all conversions that would be lost without each channel, (channels,).

    Who would have come to a removed channel is lost. Zeros where nobody ever converted.
    """
    with_all = _conversion_rate(chain, None)
    if with_all <= 0:
        return np.zeros(len(chain.first))
    without = [_conversion_rate(chain, channel) for channel in range(len(chain.first))]
    return 1.0 - np.array(without) / with_all


def _conversion_rate(chain: Transitions, removed: int | None) -> float:
    """The probability that a path ends in an order: (I - Q) x = r, and the start's mean of x."""
    kept = np.arange(len(chain.first)) != (-1 if removed is None else removed)
    out = chain.between.sum(axis=1) + chain.converted + chain.ended
    out = np.where(out > 0, out, 1.0)
    step = (chain.between / out[:, None])[np.ix_(kept, kept)]
    convert = (chain.converted / out)[kept]
    rates = np.linalg.solve(np.eye(int(kept.sum())) - step, convert)
    return float(chain.first[kept] @ rates / chain.first.sum())
