"""Destinations that can erase are asked until they confirm, and the receipt says what each said."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Destination, Settings
from orchestration.activation.removal import tell_destinations
from orchestration.destinations.base import Identifiers, Outcome, RetryLaterError
from orchestration.erasure import elsewhere
from orchestration.erasure.elsewhere import Answers, ask_to_erase, in_words, is_open
from orchestration.erasure.erase import carry_out, finish_erasures
from orchestration.home.layout import Home
from orchestration.ops.store import open_store
from orchestration.ops.tombstones import Erasable, open_erasures, request
from tests.orchestration.erasure.planted import NOW, keys_of, plant, settings, subject
from tests.traces import traces

ANN = Erasable(("c1",), (("email", "ann@example.com"), ("phone", "+447700900001")))


class Erasing:
    """A destination that answers as it is told, one answer per question."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[Identifiers] = []

    def erase(self, people: Sequence[Identifiers]) -> list[Outcome]:
        self.asked += people
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return [Outcome(person.key, answer, "why") for person in people]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Destinations by name; those that are not `Erasing` cannot erase."""
    found: dict[str, Any] = {}
    monkeypatch.setattr(elsewhere, "open_destination", lambda name, *_: found[name])
    monkeypatch.setattr(elsewhere, "check_destinations", lambda *_: None)
    return found


def _settings(there: dict[str, Any]) -> Settings:
    off = {"off": Destination(enabled=False)}
    return Settings(destinations={name: Destination() for name in there} | off)


def test_each_is_asked_until_it_has_confirmed(there: dict[str, Any], tmp_path: Path) -> None:
    there |= {
        "books": Erasing("delivered"),
        "busy": Erasing(RetryLaterError("http_503"), ValueError("ann@example.com"), "delivered"),
        "files": object(),
        "later": Erasing("accepted", "delivered"),
        "never": Erasing("rejected"),
    }
    answers: Answers = {}
    statuses = []
    for _ in range(4):
        answers = ask_to_erase(Home(tmp_path), _settings(there), ANN, answers)
        statuses.append({name: said["status"] for name, said in answers.items()})
    done = {"books": "delivered", "never": "rejected"}
    assert statuses[0] == {**done, "busy": "retry", "later": "accepted"}
    assert statuses[1] == {**done, "busy": "retry", "later": "delivered"}
    assert statuses[2] == statuses[3] == {**done, "busy": "delivered", "later": "delivered"}
    assert not is_open(answers)
    (person,) = there["books"].asked
    assert person.values == {
        "email": ("ann@example.com",),
        "phone": ("+447700900001",),
        "customer_id": ("c1",),
    }
    assert "example.com" not in json.dumps(answers)
    assert dict(in_words(answers))["never"] == "does not erase them (why): do it there by hand"


def test_a_ticket_goes_back_with_the_next_question_until_it_is_done(
    there: dict[str, Any], tmp_path: Path
) -> None:
    """Also over a day on which it could not be asked."""

    class Slow(Erasing):
        def erase(self, people: Sequence[Identifiers]) -> list[Outcome]:
            said = super().erase(people)
            return [replace(each, ticket="job-1") for each in said]

    there["slow"] = Slow("accepted", RetryLaterError("http_503"), "delivered")
    answers: Answers = {}
    kept = []
    for _ in range(3):
        answers = ask_to_erase(Home(tmp_path), _settings(there), ANN, answers)
        kept.append(answers["slow"].get("ticket"))
    assert kept == ["job-1", "job-1", None]
    assert [person.ticket for person in there["slow"].asked] == ["", "job-1", "job-1"]


def test_identifiers_stay_with_the_request_until_then_and_nowhere_else(tmp_path: Path) -> None:
    home = plant(tmp_path / "home", 3)
    values = [value for _, value in keys_of(1)]
    kept: list[Answers] = []

    def ask(asked: Erasable, before: Answers) -> Answers:
        assert set(asked.keys) >= set(keys_of(1))
        kept.append(before)
        return {"mailer": {"status": "delivered" if before else "accepted", "reason": ""}}

    with open_store(home) as store:
        with store.write() as connection:
            request(connection, subject(1), reason="asked", at=NOW)
        tell_destinations(store, home, settings(), subject(1).ids, at=NOW, wait=lambda _: None)
        with store.read() as connection:
            (erasure,) = open_erasures(connection)
        receipt = carry_out(home, store, erasure, country="GB", location="", at=NOW, ask=ask)
        assert receipt["erased_by"]["mailer"]["status"] == "accepted"
        with store.read() as connection:
            (waiting,) = open_erasures(connection)
        assert waiting.subject is not None
        assert set(waiting.subject.keys) >= set(keys_of(1))
        places = {line.split(":")[0] for line in traces(home.root, values)}
        assert places == {"ops.sqlite", "ops.sqlite erasures"}
        finish_erasures(home, store, country="GB", location="", at=NOW, ask=ask)
        with store.read() as connection:
            assert open_erasures(connection) == []
    assert kept == [{}, {"mailer": {"status": "accepted", "reason": ""}}]
    assert traces(home.root, values) == []
    (path,) = home.erasures.glob("*.json")
    assert json.loads(path.read_text())["erased_by"]["mailer"]["status"] == "delivered"
