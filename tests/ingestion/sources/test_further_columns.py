"""Optional columns of the folders: read where they can be, else left empty and counted."""

from __future__ import annotations

from typing import Any


def test_attributes_of_a_product_are_json_or_left_empty(shop: Any, make: Any) -> None:
    product = {"sku": "s", "name": "n", "category": "c"}
    shop.write(
        "products/a.jsonl",
        make.lines(
            {**product, "product_id": "1", "attributes": {"colour": "blue"}},
            {**product, "product_id": "2", "attributes": '{"size": "M"}'},
        ),
    )
    shop.write(
        "products/b.csv",
        "product_id,sku,name,category,attributes,updated_at\n"
        '3,s,n,c,"{""fit"": ""slim""}",2026-05-01\n4,s,n,c,blue,\n5,s,n,c,,someday\n',
    )
    count = shop.run("products")["products"]
    assert make.four(count) == (5, 5, 0, 0)
    assert dict(count.emptied) == {"attributes": 1, "updated_at": 1}
    assert shop.query("select product_id, attributes from raw_products.products order by 1") == [
        ("1", '{"colour":"blue"}'),
        ("2", '{"size": "M"}'),
        ("3", '{"fit": "slim"}'),
        ("4", None),
        ("5", None),
    ]


def test_a_contact_keeps_its_channel_and_its_further_columns(shop: Any, make: Any) -> None:
    shop.write(
        "contacts/a.csv",
        "email,preferred_channel,verified_at,shoe_size\n"
        "a@x.example,SMS,2026-05-01,41\nb@x.example,pigeon,,\n",
    )
    count = shop.run("contacts")["contacts"]
    assert make.four(count) == (2, 2, 0, 0)
    assert dict(count.emptied) == {"preferred_channel": 1}
    assert shop.query(
        "select email, preferred_channel, verified_at::date::varchar, attributes "
        "from raw_contacts.contacts order by 1"
    ) == [
        ("a@x.example", "sms", "2026-05-01", '{"shoe_size":"41"}'),
        ("b@x.example", None, None, None),
    ]


def test_an_unknown_touchpoint_and_an_impossible_count_are_told(shop: Any, make: Any) -> None:
    context = {"touchpoint": "tv", "page": {"load_ms": -1}}
    shop.write(
        "web/a.jsonl",
        make.lines(
            make.event("m1", context=context, properties={"results": "many"}),
            make.event("m2", context={"touchpoint": "App"}, properties={"results": 3}),
        ),
    )
    count = shop.run("web")["events"]
    assert make.four(count) == (2, 2, 0, 0)
    assert dict(count.emptied) == {"load_ms": 1, "results": 1, "touchpoint": 1}


def test_an_occasion_may_be_spelt_as_people_do(shop: Any, make: Any) -> None:
    header = "occasion,starts_on,ends_on,country\n"
    shop.write(
        "calendar.csv",
        header + "Valentine's Day,2026-02-14,2026-02-14,\nMothers-day,2026-05-10,2026-05-10,NL\n",
    )
    assert make.four(shop.run("calendar")["occasions"]) == (2, 2, 0, 0)
    query = "select occasion from raw_calendar.occasions order by 1"
    assert shop.query(query) == [("mothers_day",), ("valentines_day",)]
    shop.write("calendar.csv", header + "mothers_day,2026-05-10,2026-05-10,NL\n")
    assert shop.run("calendar")["occasions"].withdrawn == 1
    assert shop.query(query) == [("mothers_day",)]
