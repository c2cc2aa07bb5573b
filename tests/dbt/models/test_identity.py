"""Who is who, each test named after the trouble that it guards against (S54, RELIABILITY B7-B9)."""

from __future__ import annotations

import hashlib

import duckdb
import pytest

Connection = duckdb.DuckDBPyConnection


def owner(built: Connection, kind: str, value: str) -> str | None:
    """The customer of an identifier."""
    found = built.execute(
        "select customer_id from intermediate.int_customer_identifiers "
        "where identifier_type = ? and identifier_value = ?",
        [kind, value],
    ).fetchall()
    assert len(found) == 1, f"{len(found)} rows for {kind} {value}"
    return found[0][0]


def edge(built: Connection, value_a: str, value_b: str) -> tuple[str, str | None]:
    """Status and refusal reason of a pair."""
    found = built.execute(
        "select status, refusal_reason from marts.fct_identity_edges "
        "where identifier_a_value in ($a, $b) and identifier_b_value in ($a, $b)",
        {"a": value_a, "b": value_b},
    ).fetchall()
    assert len(found) == 1, f"{len(found)} pairs"
    return found[0]


def customer_of_order(built: Connection, order_id: str) -> str | None:
    """The customer of an order."""
    found = built.execute(
        "select customer_id from intermediate.int_orders_resolved where order_id = ?", [order_id]
    ).fetchone()
    assert found
    return found[0]


def test_shared_kiosk_joins_nobody(built: Connection) -> None:
    kiosk, ann, bob = (
        owner(built, "device", "kiosk"), owner(built, "login", "ann"), owner(built, "login", "bob")
    )  # fmt: skip
    assert len({kiosk, ann, bob}) == 3
    assert edge(built, "kiosk", "ann") == ("refused", "shared_device")
    assert owner(built, "email", "bob@home.example") == bob


def test_events_on_a_kiosk_go_to_whoever_is_signed_in(built: Connection) -> None:
    found = built.execute(
        "select event_id, customer_id from intermediate.int_web_interactions "
        "where device_id = 'kiosk' order by event_id"
    ).fetchall()
    anonymous = owner(built, "device", "kiosk")
    ann, bob = owner(built, "login", "ann"), owner(built, "login", "bob")
    assert [who for _, who in found] == [anonymous, ann, ann, bob, bob]


def test_order_completed_on_a_kiosk_does_not_claim_it(built: Connection) -> None:
    assert customer_of_order(built, "9") == owner(built, "login", "bob")


def test_several_addresses_on_one_device_are_one_person(built: Connection) -> None:
    assert owner(built, "email", "several@one.example") == owner(built, "login", "sev")
    assert owner(built, "email", "several.work@one.example") == owner(built, "login", "sev")


def test_anonymous_history_joins_the_person_who_signs_in_later(built: Connection) -> None:
    cat = owner(built, "login", "cat")
    assert owner(built, "device", "phone-of-cat") == owner(built, "device", "tablet-of-cat") == cat
    first = built.execute(
        "select customer_id from intermediate.int_web_interactions where event_id = 'm0020'"
    ).fetchone()
    assert first == (cat,)


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("device", "null", "placeholder"),
        ("device", "00000000-0000-0000-0000-000000000000", "all_zeros"),
        ("email", "none@none.com", "placeholder"),
        ("phone", "+447700900000", "reserved_number"),
    ],
)
def test_placeholders_identify_nobody(
    built: Connection, kind: str, value: str, reason: str
) -> None:
    assert owner(built, kind, value) is None
    found = built.execute(
        "select block_reason from intermediate.int_customer_identifiers where identifier_value = ?",
        [value],
    ).fetchone()
    assert found == (reason,)


def test_a_tills_placeholders_tie_no_orders_together(built: Connection) -> None:
    owners = [customer_of_order(built, number) for number in ("50", "51", "52", "53")]
    assert None not in owners
    assert len(set(owners)) == 4


def test_events_of_a_nameless_device_go_to_the_login_alone(built: Connection) -> None:
    found = built.execute(
        "select event_id, customer_id from intermediate.int_web_interactions "
        "where event_id in ('m0030', 'm0031', 'm0032') order by event_id"
    ).fetchall()
    eve, fay = owner(built, "login", "eve"), owner(built, "login", "fay")
    assert found == [("m0030", None), ("m0031", eve), ("m0032", fay)]


def test_household_card_under_two_names_joins_nobody(built: Connection) -> None:
    assert owner(built, "payment_card", "card-2") is None
    assert owner(built, "email", "gil@a.example") != owner(built, "email", "ida@b.example")
    assert edge(built, "card-2", "gil@a.example") == ("refused", "shared_payment_card")


def test_an_initial_is_not_another_name(built: Connection) -> None:
    assert owner(built, "email", "jo@a.example") == owner(built, "email", "jo@b.example")


def test_recycled_phone_joins_nobody(built: Connection) -> None:
    assert owner(built, "phone", "+447911123456") is None
    assert owner(built, "email", "kim@a.example") != owner(built, "email", "lou@b.example")


def test_one_address_in_two_spellings_is_one_value(built: Connection) -> None:
    assert owner(built, "email", "spelled@xn--bcher-kva.example") is not None
    assert customer_of_order(built, "70") == customer_of_order(built, "71")


def test_order_completed_ties_an_unshared_device_to_the_order(built: Connection) -> None:
    assert owner(built, "device", "couch") == owner(built, "email", "couch@home.example")


def test_a_device_in_the_orders_notes_is_tied_to_it(built: Connection) -> None:
    assert owner(built, "device", "ned-pc") == owner(built, "loyalty_id", "L1")


def test_an_order_without_identifiers_belongs_to_nobody(built: Connection) -> None:
    assert customer_of_order(built, "81") is None


def test_test_orders_are_no_evidence(built: Connection) -> None:
    seen = built.execute(
        "select count(*) from intermediate.int_customer_identifiers "
        "where identifier_value = 'tester@staff.example'"
    ).fetchone()
    assert seen == (0,)
    assert customer_of_order(built, "80") is None


def test_hand_made_rules_have_the_last_word(built: Connection) -> None:
    assert owner(built, "email", "old@link.example") == owner(built, "email", "new@link.example")
    assert edge(built, "old@link.example", "new@link.example") == ("used", None)
    assert owner(built, "email", "banned@link.example") is None
    assert owner(built, "email", "apart@link.example") != owner(built, "loyalty_id", "L3")
    assert edge(built, "apart@link.example", "L3") == ("refused", "cannot_link")


def test_people_of_the_future_are_not_seen(built: Connection) -> None:
    seen = built.execute(
        "select count(*) from intermediate.int_customer_identifiers "
        "where identifier_value = 'future@link.example'"
    ).fetchone()
    assert seen == (0,)


def test_the_best_evidence_of_a_value_is_kept(built: Connection) -> None:
    found = built.execute(
        "select identifier_value, evidence_grade from intermediate.int_customer_identifiers "
        "where identifier_value in ('ned@a.example', 'L1', 'sev', 'old@link.example', 'ned-pc') "
        "order by identifier_value"
    ).fetchall()
    assert found == [
        ("L1", "store_till"), ("ned-pc", "card_paid_order"), ("ned@a.example", "card_paid_order"),
        ("old@link.example", "newsletter"), ("sev", "verified_login"),
    ]  # fmt: skip


def test_an_id_is_born_from_the_first_identifier(built: Connection) -> None:
    expected = hashlib.md5(b"device|phone-of-cat", usedforsecurity=False).hexdigest()
    assert owner(built, "login", "cat") == expected


def test_every_identifier_that_stands_for_somebody_is_registered(built: Connection) -> None:
    missing = built.execute(
        "select count(*) from intermediate.int_customer_identifiers as seen "
        "left join intermediate.int_identity_registry_next as kept "
        "using (identifier_type, identifier_value) "
        "where seen.customer_id is distinct from kept.customer_id"
    ).fetchone()
    assert missing == (0,)
