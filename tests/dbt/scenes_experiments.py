"""Scenes of tests that were run elsewhere: whom they put into which group.

Belongs here: raw rows and nothing else, like in `scenes`. What must come of them stands in
tests/dbt/models/test_experiments.py.
"""

from __future__ import annotations

from typing import Any

from tests.dbt.world import World


def put(experiment: str, kind: str, value: str, group: str, day: int) -> dict[str, Any]:
    """An assignment in May 2026."""
    return {
        "experiment_id": experiment,
        "identifier_type": kind,
        "identifier_value": value,
        "experiment_group": group,
        "assigned_at": f"2026-05-{day:02d} 10:00:00",
    }


def experiments(world: World) -> None:
    """People of other scenes, and one who is only known to the experiment."""
    world.add(
        "raw_experiments.assignments",
        [
            # one person by two addresses and a login, in both groups
            put("spring", "email", " Several@one.example", "holdout", 4),
            put("spring", "email", "several.work@one.example", "treatment", 5),
            put("spring", "login", "sev", "treatment", 6),
            # the same person in one group alone
            put("autumn", "email", "several@one.example", "treatment", 4),
            put("autumn", "login", "sev", "treatment", 5),
            # put into it twice: the first counts
            put("spring", "login", "cat", "treatment", 3),
            put("spring", "login", "cat", "holdout", 8),
            # known to the experiment alone
            put("spring", "email", "only.tested@x.example", "holdout", 4),
            # what stands for nobody: each is a line of its own
            put("spring", "device", "null", "treatment", 4),
            put("spring", "email", "none@none.com", "holdout", 4),
            # not yet
            put("spring", "login", "ann", "treatment", 4) | {"assigned_at": "2026-06-05 10:00:00"},
        ],
    )
