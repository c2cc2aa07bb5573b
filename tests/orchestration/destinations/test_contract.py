"""What every destination must do, over all there are: a new file is covered by being there.

A rule is a test with its sentence; what it needs of a double stands beside it. The rules by kind
are drawn into docs/channels.md (`python -m tests.channels`).
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from ingestion import config
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import check_destinations, kinds, open_destination
from orchestration.destinations.base import (
    Acknowledgement,
    AnswersLater,
    Audience,
    Batch,
    Destination,
    Erases,
    Idempotency,
    Identifiers,
    Outcome,
    RetryLaterError,
    Row,
    size_as_sent,
)
from orchestration.destinations.http import AnswerLostError
from orchestration.home.layout import Home
from tests.orchestration.destinations.doubles import (
    NOT_TAKEN,
    TAKEN,
    WAIT_SECONDS,
    Double,
    Fault,
    kind_of,
)

NOW = datetime(2026, 6, 1, 12)
COLUMNS = ("customer_id", "email", "first_name", "segment", "reason", "context")
HOSTILE = [
    "=HYPERLINK(0)",
    "<script>alert(1)</script>",
    "x\r\nX-Injected: yes",
    "{{ 7*7 }}{% raw %}",
    "'; drop table regulars_audience_members; --",
    "${jndi:ldap://x}",
    "Ünïcødé 😀 \u202e",
    "%s %(key)s {0} \\u0041",
]


@dataclass(frozen=True)
class Rule:
    """A rule, and what a kind must have for it to be one (a key of `Kind.lacks`)."""

    sentence: str
    needs: tuple[str, ...]


RULES: dict[str, Rule] = {}
Test = TypeVar("Test", bound=Callable[..., None])


def rule(sentence: str, *needs: str) -> Callable[[Test], Test]:
    """Mark a test as a rule of the contract."""

    def mark(test: Test) -> Test:
        RULES[test.__name__] = Rule(sentence, needs)
        return test

    return mark


def why_not(kind: str, needs: tuple[str, ...]) -> str:
    """Why a rule is none for a kind; empty where it is one."""
    lacks = kind_of(kind).lacks
    return next((lacks[need] for need in needs if need in lacks), "")


def _row(number: int, operation: str = "added", version: int = 1, **more: str) -> Row:
    payload = {
        "customer_id": f"c{number}",
        "email": f"c{number}@example.com",
        "first_name": "Zoë",
        "segment": "vip",
        "reason": 'said "hello", then left',
        "context": "{}",
    } | more
    key = f"key-{number}-{operation}-{version}"
    return Row(key, f"c{number}", version, operation, payload)  # type: ignore[arg-type]


def _batch(*rows: Row, number: int = 1, run: str = "run00001") -> Batch:
    return Batch(run, "vip", number, NOW, COLUMNS, rows)


@pytest.fixture(params=kinds())
def double(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Double]:
    """The double of a kind, unless the rule is none for it."""
    known = RULES[request.node.originalname]
    reason = why_not(request.param, known.needs)
    if reason:
        pytest.skip(reason)
    with kind_of(request.param).open(tmp_path) as double:
        for variable, value in double.environment.items():
            monkeypatch.setenv(variable, value)
        yield double


@pytest.fixture
def make(
    request: pytest.FixtureRequest, double: Double, tmp_path: Path
) -> Callable[[], Destination]:
    kind = request.node.callspec.params["double"]
    home = Home(tmp_path / "home").create()
    settings = config.Destination(kind=kind, options=double.options)
    return lambda: _worded(open_destination(kind, settings, home), double)


def _worded(destination: Destination, double: Double) -> Destination:
    """The destination, whose rows say what the kind is to send."""
    deliver = destination.deliver

    def worded(batch: Batch) -> Any:
        rows = tuple(replace(row, payload=double.word(row.payload)) for row in batch.rows)
        return deliver(replace(batch, rows=rows))

    destination.deliver = worded  # type: ignore[method-assign]
    return destination


def _deliver(destination: Destination, *rows: Row, **batch: Any) -> dict[str, Outcome]:
    """What became of rows in the end, each exactly once: who applies later is asked."""
    outcomes = list(destination.deliver(_batch(*rows, **batch)))
    found = {outcome.key: outcome for outcome in outcomes}
    assert len(found) == len(outcomes)
    if destination.acknowledgement is Acknowledgement.UNKNOWABLE:  # what is taken is done
        done = {each.key for each in outcomes if each.status == "accepted"}
        found |= {key: Outcome(key, "delivered") for key in done}
    if isinstance(destination, AnswersLater):
        for ticket in {outcome.ticket for outcome in outcomes if outcome.status == "accepted"}:
            asked = [row for row in rows if found[row.key].ticket == ticket]
            found |= {each.key: each for each in destination.ask("vip", ticket, asked)}
    return found


def _statuses(destination: Destination, *rows: Row) -> set[str]:
    """The same, where not taking the batch at all, or losing its answer, is a status as well."""
    try:
        return {outcome.status for outcome in _deliver(destination, *rows).values()}
    except RetryLaterError as error:
        _tells_nobody(error)
        return {"retry"}
    except AnswerLostError as error:
        _tells_nobody(error)
        return {"unknown"}


def _tells_nobody(error: RegularsError) -> None:
    for personal in ("example.com", "Zoë", "hello", "token=", "whsec", "c1"):
        assert personal not in str(error)


@rule("says what it is, which channels it reaches and how much it takes at once")
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


@rule("opening and previewing reach nothing: no socket, no file")
def test_opening_and_previewing_touch_nothing(
    make: Callable[[], Destination], double: Double, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any, **__: Any) -> None:
        raise AssertionError("a socket was opened")

    before = double.holds()
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", refused)
        patch.setattr(socket, "getaddrinfo", refused)
        make().preview("vip")
    assert double.holds() == before


@rule("an empty batch is nothing")
def test_an_empty_batch_is_fine(make: Callable[[], Destination]) -> None:
    assert _deliver(make()) == {}


@rule("every row of a batch gets one outcome")
def test_every_row_gets_an_outcome(make: Callable[[], Destination]) -> None:
    rows = (_row(1, "removed"), _row(2), _row(3, "updated"))
    outcomes = _deliver(make(), *rows)
    assert outcomes.keys() == {row.key for row in rows}
    assert {outcome.status for outcome in outcomes.values()} == {"delivered"}


@rule("the same batch twice changes nothing", "repeats")
def test_the_same_batch_twice_changes_nothing(
    make: Callable[[], Destination], double: Double
) -> None:
    _deliver(make(), _row(1), _row(2))
    once = double.holds()
    assert once
    _deliver(make(), _row(1), _row(2))
    assert double.holds() == once


@rule("removing somebody it does not have is done")
def test_removing_somebody_unknown_is_fine(make: Callable[[], Destination]) -> None:
    outcomes = _deliver(make(), _row(99, "removed"))
    assert [outcome.status for outcome in outcomes.values()] == ["delivered"]


@rule("the order of batches does not matter", "repeats")
def test_the_order_of_batches_does_not_matter(
    make: Callable[[], Destination], double: Double
) -> None:
    destination = make()
    _deliver(destination, _row(2), number=2)
    _deliver(destination, _row(1), number=1)
    backwards = double.holds()
    _deliver(destination, _row(1), number=1)
    _deliver(destination, _row(2), number=2)
    assert double.holds() == backwards


@rule("finishing twice is finishing once")
def test_finishing_twice_is_finishing_once(make: Callable[[], Destination], double: Double) -> None:
    destination = make()
    _deliver(destination, _row(1))

    def finish(*numbers: int) -> Any:
        members = (_row(number).payload for number in numbers)
        destination.finish(Audience("run00001", "vip", NOW, COLUMNS, members))
        return double.holds()

    assert finish(1) == finish(1)
    finish()


@rule("whoever was added and not removed is there, as last updated, and nobody else", "members")
def test_it_has_exactly_the_right_people(make: Callable[[], Destination], double: Double) -> None:
    destination = make()
    _deliver(destination, _row(1), _row(2), _row(3), _row(4))
    second = (_row(2, "removed", 2), _row(3, "updated", 2, first_name="Bo"), _row(5))
    _deliver(destination, *second, number=2)
    _deliver(destination, _row(2, "added", 3, reason="is back"), _row(4, "removed", 2), number=3)
    there = double.members("vip")
    assert there.keys() == {"c1", "c2", "c3", "c5"}
    told = {who: (person["first_name"], person["reason"]) for who, person in there.items()}
    assert told["c3"] == ("Bo", _row(3).payload["reason"])
    assert told["c2"] == ("Zoë", "is back")


@rule("an older row that arrives late does not overwrite a newer one", "members", "versions")
def test_a_late_repeat_overwrites_nothing_newer(
    make: Callable[[], Destination], double: Double
) -> None:
    destination = make()
    _deliver(destination, _row(1, version=1), _row(2, version=1))
    _deliver(destination, _row(1, "updated", 2, first_name="Bo"), _row(2, "removed", 2), number=2)
    newest = double.holds()
    _deliver(make(), _row(1, version=1), _row(2, version=1))
    assert double.holds() == newest
    assert double.members("vip").keys() == {"c1"}


@rule("two ids that turn out to be one person leave as one", "members")
def test_merged_people_leave_as_one(make: Callable[[], Destination], double: Double) -> None:
    destination = make()
    _deliver(destination, _row(1), _row(2), _row(3, email="c2@example.com"))
    moved = _row(9, "updated", 2, email="c1@example.com")
    moved = replace(moved, previous=_row(1).payload)  # what was c1's counts as c9's
    _deliver(destination, moved, number=2)
    assert "c9" in double.members("vip")
    assert "c1" not in double.members("vip")
    left = [_row(9, email="c1@example.com").payload, _row(3, email="c2@example.com").payload]
    destination.finish(Audience("run00001", "vip", NOW, COLUMNS, left))
    gone = (
        _row(9, "removed", 3, email="c1@example.com"),
        _row(3, "removed", 2, email="c2@example.com"),
    )
    _deliver(destination, *gone, number=3)
    destination.finish(Audience("run00001", "vip", NOW, COLUMNS, []))
    assert double.members("vip") == {}


@rule("whoever is erased is there no more, and somebody it does not have is done", "erasing")
def test_the_erased_are_gone(make: Callable[[], Destination], double: Double) -> None:
    destination = make()
    assert isinstance(destination, Erases)
    _deliver(destination, _row(1), _row(2))
    people = [
        Identifiers("one", {"email": ("c1@example.com",), "customer_id": ("c1",)}),
        Identifiers("two", {"email": ("nobody@example.com",)}),
    ]
    for _ in range(5):  # one that erases later is asked again
        said = {outcome.key: outcome for outcome in destination.erase(people)}
        people = [replace(each, ticket=said[each.key].ticket) for each in people]
        outcomes = {key: outcome.status for key, outcome in said.items()}
        if set(outcomes.values()) == {"delivered"}:
            break
    assert outcomes == {"one": "delivered", "two": "delivered"}
    left = str(double.holds())
    assert "c1@example.com" not in left
    assert "c2@example.com" in left


@rule("segments do not mix", "members")
def test_segments_do_not_mix(make: Callable[[], Destination], double: Double) -> None:
    destination = make()
    _deliver(destination, _row(1), _row(2))
    other = Batch("run00002", "loyal", 1, NOW, COLUMNS, (_row(1, version=1), _row(3)))
    destination.deliver(other)
    destination.deliver(Batch("run00003", "loyal", 1, NOW, COLUMNS, (_row(1, "removed", 2),)))
    assert double.members("vip").keys() == {"c1", "c2"}
    assert double.members("loyal").keys() == {"c3"}


@rule("names with formulas, HTML, header lines, SQL or template code arrive as they are", "members")
def test_hostile_names_are_text(make: Callable[[], Destination], double: Double) -> None:
    rows = [_row(n, first_name=name, reason=name) for n, name in enumerate(HOSTILE)]
    statuses = {outcome.status for outcome in _deliver(make(), *rows).values()}
    assert statuses == {"delivered"}
    names = [double.members("vip")[f"c{n}"]["first_name"] for n in range(len(HOSTILE))]
    assert names == HOSTILE


@rule("busy: nothing was taken, and its wait is passed on", "a server")
def test_busy_is_later(make: Callable[[], Destination], double: Double) -> None:
    before = double.holds()
    double.fail("busy")
    with pytest.raises(RetryLaterError) as caught:
        _deliver(make(), _row(1))
    assert caught.value.wait_seconds == WAIT_SECONDS
    assert double.holds() == before


@rule(
    "down, an expired key, a deleted target, a redirect: nothing is taken for delivered", "a server"
)
@pytest.mark.parametrize("fault", NOT_TAKEN)
def test_a_no_is_never_a_yes(make: Callable[[], Destination], double: Double, fault: Fault) -> None:
    before = double.holds()
    double.fail(fault)
    try:
        assert "delivered" not in _statuses(make(), _row(1))
    except RegularsError as error:
        _tells_nobody(error)
        assert fault not in ("busy", "down")
        assert error.hint.endswith("the rows stay queued.")
    assert double.holds() == before
    assert _statuses(make(), _row(1)) == {"delivered"}


@rule(
    "a lost answer, HTML, 10 MB: not believed, and asked again without a second effect", "a server"
)
@pytest.mark.parametrize("fault", TAKEN)
def test_a_bad_answer_is_not_believed(
    make: Callable[[], Destination], double: Double, fault: Fault
) -> None:
    destination = make()
    double.fail(fault)
    unsure = "unknown" if destination.idempotency is Idempotency.NONE else "retry"
    found = _statuses(destination, _row(1), _row(2))
    assert unsure in found
    assert found <= {unsure, "retry"}  # what comes after a lost answer is not tried
    if unsure == "retry":
        once = double.holds()
        assert _statuses(destination, _row(1), _row(2)) == {"delivered"}
        assert double.holds() == once


@rule("a wrong option is named")
def test_a_wrong_option_is_named(
    make: Callable[[], Destination], double: Double, tmp_path: Path
) -> None:
    kind, options = make().name, double.options | {"colour": "red"}
    with pytest.raises(UsageError, match="colour"):
        open_destination(kind, config.Destination(kind=kind, options=options), Home(tmp_path))


def test_an_unknown_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="pigeon"):
        open_destination("post", config.Destination(kind="pigeon"), Home(tmp_path))


def test_only_destinations_that_are_on_must_be_right(tmp_path: Path) -> None:
    off = config.Destination(kind="pigeon", enabled=False)
    check_destinations(config.Settings(destinations={"post": off}), Home(tmp_path))
    on = config.Destination(kind="pigeon")
    with pytest.raises(UsageError, match="pigeon"):
        check_destinations(config.Settings(destinations={"post": on}), Home(tmp_path))


def test_every_test_of_a_kind_is_a_rule() -> None:
    """So that the table in docs/channels.md has all of them."""
    tests = {name for name in globals() if name.startswith("test_")}
    by_kind = {name for name in tests if "make" in globals()[name].__annotations__}
    assert by_kind == RULES.keys()


def test_what_a_kind_lacks_is_needed_by_a_rule() -> None:
    needed = {need for rule in RULES.values() for need in rule.needs}
    lacked: set[str] = set()
    for kind in kinds():
        lacks: Mapping[str, str] = kind_of(kind).lacks
        lacked |= lacks.keys()
    assert lacked <= needed


def test_the_page_shows_the_rules_as_they_are() -> None:
    from tests import channels  # which draws what stands in this module

    stale = "docs/channels.md is older than the suite: run `python -m tests.channels`"
    assert channels.PAGE.read_text("utf-8") == channels.page(), stale
