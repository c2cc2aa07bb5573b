"""A refusal in a row that is in quarantine counts, however bad the rest of the row is."""

from __future__ import annotations

import gzip
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from ingestion.files.folder import InputFolder
from ingestion.files.reader import Reader
from ingestion.files.source import header_check
from ingestion.registry import SOURCES
from ingestion.sources.consents import CONSENTS as CONSENTS_SPEC
from orchestration.activation.gate import Identifier, Policy, decide, load_states
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission import unknown_words
from orchestration.ops.permission.consent_facts import FactCounts, record_consent_facts
from orchestration.ops.permission.held_rows import found_addresses
from orchestration.ops.permission.status_words import REFUSALS, Meaning, StatusWords, status_words
from orchestration.ops.store import Store, from_micros, open_store, to_micros
from tests.orchestration.ops.conftest import AS_OF
from tests.orchestration.ops.raw_file import write_held, write_raw

LATER = datetime(2026, 12, 1)
YES = {
    "identifier_type": "email",
    "identifier_value": "ann@example.com",
    "channel": "email",
    "purpose": "marketing",
    "status": "granted",
    "occurred_at": datetime(2026, 1, 1, 8),
    "source": "form",
    "wording_version": "v1",
}


def _record(store: Store, home: Home, **options: Any) -> FactCounts:
    return record_consent_facts(store, home.raw, as_of=AS_OF, default_country="GB", **options)


def _reason(
    store: Store, kind: str = "email", value: str = "ann@example.com", channel: str = "email"
) -> str:
    policy = Policy(channel, "marketing")
    with store.read() as connection:
        standings = load_states(connection, [(kind, value)], policy, to_micros(LATER))
    return str(decide([Identifier(kind, value)], standings, policy).reason)


def _row(**values: Any) -> str:
    return json.dumps(values, default=str)


CONSENTS, CONTACTS, EVENTS = "consents.consents", "contacts.contacts", "email.events"
MESSAGES, FEEDBACK = "messages.messages", "feedback.feedback"
OF_ANN = {"channel": "email", "identifier_type": "email", "identifier_value": "ann@example.com"}
HELD = [
    # An event without its id, without a time, with a time of nobody's calendar.
    (EVENTS, "e.json", _row(email="Ann@example.com", event="unsubscribe", timestamp=1), ""),
    (EVENTS, "e.json", _row(email="ann@example.com", event="spamreport"), "spam_report"),
    (EVENTS, "e.json", _row(email="ann@example.com", event="bounce", timestamp="?"), ""),
    (EVENTS, "e.json", _row(email="ann@example.com", event="dropped"), "unknown_opt_out"),
    (EVENTS, "e.json", _row(email="ann@example.com", event="mislaid"), "unknown_opt_out"),
    (EVENTS, "e.json", _row(email="Ann <ann@example.com>", event="unsubscribe"), ""),
    # Cut short, with bytes of another encoding, with what is no JSON in it.
    (EVENTS, "e.json", '{"email":"ann@example.com","event":"unsubscribe","timesta', ""),
    (EVENTS, "e.json", '{"event":"unsubscribe","ip":NaN,"email":"ann@example.com",}', ""),
    (EVENTS, "e.json", '{"email":"ann@example.com","event":"spamreport","x":"Zo\\xeb"', ""),
    (EVENTS, "e.csv", "ann@example.com,unsubscribe,2026-01-01,one,too,many", ""),
    (EVENTS, "e.csv", "ann@example.com;wibble;2026", "unknown_opt_out"),
    # A step of a message: without its id, of an odd channel, with a word of another system.
    (MESSAGES, "m.json", _row(**OF_ANN, event="unsubscribed"), ""),
    (MESSAGES, "m.json", _row(**{**OF_ANN, "channel": "pigeon"}, event="Opted Out"), ""),
    (MESSAGES, "m.json", _row(**OF_ANN, event="mislaid"), "unknown_opt_out"),
    (MESSAGES, "m.json", _row(**OF_ANN, text="stop"), ""),
    (MESSAGES, "m.csv", "m1,email,email,ann@example.com,replied,2026-01-01,,stop,", ""),
    (MESSAGES, "m.json", '{"identifier_value":"ann@example.com","event":"unsubscribed","oc', ""),
    # Keys in another spelling; two statuses, of which either may hold.
    (CONSENTS, "c.jsonl", _row(**{key.title(): value for key, value in YES.items()} | {"Status": "revoked"}), "revoked"),  # noqa: E501
    (CONSENTS, "c.jsonl", _row(**{**YES, "Status": "revoked"}), "revoked"),
    (CONSENTS, "c.jsonl", _row(**YES)[:-1] + ', "status": "revoked"}', "revoked"),
    (CONSENTS, "c.jsonl", _row(**{**YES, "status": "revoked"})[:-1] + ', "status": "granted"}', "revoked"),  # noqa: E501
    (CONTACTS, "c.jsonl", _row(Email="ann@example.com", STATUS="unsubscribed"), "unsubscribed"),
    (MESSAGES, "m.jsonl", _row(**OF_ANN, EVENT="unsubscribed"), "unsubscribed"),
    # A reply in feedback: without its time, of a kind that we do not know, a cell too many.
    (FEEDBACK, "f.json", _row(**OF_ANN, kind="reply", answer="stop"), ""),
    (FEEDBACK, "f.json", _row(**OF_ANN, kind="answered", answer="stop"), ""),
    (FEEDBACK, "f.json", _row(email="ann@example.com", kind="reply", answer="stop"), ""),
    (FEEDBACK, "f.csv", "email,ann@example.com,reply,,stop,2026-01-01,,,", ""),
    # The consent log: a spreadsheet's dates, another system's words, no channel, a line too short.
    (CONSENTS, "c.csv", _row(**{**YES, "status": "STOP", "occurred_at": "15/2/26"}), ""),
    (CONSENTS, "c.csv", _row(**{**YES, "status": "Abgemeldet", "occurred_at": ""}), ""),
    (CONSENTS, "c.csv", _row(**{**YES, "status": "no", "occurred_at": "1970-1-1"}), ""),
    (CONSENTS, "c.csv", _row(email="ann@example.com", status="denied"), ""),
    (CONSENTS, "c.csv", _row(**{**YES, "identifier_type": "E-Mail", "status": "no"}), ""),
    (CONSENTS, "c.csv", "email,ann@example.com,email,revoked", ""),
    # ... and no status: what the rest of the row says, else a no until somebody mends the row.
    (CONSENTS, "c.csv", _row(**{**YES, "status": "", "source": "Unsubscribe"}), ""),
    (CONSENTS, "c.csv", _row(**{**YES, "status": " "}), "unknown_opt_out"),
    (CONSENTS, "c.json", _row(**OF_ANN, purpose="marketing", status=None), "unknown_opt_out"),
    (CONSENTS, "c.json", _row(**OF_ANN, purpose="marketing", choice="Abgemeldet"), ""),
    (EVENTS, "e.json", _row(email="ann@example.com", event="", reason="unsubscribed"), ""),
    # Lists: an impossible birthday, a name in Latin-1, a header we do not know.
    (CONTACTS, "l.csv", _row(email="ann@example.com", birthday="?", status="opt-out"), ""),
    (CONTACTS, "l.csv", _row(email="ann@example.com", first_name="Zo\\xeb", status="x y"), ""),
    (CONTACTS, "l.csv", _row(**{"Email Address": "ann@example.com", "UNSUB_TIME": "2026"}), ""),
    (CONTACTS, "cleaned_members.csv", _row(mail="ann@example.com"), "hard_bounce"),
]  # fmt: skip


def _of_person(number: int, text: str) -> str:
    """A text about ann@example.com, in whichever case, as one about the person of a number."""
    return re.sub("(?<=nn)@(?=example.com)", f"{number}@", text)


def test_a_refusal_that_is_held_ends_the_opt_in(store: Store, home: Home) -> None:
    """Each row is held of a person of its own, and ends the opt-in of that person."""
    people = [_of_person(number, "ann@example.com") for number in range(len(HELD))]
    granted = [{**YES, "identifier_value": person} for person in people]
    write_raw(home.raw, "1.0", raw_consents__consents=granted)
    _record(store, home)
    assert {_reason(store, value=person) for person in people} == {"None"}
    for number, (table, file, text, _) in enumerate(HELD):
        path = f"{table.split('.', maxsplit=1)[0]}/{number}/{file}"
        write_held(home.raw, f"2.{number}", table, path, _of_person(number, text))
    _record(store, home)
    wrong = {}
    for number, (person, (*_, expected)) in enumerate(zip(people, HELD, strict=True)):
        reason = _reason(store, value=person)
        if reason not in ({expected} if expected else _reason_words()):
            wrong[number] = reason
    assert not wrong
    before = _facts(store)
    assert _record(store, home) == FactCounts(0, 0, 0)
    _record(store, home, rescan=True)
    assert _facts(store) == before


def _reason_words() -> set[str]:
    return {str(meaning) for meaning in REFUSALS} | {"unknown_opt_out"}


def _facts(store: Store) -> list[Any]:
    with store.read() as connection:
        return [
            tuple(row)
            for table in (schema.consent_events, schema.suppressions)
            for row in connection.execute(select(table).order_by(*table.primary_key))
        ]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("email.events", _row(email="ann@example.com", event="delivered")),
        ("email.events", _row(email="ann@example.com", event="bounce", type="blocked")),
        ("contacts.contacts", _row(email="ann@example.com", birthday="?", status="subscribed")),
        ("contacts.contacts", _row(email="ann@example.com", birthday="?")),
        (FEEDBACK, _row(**OF_ANN, kind="survey", answer="stop")),
        (FEEDBACK, _row(**OF_ANN, kind="reply", answer="")),
        ("consents.consents", _row(**{**YES, "occurred_at": "?"})),
        ("consents.consents", _row(**{**YES, "status": "requested", "occurred_at": "?"})),
    ],
    ids=[
        "delivered",
        "blocked",
        "subscribed",
        "no status",
        "survey",
        "reply",
        "granted",
        "requested",
    ],
)
def test_what_is_held_and_says_no_no_changes_nothing(
    store: Store, home: Home, table: str, text: str
) -> None:
    write_raw(home.raw, "1.0", raw_consents__consents=[YES])
    write_held(home.raw, "1.0", table, f"{table.split('.', maxsplit=1)[0]}/a.csv", text)
    _record(store, home)
    assert _reason(store) == "None"


def test_a_consent_without_a_status_ends_its_own_channel_alone(store: Store, home: Home) -> None:
    by_text = {**YES, "channel": "sms"}
    write_raw(home.raw, "1.0", raw_consents__consents=[YES, by_text])
    write_held(home.raw, "2.0", CONSENTS, "consents/c.csv", _row(**{**by_text, "status": ""}))
    _record(store, home)
    assert (_reason(store), _reason(store, channel="sms")) == ("None", "unknown_opt_out")


def test_what_is_held_permits_nothing(store: Store, home: Home) -> None:
    good_but_held = {**YES, "occurred_at": "2026-01-01T08:00:00Z"}
    write_held(home.raw, "1.0", "consents.consents", "consents/c.csv", _row(**good_but_held))
    assert _record(store, home).consents == 0
    assert _reason(store) == "no_consent"


def test_an_undated_refusal_counts_from_the_run_that_saw_it(store: Store, home: Home) -> None:
    write_raw(home.raw, "1.0", raw_consents__consents=[YES])
    text = _row(email="ann@example.com", event="unsubscribe", timestamp=0)
    write_held(home.raw, "1.0", EVENTS, "email/e.json", text)
    _record(store, home)
    with store.read() as connection:
        moment = connection.execute(select(schema.suppressions.c.occurred_at)).scalar_one()
    assert from_micros(moment) == AS_OF


def test_a_file_that_was_refused_whole_is_read_line_by_line(store: Store, home: Home) -> None:
    write_raw(home.raw, "1.0", raw_consents__consents=[YES])
    text = "address;state\nann@example.com;Abgemeldet\nbob@example.com;subscribed\ncut@exam"
    write_held(home.raw, "1.0", "consents.consents", "consents/c.csv", text, line=0)
    _record(store, home)
    assert _reason(store) == "unsubscribed"
    assert _reason(store, value="bob@example.com") == "no_consent"


HEADLESS = [
    (
        "consents/c.csv",
        "email,bob@example.com,email,marketing,granted,2026-02-01\nemail,ann@example.com,email,marketing,revoked,2026-02-01",
    ),
    ("consents/c.csv", "email;ann@example.com;email;marketing;revoked;2026-02-01"),
    ("consents/optouts.txt", "ann@example.com"),
    ("consents/list.txt", "carl@example.com\nann@example.com\n"),
    ("contacts/unsubscribes.csv", "ann@example.com\n"),
    ("contacts/unsubscribes.csv", "carl@example.com\nann@example.com\n"),
    ("contacts/list.csv", "ann@example.com,Ann,Abgemeldet\n"),
    ("contacts/optouts.txt", "who left:\nann@example.com\n"),
    ("consents/c.csv", "email,status,status\nann@example.com,revoked,granted\n"),
]


@pytest.mark.parametrize(
    ("file", "text"), HEADLESS, ids=[str(number) for number in range(len(HEADLESS))]
)
def test_a_list_without_a_header_is_refused_whole_and_read_from_its_first_line(
    store: Store, home: Home, tmp_path: Path, file: str, text: str
) -> None:
    bob = {**YES, "identifier_value": "bob@example.com"}
    write_raw(home.raw, "1.0", raw_consents__consents=[YES, bob])
    source = file.split("/", maxsplit=1)[0]
    path = tmp_path / "in" / file
    path.parent.mkdir(parents=True)
    path.write_text(text)
    folder = InputFolder.at(tmp_path / "in")
    (part,) = SOURCES[source].route(folder, SOURCES[source].files(folder), False)
    reader = part.reader(folder)
    assert list(reader.batches(part.files)) == []
    (refused,) = reader.rejects
    write_held(home.raw, "2.0", f"{source}.{source}", file, refused.raw_text, line=0)
    counts = _record(store, home)
    assert _reason(store) not in ("None", "no_consent")
    assert (_reason(store, value="bob@example.com"), counts.unread_files) == ("None", 0)


def test_a_text_that_says_no_word_of_refusing_is_told(store: Store, home: Home) -> None:
    write_raw(home.raw, "1.0", raw_consents__consents=[YES])
    write_held(home.raw, "2.0", CONTACTS, "contacts/spring.txt", "ann@example.com", line=0)
    assert _record(store, home).unread_files == 1


def test_a_note_without_an_address_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "contacts").mkdir()
    (tmp_path / "contacts" / "readme.txt").write_text("Of 2026-01-05, by the shop.")
    folder = InputFolder.at(tmp_path)
    files = SOURCES["contacts"].files(folder)
    reader = SOURCES["contacts"].route(folder, files, False)[0].reader(folder)
    assert (list(reader.batches(files)), reader.rejects) == ([], [])


def test_an_array_that_is_cut_short_is_read_as_far_as_it_goes(store: Store, home: Home) -> None:
    bob = {**YES, "identifier_value": "bob@example.com"}
    write_raw(home.raw, "1.0", raw_consents__consents=[YES, bob])
    text = f"[{_row(email='bob@example.com', event='open')}, {_row(email='ann@example.com', event='spamreport')}"  # noqa: E501
    write_held(home.raw, "1.0", EVENTS, "email/cut.json.gz", text + ', {"email": "bo', line=0)
    _record(store, home)
    assert (_reason(store), _reason(store, value="bob@example.com")) == ("spam_report", "None")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("consents/c.csv", b"email,wish\nann@example.com,revoked\n"),
        ("consents/c.csv", "email,wish\nann@example.com,revoked\n".encode("utf-16")),
        ("consents/c.csv.gz", gzip.compress(b"email,wish\nann@example.com,revoked\n" * 9)[:-9]),
    ],
    ids=["header", "encoding", "cut"],
)
def test_a_file_that_is_refused_keeps_the_text_that_can_be_read(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / "consents").mkdir()
    (tmp_path / name).write_bytes(content)
    folder = InputFolder.at(tmp_path)
    reader = Reader(folder, header_check(CONSENTS_SPEC), keeps_refused=CONSENTS_SPEC.may_refuse)
    assert list(reader.batches(folder.files("consents"))) == []
    (refused,) = reader.rejects
    assert refused.line == 0
    assert "ann@example.com,revoked" in refused.raw_text


def test_files_without_a_text_and_refusals_of_nobody_wait_for_a_person(
    store: Store, home: Home
) -> None:
    write_held(home.raw, "1.0", "email.events", "email/cut.json.gz", "", line=0)
    write_held(
        home.raw, "1.0", "email.events", "email/e.json", _row(email="?", event="unsubscribe")
    )
    counts = _record(store, home)
    assert (counts.unread_files, counts.refusals_of_nobody) == (1, 1)
    assert len(counts.for_a_person()) == 2
    waiting = {(each.said_in, each.word) for each in unknown_words.noted(store)}
    assert waiting == {
        (unknown_words.UNREAD_FILE, "email: email/cut.json.gz"),
        (unknown_words.NOBODY, "sendgrid:unsubscribe"),
    }


def test_unknown_words_are_counted_and_never_show_an_address(store: Store, home: Home) -> None:
    write_raw(
        home.raw,
        "1.0",
        raw_contacts__contacts=[
            {"email": "a@example.com", "status": "Flummoxed"},
            {"email": "b@example.com", "status": "Flummoxed"},
            {"email": "c@example.com", "status": "c@example.com"},
        ],
        raw_consents__consents=[
            {**YES, "channel": "pigeon", "status": "revoked"},
            {**YES, "identifier_value": "d@example.com", "purpose": "gifts"},
        ],
    )
    assert _record(store, home).unknown_words == 4
    found = {(each.said_in, each.word): each.row_count for each in unknown_words.noted(store)}
    assert found == {
        ("contacts.status", "flummoxed"): 2,
        ("contacts.status", "(masked)"): 1,
        ("consents.channel", "pigeon"): 1,
        ("consents.purpose", "gifts"): 1,
    }
    assert _reason(store, value="a@example.com") == "unknown_opt_out"
    assert _reason(store, channel="sms") == "revoked"
    assert _reason(store, value="d@example.com") == "no_consent"


@pytest.mark.parametrize(("meaning", "reason"), [("granted", "None"), ("manual", "manual")])
def test_a_word_that_is_learnt_is_settled(
    store: Store, home: Home, monkeypatch: pytest.MonkeyPatch, meaning: str, reason: str
) -> None:
    write_raw(home.raw, "1.0", raw_consents__consents=[YES])
    text = _row(email="ann@example.com", status="Flummoxed")
    write_held(home.raw, "1.0", CONTACTS, "contacts/l.csv", text)
    _record(store, home)
    assert _reason(store) == "unknown_opt_out"
    known = status_words()
    word = {"flummoxed": Meaning(meaning)}
    learnt = StatusWords(known.meanings | word, known.plain_meanings | word, known.fingerprint + 1)
    for module in ("consent_facts", "unknown_words"):
        monkeypatch.setattr(f"orchestration.ops.permission.{module}.status_words", lambda: learnt)
    _record(store, home)
    assert _reason(store) == reason
    assert unknown_words.noted(store) == []


def test_a_national_number_is_refused_in_every_country_it_may_be_of(
    store: Store, home: Home
) -> None:
    stop = {**YES, "identifier_type": "phone", "channel": "sms", "status": "revoked"}
    yes = {**stop, "status": "granted", "identifier_value": "+14155552671"}
    write_raw(
        home.raw,
        "1.0",
        raw_consents__consents=[yes, {**stop, "identifier_value": "(415) 555-2671"}],
    )
    _record(store, home)
    assert _reason(store, "phone", "+14155552671", "sms") == "None", "nobody is known to be there"
    write_raw(home.raw, "2.0", raw_contacts__contacts=[{"email": "b@x.example", "country": "US"}])
    _record(store, home)
    assert _reason(store, "phone", "+14155552671", "sms") == "revoked"


def test_a_refusal_of_sms_ends_what_concerns_an_order_too(store: Store, home: Home) -> None:
    stop = {
        **YES,
        "identifier_type": "phone",
        "identifier_value": "07700 900123",
        "channel": "sms",
        "status": "revoked",
    }
    write_raw(home.raw, "1.0", raw_consents__consents=[stop])
    _record(store, home, sms_refusal_ends_everything=False)
    with store.read() as connection:
        purposes = connection.execute(select(schema.consent_events.c.purpose)).scalars().all()
    assert purposes == ["marketing"]
    _record(store, home, rescan=True)
    with store.read() as connection:
        purposes = connection.execute(select(schema.consent_events.c.purpose)).scalars().all()
    assert sorted(purposes) == ["*", "marketing"]


def _spelt(word: str, choice: Any) -> str:
    spelling = choice.draw(st.sampled_from([str.upper, str.title, str.lower, str]))
    blank = choice.draw(st.sampled_from([" ", "-", "_", "  ", ""]))
    return f"{choice.draw(st.sampled_from(['', ' ', chr(9)]))}{spelling(word).replace(' ', blank)} "


REFUSING = sorted(word for word, meaning in status_words().meanings.items() if meaning in REFUSALS)
BREAKS = (
    lambda text: text,
    lambda text: text[:-1],
    lambda text: text[:-1] + ', "more": "Zo\\xeb',
    lambda text: text[:-1] + ', "count": NaN}',
    lambda text: text.replace(": ", " : ") + ",",
)


# Shrinking would take minutes: each example is a store of its own.
@pytest.mark.faults
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.data())
def test_nobody_is_contactable_after_a_refusal_in_any_words_and_any_condition(
    tmp_path_factory: pytest.TempPathFactory, choice: st.DataObject
) -> None:
    home = Home(tmp_path_factory.mktemp("home")).create()
    letters = st.text("abcdefghijklmnopqrstuvwxyz", min_size=12, max_size=20)
    unknown = letters.filter(lambda text: status_words().meaning(text) is None)
    word = _spelt(choice.draw(st.one_of(st.sampled_from(REFUSING), unknown)), choice)
    place = choice.draw(st.sampled_from(["consents", "contacts", "email"]))
    with open_store(home) as store:
        write_raw(home.raw, "1.0", raw_consents__consents=[YES])
        row = {
            "consents": {**YES, "status": word, "occurred_at": "?"},
            "contacts": {"email": "ann@example.com", "status": word},
            "email": {"email": "ann@example.com", "event": word},
        }[place]
        text = choice.draw(st.sampled_from(BREAKS))(_row(**row))
        tables = {"consents": "consents", "contacts": "contacts", "email": "events"}
        write_held(home.raw, "1.0", f"{place}.{tables[place]}", f"{place}/a.jsonl", text)
        _record(store, home)
        assert _reason(store) != "None", (place, text)


@pytest.mark.parametrize(
    "text",
    ["＜ann@example.com＞", "<ann@example.com>", "mailto:ann@example.com", "A <ann＠example.com>"],
)
def test_an_address_is_found_within_what_stands_around_it(text: str) -> None:
    assert found_addresses(text) == ["ann@example.com"]


def test_a_customer_number_in_a_further_shops_file_is_of_its_own_customer(
    store: Store, home: Home
) -> None:
    number = {"identifier_type": "orders_customer_id", "identifier_value": "7", "channel": "email"}
    refusal = _row(**number, purpose="marketing", status="no")
    write_held(home.raw, "1", CONSENTS, "consents/outlet/c.json", refusal)
    _record(store, home, shops=(("*/outlet/*", "outlet"),))
    assert _reason(store, "orders_customer_id", "outlet:7") == "denied"
    assert _reason(store, "orders_customer_id", "7") == "no_consent"
