"""The CSV file of all consent and suppression: whole, private, and read back as input."""

from __future__ import annotations

import csv
import itertools
import stat
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from ingestion.errors import UsageError
from ingestion.vocabulary import CHANNELS, PURPOSES
from orchestration.activation.consent_log import COLUMNS, write_consent_log
from orchestration.activation.gate import Identifier, Policy, Reason, decide, load_states
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consent_facts import record_consent_facts
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import Store, open_store, to_micros
from tests.ingestion.conftest import AS_OF
from tests.ingestion.conftest import Shop as InputShop
from tests.orchestration.activation.shop import Shop
from tests.orchestration.suppressions import Suppression, record_suppressions

MARCH = datetime(2026, 3, 1, 12, 0, 0, 250_000)
PEOPLE = [
    *(("email", f"{name}@xn--sder-5qa.example") for name in "abcdefghij"),
    *(("phone", f"+4477009001{number:02}") for number in range(4)),
    ("device", "browser-1"),
    ("login", "=cmd|' /C calc'!A0"),
]


@pytest.fixture
def store(shop: Shop) -> Store:
    """The store of the shop."""
    return shop.store


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The store of a home that knows nothing."""
    return open_store(Home(tmp_path / "other").create())


def test_another_home_reads_the_file_and_lets_the_same_people_through(
    store: Store, other: Store, tmp_path: Path
) -> None:
    fill(store)
    file = tmp_path / "input" / "consents" / "consents.csv"
    file.parent.mkdir(parents=True)
    counts = write_consent_log(store, file)
    assert counts["consents"] >= 20 and counts["suppressions"] >= 6
    shop = InputShop(tmp_path)
    read = shop.run("consents")
    assert read["consents"].quarantined == 0
    assert read["consents"].loaded == sum(counts.values())
    record_consent_facts(other, shop.raw, as_of=AS_OF, default_country="GB")
    answers = allowed(store)
    assert answers == allowed(other)
    assert "gpc" in reasons(other) and set(reasons(store)) <= set(reasons(other))
    assert 4 <= sum(answers.values()) < len(answers)


def test_the_file_is_the_owners_alone_and_its_cells_are_no_formulas(
    store: Store, tmp_path: Path
) -> None:
    fill(store)
    file = tmp_path / "log.csv"
    write_consent_log(store, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == COLUMNS
    assert {row["fact"] for row in rows} == {"consent", "suppression"}
    assert all(row["receipt"] and row["source"] and row["recorded_at"] for row in rows)
    assert not [cell for row in rows for cell in row.values() if cell.startswith("=")]
    assert list(tmp_path.glob("*log.csv?*")) == []


def test_a_refusal_of_an_id_that_looks_like_a_formula_is_read_back(
    store: Store, other: Store, tmp_path: Path
) -> None:
    token = "-x9=_a"
    record_consents(
        store,
        [ConsentEvent("device", token, "push", "*", "revoked", MARCH, "page")],
        recorded_at=AS_OF,
    )
    shop = InputShop(tmp_path)
    shop.write("consents/.keep", "")
    write_consent_log(store, shop.input / "consents" / "log.csv")
    shop.run("consents")
    record_consent_facts(other, shop.raw, as_of=AS_OF, default_country="GB")
    policy = Policy("push", "marketing")
    with other.read() as connection:
        states = load_states(connection, [("device", token)], policy, to_micros(AS_OF))
    assert decide([Identifier("device", token)], states, policy).reason is Reason.REVOKED


def test_an_empty_store_gives_a_header(store: Store, tmp_path: Path) -> None:
    assert write_consent_log(store, tmp_path / "log.csv") == {
        "consents": 0,
        "suppressions": 0,
        "requests": 0,
    }
    assert (tmp_path / "log.csv").read_text().count("\n") == 1


def test_a_file_that_is_there_stays(store: Store, tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        write_consent_log(store, tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_text() == "mine"


def test_a_folder_that_is_not_there_is_one_sentence(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write_consent_log(store, tmp_path / "nowhere" / "log.csv")


def fill(store: Store) -> None:
    """Grants, refusals before and after them, expiries, levels, and every kind of suppression."""
    events = []
    for number, (kind, value) in enumerate(PEOPLE):
        channel = "sms" if kind == "phone" else "push" if kind == "device" else "email"
        granted = ConsentEvent(
            kind, value, channel, "marketing", "granted", MARCH, "form", "v1",
            expires_at=AS_OF - timedelta(days=1) if number == 3 else None,
            proof="sheet-7" if number % 2 else None,
        )  # fmt: skip
        events.append(granted)
        refused_at = MARCH + timedelta(days=1 if number % 3 else -1)
        if number % 4 == 1:
            events.append(
                ConsentEvent(kind, value, channel, "marketing", "revoked", refused_at, "page")
            )
        if number == 5:
            events.append(ConsentEvent(kind, value, "*", "*", "denied", refused_at, "letter"))
        if number == 6:
            quiz = ConsentEvent(
                kind,
                value,
                "email",
                "personalisation",
                "granted",
                MARCH,
                "quiz",
                "v2",
                level="full",
            )
            events.append(quiz)
    record_consents(store, events, recorded_at=AS_OF)
    said = ("unsubscribed", "spam_report", "hard_bounce", "manual", "gpc", "unknown_opt_out")
    suppressions = [
        Suppression(
            *PEOPLE[number], "email", "*", reason, MARCH + timedelta(days=number - 3), "test"
        )
        for number, reason in enumerate(said, 2)
    ]
    record_suppressions(store, suppressions, recorded_at=AS_OF)


def reasons(store: Store) -> list[str]:
    """Why somebody must not be contacted; a signal stays one, which no later yes clears."""
    with store.read() as connection:
        found = connection.scalars(select(schema.suppressions.c.reason)).all()
    return sorted(found)


def allowed(store: Store) -> dict[tuple[str, str, str], bool]:
    """The gate's yes or no for every identifier, channel and purpose."""
    answers = {}
    for channel, purpose in itertools.product(CHANNELS, PURPOSES):
        policy = Policy(channel, purpose)
        with store.read() as connection:
            states = load_states(connection, PEOPLE, policy, to_micros(AS_OF))
        for kind, value in PEOPLE:
            decision = decide([Identifier(kind, value)], states, policy)
            answers[value, channel, purpose] = decision.allowed
    return answers
