"""A destination that is down: what real syncs leave is told once, and once more when it is over."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from ingestion.config import Destination, Settings
from ingestion.errors import RegularsError
from orchestration.run import degraded_notices
from orchestration.run.degraded_notices import tell_what_is_degraded
from orchestration.run.notify import DegradedNotice
from tests.orchestration.activation.shop import NOW, TARGET, Receiver, Shop, busy, sync_at

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
SETTINGS = Settings(destinations={"receiver": Destination(kind="file")})
DOWN = range(10, 12)


class Flaky(Receiver):
    """A receiver that may be down, in one of the two ways that a destination can say so."""

    error: RegularsError | None = None

    def deliver(self, batch):
        """Take a batch, unless it is down."""
        if self.error is not None:
            raise self.error
        return super().deliver(batch)


@pytest.mark.parametrize("error", [busy(), RegularsError("down")])
def test_a_day_without_a_destination_is_one_notice_and_one_all_clear(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, error: RegularsError
) -> None:
    notices: list[DegradedNotice] = []
    monkeypatch.setattr(
        degraded_notices, "send_notice", lambda _, notice: notices.append(notice) or {}
    )
    receiver = Flaky()
    told_on = []
    for day in range(30):
        if day % 3 != 2:  # on some days nobody is new and nothing is sent
            shop.add(f"c{day}", f"c{day}@example.com")
            shop.grant(f"c{day}@example.com")
            shop.publish()
        receiver.error = error if day in DOWN else None
        at = NOW + day * DAY
        with suppress(RegularsError):
            sync_at(shop, TARGET, receiver, at)
        before = len(notices)
        tell_what_is_degraded(
            shop.store, SETTINGS, run_id="run", at=at + DAY / 24, as_of=at, say=lambda _text: None
        )
        told_on += [day] * (len(notices) - before)
    assert told_on == [DOWN.start + 1, DOWN.stop]
    assert [each.kind for notice in notices for each in (*notice.begun, *notice.over)] == [
        "destination_down",
        "destination_down",
    ]
    assert len(receiver.members) == 20
