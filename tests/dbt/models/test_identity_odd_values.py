"""Values that were made to deceive or came out wrong, each with its defined outcome."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.dbt import scenes
from tests.dbt.world import World

AS_OF = "2026-06-01 00:00:00"
HINTS = "{mailbox_hints: true}"
PEOPLE = (
    *("--select", "+int_identity_last_solved", "+int_customers", "+int_orders_resolved"),
    *("+int_identity_under_merging", "--exclude", "path:tests"),
)
LATIN, CYRILLIC = "pay@shop.example", "p\u0430y@shop.example"
TURNED = "ann\u202e@odd.example"
ARABIC = "\u0660\u0667\u0667\u0660\u0660 \u0669\u0660\u0660\u0661\u0664\u0662"
HEBREW = "\u05d0\u05d1\u05d2"
MEGABYTE = "x" * 1_048_576


def listed(email: str, **more: str) -> dict[str, str]:
    """An entry of a list, at a time of its own."""
    return {"email": email, "source": "newsletter", "created_at": "2026-05-01 00:00:00"} | more


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One small shop of odd values."""
    world = World(Path(tmp_path_factory.mktemp("odd")), AS_OF)
    world.add(
        "raw_contacts.contacts",
        [
            listed(LATIN, loyalty_id="L1"),
            listed(CYRILLIC, loyalty_id="L2"),
            listed("pay@\u0455hop.example", loyalty_id="L3"),
            listed("ann@odd.example", loyalty_id="L4"),
            listed(TURNED, phone="07700 900141"),
            listed("mo@odd.example", phone=ARABIC),
            listed("mo.two@odd.example", phone="07700 900142"),
            listed(" ", loyalty_id="L5"),
            listed("j.doe@gmail.com", loyalty_id="L6"),
            listed("jdoe+tea@googlemail.com", loyalty_id="L7"),
            listed("j.doe@elsewhere.example", loyalty_id="L8"),
            listed("jdoe@elsewhere.example", loyalty_id="L9"),
        ],
    )  # fmt: skip
    world.add(
        "raw_web.events",
        [
            scenes.identify(1, "02 09:00", "odd-1", HEBREW, email="hebrew@odd.example"),
            scenes.identify(2, "02 09:00", "odd-2", MEGABYTE, email="long@odd.example"),
        ],
    )
    world.add(
        "raw_orders.orders",
        [
            scenes.order("1", "03 09:00:00", email="long@odd.example", phone=MEGABYTE),
            scenes.order("2", "03 10:00:00", email=MEGABYTE + "@odd.example"),
            scenes.order("3", "03 11:00:00", email="", phone="", customer={"id": ""}),
        ],
    )
    world.build(*PEOPLE, variables=HINTS)
    return world


def owner(con: duckdb.DuckDBPyConnection, value: str) -> str | None:
    """Whose a value is."""
    row = con.execute(
        "select customer_id from intermediate.int_customer_identifiers where identifier_value = ?",
        [value],
    ).fetchone()
    return str(row[0]) if row else None


def test_a_look_alike_in_another_script_is_somebody_else(odd: World) -> None:
    """A Cyrillic letter in name or domain makes another address, and another person."""
    with odd.warehouse() as con:
        found = [owner(con, LATIN), owner(con, CYRILLIC), owner(con, "pay@xn--hop-ehd.example")]
        cards = [owner(con, card) for card in ("L1", "L2", "L3")]
    assert found == cards
    assert None not in found and len(set(found)) == 3


def test_marks_that_turn_the_writing_do_not_make_another_address(odd: World) -> None:
    with odd.warehouse() as con:
        assert owner(con, "+447700900141") == owner(con, "L4") == owner(con, "ann@odd.example")


def test_writing_from_the_right_is_kept_whole(odd: World) -> None:
    with odd.warehouse() as con:
        assert owner(con, HEBREW) == owner(con, "hebrew@odd.example") is not None


def test_digits_of_another_script_are_the_same_number(odd: World) -> None:
    with odd.warehouse() as con:
        assert owner(con, "mo@odd.example") == owner(con, "mo.two@odd.example") is not None


def test_a_value_of_a_megabyte_identifies_nobody_and_loses_nothing(odd: World) -> None:
    """The order stays its address's; one with nothing else to go by is nobody's."""
    with odd.warehouse() as con:
        orders = dict(
            con.execute(
                "select order_id, customer_id from intermediate.int_orders_resolved"
            ).fetchall()
        )
        long = owner(con, "long@odd.example")
        widest = con.execute(
            "select max(length(identifier_value)) from intermediate.int_identifiers"
        ).fetchone()
    assert orders == {"1": long, "2": None, "3": None}
    assert widest and widest[0] <= 512


def test_an_empty_value_is_no_value(odd: World) -> None:
    with odd.warehouse() as con:
        empty = con.execute(
            "select count(*) from intermediate.int_identifiers where trim(identifier_value) = ''"
        ).fetchone()
        assert owner(con, "L5") is not None
    assert empty == (0,)


def test_one_mailbox_under_two_spellings_is_a_hint_and_no_merge(odd: World) -> None:
    """Dots and a suffix are the same mailbox at Gmail; elsewhere dots are somebody else."""
    with odd.warehouse() as con:
        pair = sorted([str(owner(con, "L6")), str(owner(con, "L7"))])
        found = con.execute(
            "select customer_a, customer_b, signal, score "
            "from intermediate.int_identity_under_merging"
        ).fetchall()
    assert pair[0] != pair[1]
    assert found == [(*pair, "same_mailbox", 1)]


def test_somebody_who_was_forgotten_comes_back_as_a_stranger(odd: World) -> None:
    """Nothing of before returns with them: no order, no card, no earlier date."""
    with odd.warehouse() as con:
        assert owner(con, "long@odd.example") is not None
    with duckdb.connect(str(odd.home / "raw.duckdb")) as raw:
        for table, column in (
            ("raw_web.events", "anonymous_id"),
            ("raw_orders.orders", "order_id"),
        ):
            raw.execute(f"delete from {table} where {column} in ('odd-2', '1')")
    odd.new_load()
    odd.add("raw_orders.orders", [scenes.order("4", "20 09:00:00", email="long@odd.example")])
    odd.build(*PEOPLE, "--full-refresh", variables=HINTS)
    with odd.warehouse() as con:
        row = con.execute(
            "select count(*), min(i.first_seen_at), min(o.order_id), count(distinct o.order_id) "
            "from intermediate.int_customer_identifiers as i "
            "join intermediate.int_orders_resolved as o using (customer_id) "
            "where i.customer_id = ?",
            [owner(con, "long@odd.example")],
        ).fetchone()
    assert row and (row[0], str(row[1]), row[2], row[3]) == (1, "2026-05-20 09:00:00", "4", 1)
