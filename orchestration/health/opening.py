"""What must hold before a run begins in a home, whoever starts it.

Belongs here: those questions, in the order in which they are asked. Does not belong here: each
question's own rule, and the run (orchestration/run/run.py).
"""

from __future__ import annotations

from typing import NamedTuple

from ingestion.config import Settings
from ingestion.settings_file import load_settings
from orchestration.activation.authority import refuse_other_input
from orchestration.destinations import check_destinations
from orchestration.health.raw_store import require_raw
from orchestration.home.kind import claim, is_demo, own_input, refuse_input, take_settings
from orchestration.home.layout import Home
from orchestration.run.dbt import check_settings
from orchestration.run.engines import on_spark
from orchestration.run.something_to_read import require_input
from orchestration.segments.files import check_segment_files
from orchestration.spark.readiness import require


class Opening(NamedTuple):
    """A home in which a run may begin; `input` is what it reads, empty for the settings' own."""

    home: Home
    settings: Settings
    is_demo: bool
    input: str


def open_home(asked_input: str, engine: str, *, begin_anew: bool, at_terminal: bool) -> Opening:
    """The home that is asked for by $REGULARS_HOME, once a run may begin there; it is claimed.

    Args:
        asked_input: the location that a person gave, or empty.
        begin_anew: everything is to be read again.
        at_terminal: a person started it at a terminal.
        engine: what builds the models, where it is not what the settings name.

    Raises:
        UsageError: settings that cannot be used, or an input that may not be read here.
        NoInputError: nothing to read.
        RegularsError: the raw store is lost or damaged, or the engine cannot be begun.
    """
    home = Home.locate()
    take_settings(home)
    settings = load_settings().built_by(engine)
    check_settings(settings)
    check_segment_files(settings.dbt_vars())
    check_destinations(settings, home)
    refuse_input(home, asked_input)
    demo = is_demo(home)
    if not demo:
        refuse_other_input(asked_input, settings.input, at_terminal=at_terminal)
    require_raw(home, begin_anew=begin_anew)
    require_engine(settings, home)
    require_input(home, settings, asked_input)
    claim(home, "demo" if demo else "shop")
    return Opening(home, settings, demo, own_input(home) if demo else asked_input)


def require_engine(settings: Settings, home: Home) -> None:
    """Refuse a run whose engine cannot be begun, before anything is loaded.

    Raises:
        RegularsError: Java, the extra, the master or the catalogue folder is missing.
    """
    if on_spark(settings):
        require(settings.engine, home)
