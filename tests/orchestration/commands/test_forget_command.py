"""`regulars forget` at the terminal: asked, said once, carried over, and never in a run's way."""

from __future__ import annotations

import io
import json
import multiprocessing
import shutil
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from ingestion.errors import BusyError, UsageError
from orchestration.activation.gate import Identifier, Policy, Reason, decide, load_states
from orchestration.commands import forget as command
from orchestration.erasure.erase import strip_arrivals
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.ops.permission.consents import grant_consent
from orchestration.ops.store import open_store, to_micros
from orchestration.who.explain import NotFoundError
from tests.orchestration.erasure.planted import NOW, keys_of, plant, rows_of, subject
from tests.traces import traces

pytestmark = pytest.mark.slow

EMAIL = keys_of(1)[0][1]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return plant(tmp_path / "home", 3)


def values(number: int) -> list[str]:
    return [*(value for _, value in keys_of(number)), *subject(number).ids]


def said(home: Home, who: str, *, in_advance: bool = False, reason: str = "") -> str:
    """What the command prints when somebody says yes."""
    out = Console(file=io.StringIO(), width=200)
    command.print_forget(
        home, who, out, reason=reason, confirmed=True, confirm=bool, in_advance=in_advance
    )
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


def is_refused(home: Home, address: str) -> bool:
    person = Identifier("email", address)
    with open_store(home) as store, store.read() as connection:
        policy = Policy("email", "transactional")
        states = load_states(connection, {person.key}, policy, to_micros(NOW))
        return decide([person], states, policy).reason is Reason.FORGOTTEN


def test_a_person_is_forgotten_by_any_identifier_and_twice_is_said(home: Home) -> None:
    printed = said(home, "LOGIN-CANARY-001".lower(), reason="a letter")
    assert "From now on the gate refuses this person" in printed
    assert "file: vip: removed 1" in printed
    assert "1 of the person's identifiers are shared with others" in printed
    assert "canary" not in printed
    assert traces(home.root, values(1)) == []
    (receipt,) = home.erasures.glob("*.json")
    assert json.loads(receipt.read_text())["reason"] == "a letter"
    assert "nothing of it is known here any more" in said(home, EMAIL)
    assert len(list(home.erasures.glob("*.json"))) == 1


def test_nobody_is_forgotten_without_a_yes_or_by_a_value_that_nobody_has(home: Home) -> None:
    out = Console(file=io.StringIO())
    with pytest.raises(UsageError, match="only when somebody says yes"):
        command.print_forget(home, EMAIL, out, reason="", confirmed=False, confirm=bool)
    with pytest.raises(NotFoundError):
        said(home, "nobody@nowhere.example")
    with pytest.raises(NotFoundError):
        said(home, "device:kitchen-tablet-canary-of-nobody")
    assert rows_of(home, 1)["contacts.contacts"] != []
    assert not is_refused(home, EMAIL)


def test_an_address_that_nobody_has_yet_is_refused_in_advance(home: Home) -> None:
    printed = said(home, "Later@Example.org", in_advance=True)
    assert "refused from now on" in printed
    assert is_refused(home, "later@example.org")
    with pytest.raises(UsageError, match="Of which kind it is has to be said"):
        said(home, "somebody-later", in_advance=True)


def test_no_permission_is_recorded_for_somebody_forgotten(home: Home) -> None:
    said(home, EMAIL)
    with open_store(home) as store, pytest.raises(UsageError, match="was forgotten on"):
        grant_consent(
            store,
            identifier_type="email",
            identifier_value=EMAIL.upper(),
            channel="email",
            purpose="marketing",
            source="form",
            wording_version="v1",
            at=NOW,
            default_country="GB",
        )
    assert traces(home.root, values(1)) == []


@pytest.mark.faults
def test_an_older_copy_of_the_home_learns_who_was_forgotten_since(
    home: Home, tmp_path: Path
) -> None:
    older = Home(tmp_path / "older")
    shutil.copytree(home.root, older.root, symlinks=True)
    for name in ("published.duckdb", "published.versions", "delivered", "dagster", "dlt", "dbt"):
        place = older.root / name  # what a backup does not hold
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    for name in ("notes.txt", "subject_exports", "review", "warehouse.duckdb", "published"):
        place = older.root / name
        shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
    for number in (0, 1):
        said(home, keys_of(number)[0][1])
    theirs = rows_of(older, 2)
    out = Console(file=io.StringIO(), width=200)
    command.print_carried_over(older, home.erasures, out)
    assert is_refused(older, EMAIL)
    left = {line.split(":")[0].split(" ")[0] for line in traces(older.root, values(1))}
    assert left <= {"ops.sqlite"}, "a destination has to be told yet"
    assert rows_of(older, 2) == theirs


def test_a_receipt_of_another_home_is_refused(home: Home, tmp_path: Path) -> None:
    other = plant(tmp_path / "other", 2)
    said(other, EMAIL)
    out = Console(file=io.StringIO())
    with pytest.raises(UsageError, match="another home's salt"):
        command.print_carried_over(home, other.erasures, out)
    with pytest.raises(UsageError, match="no receipt"):
        command.print_carried_over(home, tmp_path, out)
    with pytest.raises(UsageError, match="cannot be read as a receipt"):
        command.print_carried_over(home, tmp_path / "none.json", out)
    assert not is_refused(home, EMAIL)


def _hold(path: str, begun: multiprocessing.synchronize.Event, end: object) -> None:
    with lock.hold(Path(path)):
        begun.set()
        end.wait()  # type: ignore[attr-defined]


@pytest.mark.faults
def test_the_gate_refuses_while_a_run_holds_the_home_and_erasing_waits(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "WAIT_SECONDS", 0.5)
    context = multiprocessing.get_context("spawn")
    begun, end = context.Event(), context.Event()
    run = context.Process(target=_hold, args=(str(home.lock), begun, end))
    run.start()
    begun.wait()
    try:
        with pytest.raises(BusyError):
            said(home, EMAIL)
        assert is_refused(home, EMAIL)
        assert traces(home.root, values(1)) != []
    finally:
        end.set()
        run.join()
    said(home, EMAIL)
    assert traces(home.root, values(1)) == []


OTHER_CASE = "LOGIN-Canary-001"


def add_other_case(home: Home, *identifiers: tuple[str, str]) -> None:
    """Somebody who is known by the login of person 1 in another case, and by these."""
    with duckdb.connect(str(home.published)) as file:
        file.executemany(
            "insert into marts.bridge_customer_identifiers (customer_id, identifier_type,"
            " identifier_value, is_shared) values ('othercase', ?, ?, false)",
            [("login", OTHER_CASE), *identifiers],
        )
    add_visits(home, OTHER_CASE)
    with open_store(home) as store:
        grant_consent(
            store,
            identifier_type="login",
            identifier_value=OTHER_CASE,
            channel="onsite",
            purpose="marketing",
            source="form",
            wording_version="v1",
            at=NOW,
            default_country="GB",
        )


def add_visits(home: Home, *logins: str) -> None:
    with duckdb.connect(str(home.raw)) as raw:
        raw.executemany(
            "insert into raw_web.events (_row_id, event, user_id) values (?, 'Page Viewed', ?)",
            [(f"case:{login}", login) for login in logins],
        )


def visits(home: Home) -> set[str]:
    with duckdb.connect(str(home.raw), read_only=True) as raw:
        rows = raw.execute("select user_id from raw_web.events where _row_id like 'case:%'")
        return {row[0] for row in rows.fetchall()}


def is_login_refused(home: Home, login: str) -> bool:
    person = Identifier("login", login)
    with open_store(home) as store, store.read() as connection:
        policy = Policy("onsite", "marketing")
        states = load_states(connection, {person.key}, policy, to_micros(NOW))
        return decide([person], states, policy).reason is Reason.FORGOTTEN


def test_another_case_of_a_login_is_forgotten_with_it_and_does_not_come_back(home: Home) -> None:
    add_other_case(home, ("device", "device-of-another-case"))
    add_visits(home, "login-CANARY-001", "login-canary-002")
    said(home, "login-canary-001")
    assert visits(home) == {"login-canary-002"}
    assert traces(home.root, ["othercase", "device-of-another-case", OTHER_CASE]) == []
    assert is_login_refused(home, OTHER_CASE)
    assert is_login_refused(home, "Login-Canary-001")
    assert not is_login_refused(home, "login-canary-002")
    add_visits(home, "Login-Canary-001", "Login-Canary-0012")
    with open_store(home) as store:
        strip_arrivals(home, store, "GB")
    assert visits(home) == {"login-canary-002", "Login-Canary-0012"}


@pytest.mark.parametrize("own", [("email", "other@example.org"), ("phone", "+447700900999")])
def test_another_case_of_a_login_that_is_somebody_elses_stays(
    home: Home, own: tuple[str, str]
) -> None:
    add_other_case(home, own)
    printed = said(home, "login-canary-001")
    assert "1 of the identifiers are somebody else's in another case, who stays" in printed
    assert visits(home) == {OTHER_CASE}
    assert traces(home.root, ["othercase"]) != []
    assert is_login_refused(home, "login-canary-001")
    assert not is_login_refused(home, OTHER_CASE)


def test_a_login_refused_in_advance_is_refused_in_every_case(home: Home) -> None:
    said(home, "login:New-Comer", in_advance=True)
    assert is_login_refused(home, "new-comer")
    assert is_login_refused(home, "NEW-COMER")
