"""The process that is killed: one sync to Klaviyo's fake, started warm by a fork server."""

from __future__ import annotations

import os
import time
from pathlib import Path

from orchestration.activation.sync import sync
from orchestration.destinations.klaviyo import create
from orchestration.fakes.klaviyo.app import API_KEY
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from tests.orchestration.activation.shop import NOW, TARGET


def run_sync(root: str, url: str, at_seconds: int, batch_size: int) -> None:
    """Sync once, on the real path; only what would wait does not."""
    from datetime import timedelta

    os.environ["KLAVIYO_API_KEY"] = API_KEY
    home = Home(Path(root))
    options = {"base_url": url, "allow_private": True, "batch_size": batch_size}
    destination = create("receiver", options, home)
    destination._api._wait = lambda _: time.sleep(0.005)
    at = NOW + timedelta(seconds=at_seconds)
    with open_store(home) as store:
        sync(store, home, TARGET, destination, at=at, wait=lambda _: None)
