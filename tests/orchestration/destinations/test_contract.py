"""What every destination must do, over all there are: a new file is covered by being there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from ingestion import config
from ingestion.errors import UsageError
from orchestration.destinations import check_destinations, kinds, open_destination
from orchestration.destinations.base import (
    Acknowledgement,
    AnswersLater,
    Audience,
    Batch,
    Destination,
    Idempotency,
    Row,
    size_as_sent,
)
from orchestration.home.layout import Home

NOW = datetime(2026, 6, 1, 12)
COLUMNS = ("customer_id", "email", "first_name", "segment", "reason", "context")


def _row(number: int, operation: str = "added", version: int = 1) -> Row:
    payload = {
        "customer_id": f"c{number}",
        "email": f"c{number}@example.com",
        "first_name": "Zoë",
        "segment": "vip",
        "reason": 'said "hello", then left',
        "context": "{}",
    }
    key = f"key-{number}-{operation}-{version}"
    return Row(key, f"c{number}", version, operation, payload)  # type: ignore[arg-type]


def _batch(*rows: Row, number: int = 1, run: str = "run00001") -> Batch:
    return Batch(run, "vip", number, NOW, COLUMNS, rows)


@pytest.fixture(params=kinds())
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Destination]:
    kind: str = request.param
    home = Home(tmp_path / "home").create()
    return lambda: open_destination(kind, config.Destination(kind=kind), home)


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_it_declares_what_it_is(make: Callable[[], Destination]) -> None:
    destination = make()
    assert destination.name in kinds()
    assert destination.channels <= {"email", "sms", "push", "ads", "onsite"}
    assert destination.idempotency in Idempotency
    assert destination.acknowledgement in Acknowledgement
    assert isinstance(destination, AnswersLater) is (
        destination.acknowledgement is Acknowledgement.ASKABLE
    )
    assert destination.limits.rows >= 1
    assert all(rate.requests >= 1 and rate.seconds > 0 for rate in destination.limits.rates)
    assert size_as_sent(destination, _row(1)) > 0
    assert destination.preview("vip")


def test_opening_and_previewing_touch_nothing(
    make: Callable[[], Destination], tmp_path: Path
) -> None:
    before = _files(tmp_path)
    make().preview("vip")
    assert _files(tmp_path) == before


def test_an_empty_batch_is_fine(make: Callable[[], Destination]) -> None:
    assert list(make().deliver(_batch())) == []


def test_every_row_gets_an_outcome(make: Callable[[], Destination]) -> None:
    batch = _batch(_row(1, "removed"), _row(2), _row(3, "updated"))
    outcomes = make().deliver(batch)
    assert {outcome.key for outcome in outcomes} == {row.key for row in batch.rows}
    assert {outcome.status for outcome in outcomes} == {"delivered"}


def test_the_same_batch_twice_changes_nothing(
    make: Callable[[], Destination], tmp_path: Path
) -> None:
    batch = _batch(_row(1), _row(2))
    first = make()
    if first.idempotency is Idempotency.NONE:
        pytest.skip("declares that it may not be repeated")
    first.deliver(batch)
    once = _files(tmp_path)
    make().deliver(batch)
    assert _files(tmp_path) == once


def test_removing_somebody_unknown_is_fine(make: Callable[[], Destination]) -> None:
    outcomes = make().deliver(_batch(_row(99, "removed")))
    assert [outcome.status for outcome in outcomes] == ["delivered"]


def test_the_order_of_batches_does_not_matter(
    make: Callable[[], Destination], tmp_path: Path
) -> None:
    one, two = _batch(_row(1), number=1), _batch(_row(2), number=2)
    destination = make()
    destination.deliver(two)
    destination.deliver(one)
    backwards = _files(tmp_path)
    destination.deliver(one)
    destination.deliver(two)
    assert _files(tmp_path) == backwards


def test_finishing_twice_is_finishing_once(make: Callable[[], Destination], tmp_path: Path) -> None:
    destination = make()
    destination.deliver(_batch(_row(1)))

    def finish(*numbers: int) -> dict[str, bytes]:
        members = (_row(number).payload for number in numbers)
        destination.finish(Audience("run00001", "vip", NOW, COLUMNS, members))
        return _files(tmp_path)

    assert finish(1) == finish(1)
    finish()


def test_an_interrupted_batch_can_be_taken_back(
    make: Callable[[], Destination], tmp_path: Path
) -> None:
    destination = make()
    destination.deliver(_batch())
    before = _files(tmp_path)
    destination.deliver(_batch(_row(1), _row(2)))
    destination.deliver(_batch())
    assert _files(tmp_path) == before


def test_a_wrong_option_is_named(make: Callable[[], Destination], tmp_path: Path) -> None:
    kind = make().name
    with pytest.raises(UsageError, match="colour"):
        open_destination(
            kind, config.Destination(kind=kind, options={"colour": "red"}), Home(tmp_path)
        )


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pigeon"):
        open_destination("post", config.Destination(kind="pigeon"), Home(tmp_path))


def test_only_destinations_that_are_on_must_be_right(tmp_path: Path) -> None:
    off = config.Destination(kind="pigeon", enabled=False)
    check_destinations(config.Settings(destinations={"post": off}), Home(tmp_path))
    on = config.Destination(kind="pigeon")
    with pytest.raises(UsageError, match="pigeon"):
        check_destinations(config.Settings(destinations={"post": on}), Home(tmp_path))
