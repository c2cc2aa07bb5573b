"""The pretend shop's APIs, for as long as one of its runs lasts.

Belongs here: starting its servers and pointing a run's sources at them, whoever started the run.
Does not belong here: what the servers answer (ingestion/demo) and making a world (commands/demo).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from ingestion.config import Settings
from ingestion.registry import only_at
from orchestration.home.layout import Home
from orchestration.run.pretend_clock import day_of, world_of


@contextmanager
def pretend_sources(
    home: Home, settings: Settings, say: Callable[[str], None], moment: datetime
) -> Iterator[Settings]:
    """The settings of a run in the pretend shop's home: its sources reach nothing but its servers.

    The files of the days up to `moment` are there before, and the servers know nothing later.
    Addresses and names of secrets are the pretend shop's own, whatever the settings say of them.
    """
    from ingestion.demo.servers import demo_servers  # noqa: PLC0415 - a shop's runs do without
    from ingestion.demo.write_days import write_until  # noqa: PLC0415

    write_until(world_of(home), home.demo, day_of(home, moment))
    with demo_servers(home.demo / "api", home.demo / "shops") as servers, _environment(servers.env):
        urls = servers.addresses | servers.shops
        served = " and ".join(f"{name} at {url}" for name, url in urls.items())
        say(f"The pretend shop serves {served}.")
        yield only_at(settings, servers.addresses, servers.further)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
