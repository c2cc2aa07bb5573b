"""What the tests of faults share: processes that begin at their work, so that kills meet that."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import Shop

_CHILDREN = [
    "tests.faults.forget_child",
    "tests.faults.klaviyo_child",
    "tests.faults.sync_child",
    "tests.orchestration.serve.webhooks.serving",
]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    home = Home(tmp_path / "home").create()
    with open_store(home) as store:
        yield Shop(home, store)


@pytest.fixture(scope="session")
def fork() -> ForkServerContext:
    """Begins processes that have imported everything already.

    There is one fork server in a process, whoever began it: what a child needs of the environment
    it is told as an argument.
    """
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_CHILDREN)
    return context
