"""Whoever is signed in may type any address at a checkout: it proves nothing against its owner."""

from __future__ import annotations

import duckdb

from tests.dbt.models.test_identity import customer_of_order, edge, owner

Connection = duckdb.DuckDBPyConnection


def test_typing_anothers_address_does_not_make_one_that_person(built: Connection) -> None:
    """RELIABILITY 3, account thief: with her address, name and customer number he is not Nina."""
    nina, theo = owner(built, "email", "nina@own.example"), owner(built, "login", "theo")
    assert nina is not None and theo is not None
    assert theo != nina
    assert owner(built, "email", "theo@own.example") == theo
    assert edge(built, "theo", "9000") == ("refused", "unproved_login")
    assert owner(built, "device", "theos-pc") != nina
    assert owner(built, "device", "ninas-pc") == nina


def test_the_owner_of_a_typed_address_stays_whole(built: Connection) -> None:
    nina = owner(built, "email", "nina@own.example")
    assert owner(built, "login", "nina") == nina
    assert owner(built, "shopify_customer_id", "9000") == nina
    assert owner(built, "payment_card", "card-nina") == nina


def test_an_order_is_of_whom_it_names_not_of_who_was_signed_in(built: Connection) -> None:
    assert customer_of_order(built, "901") == owner(built, "email", "nina@own.example")


def test_an_address_that_was_paid_under_another_name_is_not_the_account_holders(
    built: Connection,
) -> None:
    assert owner(built, "login", "gus") != owner(built, "email", "gina@guest.example")
    assert edge(built, "gus", "gina@guest.example") == ("refused", "unproved_login")
    assert owner(built, "payment_card", "card-gina") == owner(built, "email", "gina@guest.example")


def test_an_account_holders_second_address_is_the_holders(built: Connection) -> None:
    assert owner(built, "email", "hal@work.example") == owner(built, "email", "hal@own.example")


def test_two_accounts_proved_with_one_address_are_one_person(built: Connection) -> None:
    ivy = owner(built, "email", "ivy@own.example")
    assert owner(built, "login", "ivy-1") == owner(built, "login", "ivy-2") == ivy
    assert owner(built, "shopify_customer_id", "9050") == ivy
    assert edge(built, "ivy-1", "9050") == ("refused", "unproved_login")


def test_two_stores_of_a_chain_and_its_site_know_one_person(built: Connection) -> None:
    visits = built.execute(
        "select customer_id, store_id, sales_channel from intermediate.int_orders_resolved "
        "where order_id in ('907', '908', '909') order by order_id"
    ).fetchall()
    assert len({customer for customer, _, _ in visits} - {None}) == 1
    assert [(store, channel) for _, store, channel in visits] == [
        ("71", "store"),
        ("72", "store"),
        (None, "online"),
    ]
