"""What came after a backup is asked of whatever still knows it, and taken over once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ingestion.config import Destination, Settings
from orchestration.activation.consent_log import write_consent_log
from orchestration.activation.gate import Identifier, Policy, Reason, decide, load_states
from orchestration.backup import catching_up
from orchestration.backup.catching_up import CANNOT_TELL, Answer, catch_up
from orchestration.backup.stores import make_backup, restore_backup
from orchestration.destinations.base import RetryLaterError, Withdrawal
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import open_store, to_micros
from orchestration.ops.tombstones import Erasable, Hasher, open_erasures, request

NOW = datetime(2026, 6, 1, 12)
LATER = NOW + timedelta(hours=1)
POLICY = Policy("email", "marketing")
PEOPLE = [f"{name}@example.com" for name in ("ann", "bob", "cem", "dee")]
ANN, BOB, CEM, DEE = PEOPLE


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A shop in which four people may be written to."""
    home = Home(tmp_path / "shop")
    claim(home, "shop")
    say(home, "granted", NOW - timedelta(days=9), *PEOPLE)
    return home


@pytest.fixture
def restored(home: Home, tmp_path: Path) -> Home:
    """A home of the backup of noon."""
    back_up(home, "whole", NOW, tmp_path)
    other = Home(tmp_path / "restored")
    restore_backup(_path(tmp_path, "whole", NOW), other, key_file=tmp_path / "key")
    return other


def say(home: Home, status: str, at: datetime, *addresses: str) -> None:
    events = [
        ConsentEvent("email", each, "email", "marketing", status, at, "form", "v1")
        for each in addresses
    ]
    with open_store(home) as store:
        record_consents(store, events, recorded_at=at)


def forget(home: Home, address: str) -> None:
    with open_store(home) as store, store.write() as connection:
        request(connection, Erasable((), (("email", address),)), reason="letter", at=LATER)


def back_up(home: Home, part: str, at: datetime, folder: Path) -> None:
    target = _path(folder, part, at)
    make_backup(home, target, key_file=folder / "key", at=at, only_ops=part == "ops")


def _path(folder: Path, part: str, at: datetime) -> Path:
    return folder / f"shop-{part}-{at:%Y%m%dT%H%M%SZ}.age"


def ask(restored: Home, folder: Path, settings: Settings | None = None) -> list[Answer]:
    return catch_up(
        restored,
        _path(folder, "whole", NOW),
        settings or Settings(),
        made_at=NOW,
        at=LATER,
        key_file=folder / "key",
    )


def reasons(home: Home) -> dict[str, Reason | None]:
    """Why the gate refuses each person."""
    found = {}
    with open_store(home) as store, store.read() as connection:
        for address in PEOPLE:
            person = Identifier("email", address)
            states = load_states(connection, [person.key], POLICY, to_micros(LATER))
            found[address] = decide([person], states, POLICY).reason
    return found


def test_a_newer_backup_beside_it_says_what_was_refused_given_and_forgotten(
    home: Home, restored: Home, tmp_path: Path
) -> None:
    say(home, "revoked", LATER, ANN)
    say(home, "granted", LATER, BOB)
    forget(home, CEM)
    back_up(home, "ops", LATER, tmp_path)
    name = _path(tmp_path, "ops", LATER).name
    assert reasons(restored) == dict.fromkeys(PEOPLE)
    assert ask(restored, tmp_path) == [Answer(name, statements=2, forgotten=1)]
    after = {**dict.fromkeys(PEOPLE), ANN: Reason.REVOKED, CEM: Reason.FORGOTTEN}
    assert reasons(restored) == after
    with open_store(restored) as store, store.read() as connection:
        (erasure,) = open_erasures(connection)
        assert erasure.subject
    assert ask(restored, tmp_path) == [Answer(name)], "asked again it has nothing new"


def test_a_newer_backup_that_cannot_be_read_says_why_and_the_one_before_is_asked(
    home: Home, restored: Home, tmp_path: Path
) -> None:
    say(home, "revoked", LATER, ANN)
    back_up(home, "ops", LATER, tmp_path)
    cut = _path(tmp_path, "ops", LATER + timedelta(hours=1))
    cut.write_bytes(_path(tmp_path, "ops", LATER).read_bytes()[:3000])
    first, second = ask(restored, tmp_path)
    assert (first.asked, bool(first.problem)) == (cut.name, True)
    assert second.statements == 1
    assert reasons(restored)[ANN] is Reason.REVOKED


def test_a_backup_of_another_home_of_the_same_name_is_not_believed(
    restored: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "elsewhere" / "shop")
    claim(other, "shop")
    say(other, "revoked", LATER, ANN)
    back_up(other, "ops", LATER, tmp_path)
    assert [answer.problem for answer in ask(restored, tmp_path)] == ["is of another home"]
    assert reasons(restored)[ANN] is None


def test_an_export_beside_it_is_believed_in_its_refusals_alone(
    home: Home, restored: Home, tmp_path: Path
) -> None:
    say(home, "revoked", LATER, ANN)
    say(home, "granted", LATER, "eve@example.com")
    with open_store(home) as store:
        write_consent_log(store, tmp_path / "newest.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\x00")
    forget(restored, DEE)
    read = {answer.asked: answer for answer in ask(restored, tmp_path)}
    assert read["newest.csv"] == Answer("newest.csv", statements=1)
    assert read["binary.csv"].problem
    assert read.keys() == {"newest.csv", "binary.csv"}
    assert reasons(restored)[ANN] is Reason.REVOKED
    assert ask(restored, tmp_path)[-1] == Answer("newest.csv")


def test_a_receipt_beside_it_forgets_again(home: Home, restored: Home, tmp_path: Path) -> None:
    forget(home, CEM)
    with open_store(home) as store, store.read() as connection:
        hasher = Hasher(connection)
        receipt = {
            "erasure_id": "e1",
            "salt": hasher.mark,
            "requested_at": LATER.isoformat(),
            "reason": "letter",
            "identifiers": [{"type": "email", "hash": hasher.identifier(("email", CEM))}],
        }
    folder = tmp_path / "erasures"
    folder.mkdir()
    (folder / "e1.json").write_text(json.dumps(receipt))
    (folder / "of-another.json").write_text(json.dumps({**receipt, "salt": "0"}))
    done, refused = ask(restored, tmp_path)
    assert done == Answer("e1.json", forgotten=1)
    assert "another home's salt" in refused.problem
    assert reasons(restored)[CEM] is Reason.FORGOTTEN


class Telling:
    """A destination that knows who unsubscribed there."""

    name = "mailer"

    def __init__(self, *withdrawals: Withdrawal, fails: bool = False) -> None:
        self._withdrawals, self._fails = withdrawals, fails
        self.asked_since: datetime | None = None

    def withdrawals_since(self, since: datetime) -> Iterable[Withdrawal]:
        self.asked_since = since
        if self._fails:
            raise RetryLaterError("http_503")
        return self._withdrawals


def test_each_destination_says_what_it_knows_or_that_it_cannot_tell(
    restored: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Withdrawal("email", ANN, "email", "*", "unsubscribed", LATER)
    of_the_forgotten = Withdrawal("email", DEE, "email", "*", "unsubscribed", LATER)
    there: dict[str, Any] = {
        "files": object(),
        "mailer": Telling(refused, of_the_forgotten),
        "out": Telling(fails=True),
    }
    monkeypatch.setattr(catching_up, "open_destination", lambda name, *_: there[name])
    names = {name: Destination() for name in there} | {"off": Destination(enabled=False)}
    forget(restored, DEE)
    files, mailer, out = ask(restored, tmp_path, Settings(destinations=names))
    assert files == Answer("files", problem=CANNOT_TELL)
    assert mailer == Answer("mailer", statements=1)
    assert there["mailer"].asked_since == NOW
    assert "http_503" in out.problem
    assert reasons(restored)[ANN] is Reason.UNSUBSCRIBED
