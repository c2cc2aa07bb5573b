"""Accounts at publishers and push addresses (S125): they join like a device, and as cautiously."""

from __future__ import annotations

import duckdb

from tests.dbt.models.test_identity import edge, owner

Connection = duckdb.DuckDBPyConnection
PUSH = "https://push.example/"


def known(built: Connection, customer_id: str | None) -> bool:
    """Whether a person is more than a browser."""
    row = built.execute(
        "select has_known_identifier from intermediate.int_customers where customer_id = ?",
        [customer_id],
    ).fetchone()
    assert row
    return bool(row[0])


def test_one_reader_on_two_browsers_is_one_person(built: Connection) -> None:
    rea = owner(built, "login", "rea")
    assert rea == owner(built, "publisher_login", "reader-1")
    assert rea == owner(built, "device", "office-pc") == owner(built, "device", "sofa-pad")
    assert edge(built, "reader-1", "office-pc") == ("used", None)


def test_a_subscription_of_two_logins_joins_nobody(built: Connection) -> None:
    assert owner(built, "login", "hal") != owner(built, "login", "hedy")
    assert owner(built, "publisher_login", "reader-2") is None
    assert edge(built, "reader-2", "hedy") == ("refused", "shared_publisher_login")


def test_a_subscription_of_two_names_joins_nobody(built: Connection) -> None:
    assert owner(built, "email", "ivy@north.example") != owner(built, "email", "jon@south.example")
    assert owner(built, "publisher_login", "reader-3") is None


def test_a_subscription_read_where_two_people_sign_in_joins_nobody(built: Connection) -> None:
    assert owner(built, "login", "sue") != owner(built, "login", "tom")
    assert owner(built, "publisher_login", "reader-4") is None
    garden = owner(built, "device", "garden-pad")
    assert garden not in (None, owner(built, "login", "sue"), owner(built, "login", "tom"))


def test_a_browser_between_two_subscriptions_joins_nobody(built: Connection) -> None:
    una, vic = owner(built, "login", "una"), owner(built, "login", "vic")
    assert owner(built, "publisher_login", "reader-5") == una
    assert owner(built, "publisher_login", "reader-6") == vic
    assert len({una, vic, owner(built, "device", "train-pad")}) == 3
    assert edge(built, "reader-6", "train-pad") == ("refused", "unnamed_record")


def test_a_browser_that_forgot_its_cookie_is_known_by_where_messages_reach_it(
    built: Connection,
) -> None:
    pia = owner(built, "login", "pia")
    assert pia == owner(built, "push_token", f"{PUSH}1") == owner(built, "device", "before-cookie")


def test_an_app_of_two_logins_joins_nobody(built: Connection) -> None:
    assert owner(built, "login", "quin") != owner(built, "login", "rob")
    assert owner(built, "push_token", f"{PUSH}2") is None
    assert edge(built, f"{PUSH}2", "rob") == ("refused", "shared_push_token")


def test_whoever_is_only_pushed_to_stays_anonymous(built: Connection) -> None:
    app = owner(built, "device", "app-s")
    assert app == owner(built, "push_token", f"{PUSH}3")
    assert not known(built, app)
    assert known(built, owner(built, "publisher_login", "reader-1"))


def test_a_placeholder_and_a_withdrawn_subscription_tie_nothing(built: Connection) -> None:
    assert owner(built, "publisher_login", "(not set)") is None
    reasons = built.execute(
        "select identifier_type, block_reason from intermediate.int_customer_identifiers "
        "where identifier_value in ('(not set)', ?)",
        [f"{PUSH}4"],
    ).fetchall()
    assert reasons == [("publisher_login", "placeholder")]
