"""What ChannelAttribution answers to the paths of the tests: run by `make oracles`, aside.

Belongs here: the paths, and asking that package (2.2.5, GPL, in an environment of its own). Does
not belong here: the tests that hold its answers (test_attribution.py, tests/dbt/marts).
"""

from __future__ import annotations

import json

import numpy as np

CHANNELS = ("alpha", "beta", "gamma", "delta", "epsilon")


def paths(count: int, seed: int = 7) -> list[tuple[list[str], bool]]:
    """Drawn paths, and whether an order followed; beta helps much and epsilon a little."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        steps = [CHANNELS[number] for number in rng.integers(0, 5, int(rng.integers(1, 7)))]
        rate = 0.05 + 0.3 * ("beta" in steps) + 0.1 * ("epsilon" in steps)
        drawn.append((steps, bool(rng.random() < rate)))
    return drawn


def main() -> None:
    """Print its heuristic answers for 400 paths and its removal effects for 3,000, as JSON."""
    import ChannelAttribution  # not in the lock
    import pandas as pd  # not in the lock

    def table(count: int) -> pd.DataFrame:
        rows = [(" > ".join(steps), int(led), int(not led)) for steps, led in paths(count)]
        return (
            pd.DataFrame(rows, columns=["path", "orders", "none"])
            .groupby("path")
            .sum()
            .reset_index()
        )

    rules = ChannelAttribution.heuristic_models(table(400), "path", "orders", flg_pro=False)
    markov = ChannelAttribution.markov_model(
        table(3000), "path", "orders", var_null="none", out_more=True, seed=1, verbose=False,
        nsim_start=1e6, max_step=10_000, flg_pro=False,
    )  # fmt: skip
    effects = markov["removal_effects"].set_index("channel_name")["removal_effect"]
    answer = rules.set_index("channel_name").sort_index().to_dict()
    answer["removal_effect"] = effects.sort_index().to_dict()
    print(json.dumps(answer, indent=1))


if __name__ == "__main__":
    main()
