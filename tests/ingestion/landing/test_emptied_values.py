"""An optional value that cannot be read is left empty and counted; its row stays."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import SourceError
from ingestion.landing.counts import TableCounts

LINES = "columns: {order_id: Nr, ordered_at: When, sku: Code, quantity: Qty, unit_price: Price}\n"


@pytest.mark.parametrize(
    ("source", "header", "row", "kept", "emptied"),
    [
        ("contacts", "email,birthday,created_at", "a@b.example,0000-00-00,2026-13-01",
         "email", {"birthday": 1, "created_at": 1}),
        ("contacts", "email,birthday,first_name", "a@b.example,1700-01-01,Ann\0",
         "email", {"birthday": 1, "first_name": 1}),
        ("products", "product_id,sku,name,category,price,in_stock,replenish_after_days",
         "1,a,b,c,-2,perhaps,30.5", "product_id",
         {"in_stock": 1, "price": 1, "replenish_after_days": 1}),
        ("payments", "order_id,status,amount,paid_at", "1,paid,NaN,soon", "order_id",
         {"amount": 1, "paid_at": 1}),
        # A card's own number, in groups too; one that does not check is a token
        ("payments", "order_id,status,fingerprint", "1,paid,4242 4242 4242 4242", "order_id",
         {"fingerprint": 1}),
        ("payments", "order_id,status,fingerprint", "1,paid,378282246310005", "order_id",
         {"fingerprint": 1}),
        ("feedback", "identifier_type,identifier_value,kind,score,occurred_at",
         "email,a@b.example,nps,nine,2026-01-01", "kind", {"score": 1}),
    ],
)  # fmt: skip
def test_a_row_keeps_what_can_be_read(
    shop: Any, make: Any, source: str, header: str, row: str, kept: str, emptied: dict[str, int]
) -> None:
    shop.write(f"{source}/a.csv", f"{header}\n{row}\n")
    (count,) = shop.run(source).values()
    assert (make.four(count), count.emptied) == ((1, 1, 0, 0), emptied)
    columns = ", ".join(emptied)
    found = shop.query(f"select {kept}, {columns} from raw_{source}.{count.table}")
    assert found == [(row.split(",")[header.split(",").index(kept)], *[None] * len(emptied))]


@pytest.mark.parametrize(
    "token", ["4242424242424241", "tok_4242424242424242", "424242424242", "9242424242424245"]
)
def test_what_is_no_card_number_is_a_token(shop: Any, token: str) -> None:
    """A wrong check digit, a prefix, too few digits, and digits that no card begins with."""
    shop.write("payments/a.csv", f"order_id,status,fingerprint\n1,paid,{token}\n")
    (count,) = shop.run("payments").values()
    assert count.emptied == {}
    assert shop.query("select fingerprint from raw_payments.payments") == [(token,)]


def test_a_line_file_keeps_no_card_number_either(shop: Any) -> None:
    header = "order_id,ordered_at,sku,quantity,unit_price,payment_fingerprint"
    shop.write("orders/a.csv", f"{header}\n1,2026-01-02,S,1,2.50,5555-5555-5555-4444\n")
    count = shop.run("orders")["order_lines"]
    assert count.emptied == {"payment_fingerprint": 1}
    stored = "select payment_fingerprint from raw_orders.order_lines"
    assert shop.query(stored) == [(None,)]


def test_an_order_of_json_keeps_no_card_number_and_its_token_stays(shop: Any, make: Any) -> None:
    number = make.order(1, payment_fingerprint="5555 5555 5555 4444", note="two bags")
    shop.write("orders/a.jsonl", make.lines(number, make.order(2, payment_fingerprint="tok_1")))
    count = shop.run("orders")["orders"]
    assert (make.four(count), count.emptied) == ((2, 2, 0, 0), {"payment_fingerprint": 1})
    stored = (
        "select payload->>'$.payment_fingerprint', payload->>'$.note'"
        " from raw_orders.orders order by order_id"
    )
    assert shop.query(stored) == [(None, "two bags"), ("tok_1", None)]
    assert not [
        path.name
        for path in shop.raw.parent.rglob("*")
        if path.is_file() and b"5555 5555" in path.read_bytes()
    ]


def test_events_without_their_price_or_with_a_clock_of_1970(shop: Any, make: Any) -> None:
    bad = [
        make.event("a", properties={"price": "dear"}),
        make.event("b", properties={"price": 1e40, "quantity": "NaN"}),
        make.event("c", sentAt="9999-12-31T00:00:00Z"),
        make.event("d", timestamp="1970-01-01T00:00:09Z", receivedAt="2026-03-30T10:00Z"),
        make.event("e", userId=["u"]),
    ]
    shop.write("web/a.jsonl", make.lines(*bad))
    count = shop.run("web")["events"]
    assert make.four(count) == (5, 5, 0, 0)
    assert count.emptied == {"price": 2, "quantity": 1, "sent_at": 1, "user_id": 1}
    moments = "select occurred_at from raw_web.events where message_id in ('a', 'd') order by all"
    assert shop.query(moments) == [(datetime(2026, 1, 2, 3, 4, 5),), (datetime(2026, 3, 30, 10),)]


def test_orders_keep_an_odd_total_or_processing_time(shop: Any, make: Any) -> None:
    odd = make.order(1, total_price="a lot", processed_at="0001-01-01T00:00:00Z")
    zero = make.order(2, cancelled_at="0000-00-00 00:00:00", presentment_currency="XXY")
    shop.write("orders/a.jsonl", make.lines(odd, zero))
    count = shop.run("orders")["orders"]
    assert make.four(count) == (2, 2, 0, 0)
    assert count.emptied == {"total_price": 1, "processed_at": 1, "presentment_currency": 1}


def test_a_machine_open_that_is_neither_yes_nor_no(shop: Any, make: Any) -> None:
    event = {"email": "a@b.example", "timestamp": 1767323045, "event": "open", "sg_event_id": "1"}
    shop.write("email/a.jsonl", make.lines({**event, "sg_machine_open": "perhaps"}))
    assert shop.run("email")["events"].emptied == {"sg_machine_open": 1}


def test_a_status_that_is_no_plain_text_stays_as_it_came(shop: Any, make: Any) -> None:
    contacts = [{"email": "a@b.example", "status": {"email": "unsubscribed"}}]
    shop.write("contacts/a.jsonl", make.lines(*contacts))
    shop.write("contacts/b.csv", "email,status\nc@d.example,opted\0out\n")
    counts = shop.run("contacts")["contacts"]
    assert make.four(counts) == (2, 2, 0, 0)
    found = shop.query("select status from raw_contacts.contacts order by email")
    assert found == [('{"email":"unsubscribed"}',), ("optedout",)]


def test_what_is_counted_is_what_was_loaded(shop: Any) -> None:
    rows = "email,birthday\na@b.example,never\n"
    shop.write("contacts/a.csv", rows + "c@d.example,1990-01-02\n")
    assert shop.run("contacts")["contacts"].emptied == {"birthday": 1}
    shop.write("contacts/b.csv", rows + ",never\n")
    count = shop.run("contacts")["contacts"]
    assert (count.duplicate, count.quarantined, count.emptied) == (1, 1, {})
    assert shop.query("select birthday from raw_contacts.contacts order by email") == [
        (None,), (date(1990, 1, 2),)
    ]  # fmt: skip


def test_a_cancelled_line_whose_time_cannot_be_read_is_no_sale(shop: Any) -> None:
    shop.write(
        "orders/a.csv",
        "order_id,ordered_at,quantity,unit_price,discount,cancelled_at\n"
        "1,2026-01-01,1,5,much,0000-00-00 00:00:00\n"
        "2,2026-01-01,1,5,1.5,yes\n",
    )
    count = shop.run("orders")["order_lines"]
    assert (count.loaded, count.quarantined, count.emptied) == (1, 1, {"discount": 1})
    assert shop.quarantine("orders") == [("orders/a.csv", 3, "wrong_type", "cancelled_at")]
    assert shop.query("select unit_price, discount from raw_orders.order_lines") == [
        (Decimal(5), None)
    ]


def test_the_sentence_names_columns_and_numbers() -> None:
    counts = TableCounts("s", "t", 9, 9, 0, 0, emptied={"birthday": 2, "created_at": 1_000})
    assert counts.remarks() == [
        "1,002 values could not be read and were left empty (birthday 2, created_at 1,000)"
    ]


def test_a_contact_whose_only_address_is_none_goes_to_quarantine(shop: Any, make: Any) -> None:
    shop.write(
        "contacts/a.csv", "email,phone\nno-address,\nno-address,07700 900123\na@b.example,\n"
    )
    (count,) = shop.run("contacts").values()
    assert make.four(count) == (3, 2, 1, 0)
    assert shop.query("select reason from raw_contacts.quarantine") == [("no_identifier",)]


def test_a_column_of_days_in_figures_is_read_by_what_it_shows(shop: Any) -> None:
    shop.write(
        "contacts/a.csv",
        "email,birthday,created_at\n"
        "a@x.example,01.02.1990,02/01/2026\nb@x.example,31.12.1985,01/31/2026 10:00\n",
    )
    assert not shop.run("contacts")["contacts"].remarks()
    assert shop.query(
        "select birthday::varchar, created_at::varchar from raw_contacts.contacts order by email"
    ) == [("1990-02-01", "2026-02-01 00:00:00"), ("1985-12-31", "2026-01-31 10:00:00")]


def test_a_column_that_shows_nothing_or_both_is_said_by_name(shop: Any) -> None:
    shop.write(
        "contacts/a.csv",
        "email,birthday,created_at\n"
        "a@x.example,01.02.1990,31/01/2026\nb@x.example,11.12.1985,01/31/2026\n"
        "c@x.example,,02/01/2026\n",
    )
    count = shop.run("contacts")["contacts"]
    assert count.undecided == {"birthday": 2, "created_at": 1}
    assert count.remarks()[1] == (
        "3 dates of those may be either of two days (birthday 2, created_at 1): write them as "
        "1990-02-01, or say their pattern under `formats` in a mapping"
    )
    found = shop.query(
        "select birthday, created_at::date::varchar from raw_contacts.contacts order by email"
    )
    assert found == [(None, "2026-01-31"), (None, "2026-01-31"), (None, None)]


def test_order_days_that_show_nothing_stop_the_source_with_what_to_do(shop: Any) -> None:
    shop.settings = Settings()
    shop.write("orders/mapping.yml", LINES)
    header = "Nr,When,Code,Qty,Price\n"
    rows = "".join(f"{n},0{n}.02.2026,A,1,2\n" for n in range(1, 7))
    shop.write("orders/a.csv", header + rows)
    with pytest.raises(SourceError, match=r"ambiguous_date in ordered_at: .* under `formats`"):
        shop.run("orders")
    shop.write("orders/a.csv", header + rows + "7,14.02.2026,A,1,2\n")
    shop.run("orders")
    found = shop.query("select ordered_at::date::varchar from raw_orders.order_lines order by 1")
    assert found[0] == ("2026-02-01",)
    assert len(found) == 7
