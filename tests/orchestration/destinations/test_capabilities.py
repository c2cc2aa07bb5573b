"""What a destination can do is told by the names of its methods, so no two of them share one."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Protocol

from orchestration.destinations import base


def capabilities() -> list[Any]:
    return [
        each
        for each in vars(base).values()
        if isinstance(each, type)
        and each.__module__ == base.__name__
        and Protocol in each.__mro__
        and getattr(each, "_is_runtime_protocol", False)
    ]


def names(capability: type) -> set[str]:
    own = {name for name in vars(capability) if not name.startswith("_")}
    return own | set(getattr(capability, "__annotations__", {}))


def test_one_capability_is_never_taken_for_another() -> None:
    found: dict[frozenset[str], list[str]] = defaultdict(list)
    assert len(capabilities()) > 10
    for capability in capabilities():
        found[frozenset(names(capability))].append(capability.__name__)
    assert [each for each in found.values() if len(each) > 1] == []
