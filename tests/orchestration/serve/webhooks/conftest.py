"""A home that takes webhooks, with every sender's secret set."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.home.layout import Home
from tests.orchestration.serve.webhooks.calls import SECRETS, Door


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Door:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("REGULARS_OPS_URL", raising=False)
    return Door(Home(tmp_path / "home").create())
