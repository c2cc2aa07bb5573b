"""One asset per (segment, destination) pair.

Belongs here: assets made of the settings and the segments' own configuration. Does not belong
here: who may receive (the gate), what is sent (orchestration/activation).
"""

from collections.abc import Iterator
from typing import NamedTuple

import dagster as dg

from ingestion.settings_file import load_settings
from orchestration.activation.authority import as_asked, may_send
from orchestration.activation.contact_day import read_contact_day
from orchestration.activation.delivery import Delivery, DeliveryContext, clock_of
from orchestration.activation.people import destinations_of, targets
from orchestration.defs.errors import errors_as_data
from orchestration.defs.keys import PUBLISHED
from orchestration.defs.resources import RunResource
from orchestration.defs.transformation import PROJECT
from orchestration.ops.adoption import what_is_copied
from orchestration.run import console
from orchestration.words.codes import reasons_in_words

GROUP = "activation"
CONTACT_DAY = "contact day"
REFUSALS_READ = "destinations that were asked who refused"


class Pair(NamedTuple):
    """A segment and a destination it may go to."""

    segment: str
    destination: str


def _pairs() -> list[Pair]:
    """Every enabled pair, from the segments' configuration and the shop's settings."""
    settings = load_settings()
    enabled = {name for name, destination in settings.destinations.items() if destination.enabled}
    return sorted(
        Pair(segment, destination)
        for segment, configuration in PROJECT.segments.items()
        for destination in destinations_of(settings, segment, configuration.get("destinations", []))
        if destination in enabled
    )


def sync_asset(pair: Pair) -> dg.AssetsDefinition:
    """The step that plans one pair and delivers it where the run may."""

    @dg.asset(
        key=[GROUP, f"{pair.destination}__{pair.segment}"],
        deps=[PUBLISHED, dg.AssetKey([f"seg_{pair.segment}"])],
        group_name=GROUP,
        kinds={pair.destination},
        pool="duckdb",
        description=f"What `{pair.destination}` has received of the segment `{pair.segment}`.",
    )
    @errors_as_data
    def activate(run: RunResource) -> Iterator[dg.MaterializeResult[None]]:
        current = run.current
        asked = as_asked(current.request.send, at_terminal=console.attached())
        copied = what_is_copied(current.store, current.home)
        if copied and not may_send(current.settings.destinations[pair.destination], asked):
            yield dg.MaterializeResult(metadata={"state": "not planned", "why": copied})
            return
        now = clock_of(current.home)
        if CONTACT_DAY not in current.shared:
            day = read_contact_day(current.home, settings=current.settings)
            current.shared[CONTACT_DAY] = day
        day = current.shared[CONTACT_DAY]
        refusals_read = current.shared.setdefault(REFUSALS_READ, set())
        sending = DeliveryContext(
            current.home, current.settings, current.store, now, asked, day, refusals_read
        )
        target = targets(current.home, current.settings, pair.segment, pair.destination)[0]
        if sending.may_send(pair.destination):
            done = Delivery.sent(sending.sync(target))
        else:
            done = Delivery.planned(sending.plan(target))
        console.delivered(done)
        yield dg.MaterializeResult(
            metadata={
                "state": "planned only" if done.is_planned else "delivered",
                **{name: done.counts.get(name, 0) for name in ("added", "updated", "removed")},
                "held back": sum(done.held_back.values()),
                "why": reasons_in_words(done.held_back) or "nobody",
                "left": done.left,
                "accepted, not applied yet": done.accepted,
            }
        )

    return activate


syncs = [sync_asset(pair) for pair in _pairs()]
