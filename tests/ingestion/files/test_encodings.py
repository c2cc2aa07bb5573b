"""Files that are not UTF-8, and documents that only hold rows."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.mark.parametrize("name", ["Zoë", "Jürgen–€"])
def test_rows_in_windows_1252_are_read_and_said(shop: Any, make: Any, name: str) -> None:
    rows = f"a@x.example;{name};unsubscribed\n".encode("cp1252")
    shop.write("contacts/a.csv", b"email;first_name;status\nb@x.example;Ann;\n" + rows)
    count = shop.run("contacts")["contacts"]
    assert (make.four(count), count.recoded) == ((2, 2, 0, 0), 1)
    assert count.remarks() == ["1 row was not UTF-8 and was read as Windows-1252"]
    assert shop.query("select first_name, status from raw_contacts.contacts order by email") == [
        (name, "unsubscribed"), ("Ann", None)
    ]  # fmt: skip


def test_a_header_in_windows_1252(shop: Any) -> None:
    columns = "{order_id: Größe, ordered_at: d, quantity: q, unit_price: p}"
    shop.write("orders/mapping.yml", f"columns: {columns}\n")
    shop.write("orders/a.csv", "Größe,d,q,p\nä1,2026-01-01,1,2\n".encode("cp1252"))
    shop.run("orders")
    assert shop.query("select order_id from raw_orders.order_lines") == [("ä1",)]


@pytest.mark.parametrize("form", ["lines", "array", "document"])
def test_documents_in_windows_1252(shop: Any, make: Any, form: str) -> None:
    event = make.event("m1", properties={"name": "Teekännchen"})
    indent = 1 if form == "document" else None
    content = json.dumps([event] if form == "array" else event, ensure_ascii=False, indent=indent)
    shop.write("web/a.json", content.encode("cp1252"))
    count = shop.run("web")["events"]
    assert (make.four(count), count.recoded) == ((1, 1, 0, 0), 1)
    assert shop.query("select properties from raw_web.events") == [('{"name":"Teekännchen"}',)]


def test_what_is_no_text_in_either_encoding_is_put_aside(shop: Any, make: Any) -> None:
    shop.write("contacts/a.csv", b"email,first_name\na@x.example,\x81\x8d\nb@x.example,Ann\n")
    assert make.four(shop.run("contacts")["contacts"]) == (2, 1, 1, 0)
    assert shop.quarantine("contacts") == [("contacts/a.csv", 2, "bad_encoding", "")]


@pytest.mark.parametrize("indent", [None, 1])
def test_a_saved_response_holds_its_orders(shop: Any, make: Any, indent: int | None) -> None:
    page = {"next": None, "orders": [make.order(n) for n in (1, 2, 3)]}
    shop.write("orders/a.json", json.dumps(page, indent=indent))
    shop.write("orders/b.json", json.dumps({"order": make.order(4)}, indent=indent))
    shop.write("orders/c.json", json.dumps({"data": [make.order(5)]}, indent=indent))
    shop.write("orders/d.json", json.dumps(make.order(6, data=[{"id": 9}]), indent=indent))
    assert make.four(shop.run("orders")["orders"]) == (6, 6, 0, 0)
    assert shop.query("select order_id from raw_orders.orders order by 1") == [
        (str(n),) for n in range(1, 7)
    ]


def test_responses_in_lines_keep_their_rows_apart(shop: Any, make: Any) -> None:
    bad = make.order(3, currency="XXY")
    pages = [{"orders": [make.order(1), bad]}, make.order(4), {"orders": []}, {"orders": [bad, 7]}]
    shop.write("orders/a.jsonl", make.lines(*pages, "{bad"))
    assert make.four(shop.run("orders")["orders"]) == (6, 2, 4, 0)
    assert [row[:3] for row in shop.quarantine("orders")] == [
        ("orders/a.jsonl", 2, "unknown_currency"),
        ("orders/a.jsonl", 4, "unknown_currency"),
        ("orders/a.jsonl", 5, "not_an_object"),
        ("orders/a.jsonl", 6, "bad_json"),
    ]


def test_a_list_of_contacts_under_a_key(shop: Any, make: Any) -> None:
    shop.write("contacts/a.json", json.dumps({"contacts": [{"email": "a@x.example"}]}))
    assert make.four(shop.run("contacts")["contacts"]) == (1, 1, 0, 0)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
@pytest.mark.parametrize("rows", [1, 40_000])
def test_the_unicode_text_of_excel(shop: Any, make: Any, encoding: str, rows: int) -> None:
    lines = [f"n{number}@x.example\tZoë 🌸\tsubscribed\r\n" for number in range(rows)]
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    text = "email\tfirst_name\tstatus\r\n" + "".join(lines)
    shop.write("contacts/a.csv", mark + text.encode(encoding))
    count = shop.run("contacts")["contacts"]
    assert (make.four(count), count.recoded) == ((rows, rows, 0, 0), 0)
    assert shop.query("select distinct first_name from raw_contacts.contacts") == [("Zoë 🌸",)]


def test_unicode_text_that_is_cut_in_a_letter_is_refused(shop: Any, make: Any) -> None:
    whole = "email\tfirst_name\r\na@x.example\tAnn\r\n".encode("utf-16")
    shop.write("contacts/a.csv", whole[:-1])
    shop.write("contacts/b.csv", "email\nb@x.example\n")
    assert make.four(shop.run("contacts")["contacts"]) == (2, 1, 1, 0)
    assert [row[2] for row in shop.quarantine("contacts")] == ["wrong_encoding"]


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;;;"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_first_line_that_says_the_delimiter_is_no_header(
    shop: Any, make: Any, first: str, end: str
) -> None:
    lines = [first, "email;first_name,s;status", "a@x.example;Ann;", "none;x;y;z", ""]
    shop.write("contacts/a.csv", end.join(lines).encode())
    assert make.four(shop.run("contacts")["contacts"]) == (2, 1, 1, 0)
    assert shop.query("select email, _line from raw_contacts.contacts") == [("a@x.example", 3)]
    assert shop.quarantine("contacts") == [("contacts/a.csv", 4, "bad_csv_line", "")]
