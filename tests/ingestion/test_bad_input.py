"""Every bad thing that arrives: its reason, its place, and the good rows beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.config import Quarantine, Settings
from ingestion.errors import NoInputError, SourceError, UsageError
from ingestion.input_folder import check_input, open_input
from ingestion.quarantine import quarantine_counts, quarantined_rows, replay
from ingestion.registry import SOURCES


def web(**changes: Any) -> dict[str, Any]:
    good = {
        "type": "track",
        "messageId": "bad",
        "anonymousId": "d",
        "event": "Product Viewed",
        "timestamp": "2026-01-02T03:04:05Z",
    }
    return {key: value for key, value in {**good, **changes}.items() if value is not None}


WEB = [
    ("{not json", "bad_json", ""),
    ('{"a": 1,}', "bad_json", ""),
    ('{"messageId": "m", "properties": {"price": NaN}}', "bad_json", ""),
    ('{"messageId": "m", "properties": {"price": -Infinity}}', "bad_json", ""),
    ('{"a": 1} {"a": 2}', "bad_json", ""),
    ("[" * 100_000, "bad_json", ""),
    ("[1, 2]", "not_an_object", ""),
    ('"text"', "not_an_object", ""),
    ("null", "not_an_object", ""),
    ('{"messageId": "a\x00b"}', "bad_json", ""),
    (web(anonymousId="a\x00b"), "nul_character", ""),
    (web(messageId=None), "missing_value", "message_id"),
    (web(messageId="  "), "missing_value", "message_id"),
    (web(timestamp=None), "missing_value", "occurred_at"),
    (web(event=None), "missing_value", "event"),
    (web(type="tracc"), "unknown_value", "type"),
    (web(anonymousId=None), "no_identifier", "anonymous_id"),
    (web(anonymousId=""), "no_identifier", "anonymous_id"),
    (web(messageId={"id": 1}), "wrong_type", "message_id"),
    (web(anonymousId=["d"]), "no_identifier", "anonymous_id"),
    (web(timestamp="yesterday"), "wrong_type", "occurred_at"),
    (web(timestamp={"at": 1}), "wrong_type", "occurred_at"),
    (web(timestamp="0001-01-01T00:00:00Z"), "date_out_of_range", "occurred_at"),
    (web(timestamp="9999-12-31T00:00:00Z"), "date_out_of_range", "occurred_at"),
    (web(properties={"name": "x" * 1_048_576}), "value_too_long", "properties"),
    (web(anonymousId="x" * 1_048_576), "no_identifier", "anonymous_id"),
    ("{}", "missing_value", "type"),
    ("true", "not_an_object", ""),
    ("12", "not_an_object", ""),
    ("[]", "not_an_object", ""),
    ('{"type": "track", "messageId": "m"', "bad_json", ""),
    ("{'type': 'track'}", "bad_json", ""),
    ("type=track", "bad_json", ""),
    ('{"a":' * 50_000, "bad_json", ""),
    ('{"messageId": 1e999999}', "missing_value", "type"),
    (web(timestamp="0000-00-00T00:00:00Z"), "wrong_type", "occurred_at"),
    (web(timestamp="2026-02-30T00:00:00Z"), "wrong_type", "occurred_at"),
    (web(timestamp=10**40), "wrong_type", "occurred_at"),
    (web(timestamp=True), "wrong_type", "occurred_at"),
    (web(timestamp=["2026-01-02T03:04:05Z"]), "wrong_type", "occurred_at"),
    (web(type=None), "missing_value", "type"),
    (web(type=7), "unknown_value", "type"),
    (web(event=" "), "missing_value", "event"),
]


def test_web_events(shop: Any, make: Any) -> None:
    bad = [row if isinstance(row, str) else json.dumps(row) for row, _, _ in WEB]
    mixed = [text for row in bad for text in (row, json.dumps(make.event(f"good-{len(row)}")))]
    shop.write("web/a.jsonl", make.lines(*mixed))
    counts = shop.run("web")["events"]
    assert (counts.received, counts.quarantined) == (len(mixed), len(WEB))
    assert counts.loaded + counts.duplicate == len(WEB)
    expected = [
        ("web/a.jsonl", 2 * index + 1, reason, field)
        for index, (_, reason, field) in enumerate(WEB)
    ]
    assert shop.quarantine("web") == expected
    raw = dict(shop.query("select line, raw_text from raw_web.quarantine"))
    for index, text in enumerate(bad):
        assert raw[2 * index + 1] == text.replace("\x00", "\\u0000")


@pytest.mark.faults
def test_forty_kinds_of_poison_in_100_000_rows_are_held_one_by_one(shop: Any, make: Any) -> None:
    """RELIABILITY B2: 5 % poison, the rows of a megabyte once each, no row lost or doubled."""
    kinds = [row if isinstance(row, str) else json.dumps(row) for row, _, _ in WEB]
    small = [text for text in kinds if len(text) < 10_000]
    large = [text for text in kinds if len(text) >= 10_000]
    assert len(kinds) >= 40
    poison = [*large, *(small[number % len(small)] for number in range(5_000 - len(large)))]
    rows = [
        poison[number // 20] if number % 20 == 0 else json.dumps(make.event(f"good-{number}"))
        for number in range(100_000)
    ]
    shop.settings = Settings(quarantine=Quarantine(max_share=0.05))
    shop.write("web/a.jsonl.zst", make.lines(*rows))
    counts = shop.run("web")["events"]
    assert make.four(counts) == (100_000, 95_000, 5_000, 0)
    held = shop.query(
        "select count(distinct (file, line)), count(reason), count(raw_text),"
        " count(distinct reason || field), min(line % 20), max(line % 20) from raw_web.quarantine"
    )
    places = len({(reason, field) for _, reason, field in WEB})
    assert held == [(5_000, 5_000, 5_000, places, 1, 1)]


@pytest.mark.parametrize(
    ("source", "header", "good", "bad", "reason", "field"),
    [
        ("payments", "order_id,status,amount,currency", "1,paid,2.5,GBP", ",paid,1,GBP",
         "missing_value", "order_id"),
        ("payments", "order_id,status,amount,currency", "1,paid,2.5,gbp", "1,paid,1,GBX",
         "unknown_currency", "currency"),
        ("promotions", "promotion_id,starts_at", "1,2026-01-01", "1,0001-01-01",
         "date_out_of_range", "starts_at"),
        ("contacts", "email,phone,birthday", "a@b.example,,1930-01-01", ",,1930-01-01",
         "no_identifier", "email"),
        ("consents", "identifier_type,identifier_value,channel,purpose,status,occurred_at",
         "email,a@b.example,email,marketing,granted,2026-01-01",
         "email,a@b.example,email,marketing,,2026-01-01", "missing_value", "status"),
        ("consents", "identifier_type,identifier_value,channel,purpose,status,occurred_at",
         "EMAIL,a@b.example,email,marketing,granted,2026-01-01",
         "fax,a@b.example,email,marketing,granted,2026-01-01", "unknown_value", "identifier_type"),
        ("consents", "identifier_type,identifier_value,channel,purpose,status,occurred_at,"
         "expires_at", "email,a@b.example,email,marketing,granted,2026-01-01,2027-01-01",
         "email,a@b.example,email,marketing,granted,2026-01-01,0000-00-00", "wrong_type",
         "expires_at"),
        ("promotions", "promotion_id,ends_at", "1,2026-01-01", "1,some day", "wrong_type",
         "ends_at"),
        ("spend", "date,marketing_channel,campaign,cost,currency", "2026-01-01,paid_search,x,1,GBP",
         "2026-01-01,paid_search,x,1,GBX", "unknown_currency", "currency"),
        ("spend", "date,marketing_channel,campaign,cost,currency", "2026-01-01,paid_search,x,1,GBP",
         "2026-13-01,paid_search,x,1,GBP", "wrong_type", "date"),
        ("rates", "date,currency,rate", "2026-01-01,EUR,0.85", "2026-01-01,EUR,0",
         "number_out_of_range", "rate"),
        ("rates", "date,currency,rate", "2026-01-01,EUR,0.85", "2026-01-01,EUR,-1",
         "negative_value", "rate"),
        ("identity_rules", "rule,type_a,value_a,type_b,value_b", "block,phone,+44,,",
         "must_link,phone,+44,,", "missing_value", "value_b"),
        ("identity_rules", "rule,type_a,value_a", "block,phone,+44", "blocc,phone,+44",
         "unknown_value", "rule"),
        ("consents", "identifier_type,identifier_value,channel,purpose,status,occurred_at,level",
         "email,a@b.example,email,personalisation,granted,2026-01-01,Full",
         "email,a@b.example,email,personalisation,granted,2026-01-01,most", "unknown_value",
         "level"),
        ("feedback", "identifier_type,identifier_value,kind,occurred_at",
         "email,a@b.example,survey,2026-01-01", "email,a@b.example,poll,2026-01-01",
         "unknown_value", "kind"),
        ("promotions", "promotion_id,identifier_type,identifier_value", "1,email,a@b.example",
         "1,email,", "no_identifier", "identifier_value"),
        ("promotions", "promotion_id,value_amount,currency", "1,5,GBP", "1,5,GBX",
         "unknown_currency", "currency"),
        ("experiments", "experiment_id,identifier_type,identifier_value,group,assigned_at",
         "x,email,a@b.example,Holdout,2026-01-01", "x,email,a@b.example,both,2026-01-01",
         "unknown_value", "experiment_group"),
        ("calendar", "occasion,starts_on,ends_on", "easter,2026-04-05,2026-04-06",
         "eastre,2026-04-05,2026-04-06", "unknown_value", "occasion"),
        ("calendar", "occasion,starts_on,ends_on", "easter,2026-04-05,2026-04-06",
         "easter,2026-04-05,2026-04-04", "ends_before_it_starts", "ends_on"),
    ],
)  # fmt: skip
def test_rows_of_tables(
    shop: Any, make: Any, source: str, header: str, good: str, bad: str, reason: str, field: str
) -> None:
    alone = ("identity_rules", "calendar")
    name = f"{source}.csv" if source in alone else f"{source}/a.csv"
    shop.write(name, f"{header}\n{good}\n{bad}\n1\n")
    (count,) = shop.run(source).values()
    assert make.four(count) == (3, 1, 2, 0)
    assert shop.quarantine(source) == [(name, 3, reason, field), (name, 4, "bad_csv_line", "")]


EMAIL = {"email": "a@b.example", "timestamp": 1767323045, "event": "open", "sg_event_id": "1"}


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"email": None}, "missing_value", "email"),
        ({"timestamp": "soon"}, "wrong_type", "occurred_at"),
        ({"timestamp": 99999999999}, "wrong_type", "occurred_at"),
        ({"event": "opened"}, "unknown_value", "event"),
        ({"sg_event_id": None}, "missing_value", "sg_event_id"),
    ],
)
def test_email_events(shop: Any, make: Any, change: Any, reason: str, field: str) -> None:
    shop.write("email/1.gz", json.dumps([EMAIL, {**EMAIL, **change}]))
    assert make.four(shop.run("email")["events"]) == (2, 1, 1, 0)
    assert shop.quarantine("email") == [("email/1.gz", 2, reason, field)]


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"id": None}, "missing_value", "order_id"),
        ({"created_at": None}, "missing_value", "created_at"),
        ({"currency": "XXY"}, "unknown_currency", "currency"),
        ({"currency": None}, "missing_value", "currency"),
        ({"cancelled_at": "perhaps"}, "wrong_type", "cancelled_at"),
        ({"line_items": {"price": 1}}, "wrong_type", "line_items"),
        ({"line_items": [{"price": "a", "quantity": 1}]}, "wrong_type", "line_items.price"),
        ({"line_items": [{"price": "1,234", "quantity": 1}]}, "wrong_type", "line_items.price"),
        ({"line_items": [{"price": "1,23.4", "quantity": 1}]}, "wrong_type", "line_items.price"),
        ({"line_items": [{"price": "1", "quantity": "a"}]}, "wrong_type", "line_items.quantity"),
        ({"line_items": [{"price": "1", "quantity": -1}]}, "negative_value", "line_items.quantity"),
    ],
)
def test_orders(shop: Any, make: Any, change: Any, reason: str, field: str) -> None:
    shop.write("orders/a.jsonl", make.lines(make.order(1), make.order(2, **change)))
    assert make.four(shop.run("orders")["orders"]) == (2, 1, 1, 0)
    assert shop.quarantine("orders") == [("orders/a.jsonl", 2, reason, field)]


@pytest.mark.parametrize(
    "price", ["1,234.50", "1.234,50", "12,50", "-1,234,567", "0.00274902", "1e2"]
)
def test_a_price_that_can_be_read_one_way_only_costs_no_order(
    shop: Any, make: Any, price: str
) -> None:
    """What the models make of it: test_order_money."""
    lines = [{"price": price, "quantity": 1}]
    shop.write("orders/a.jsonl", make.lines(make.order(1, line_items=lines)))
    assert make.four(shop.run("orders")["orders"]) == (1, 1, 0, 0)


def test_a_missing_column_holds_back_its_file_only(shop: Any, make: Any) -> None:
    shop.write("rates/a.csv", "date,currency,rate\n2026-01-01,EUR,0.85\n")
    shop.write("rates/b.csv", "date,currency,kurs\n2026-01-02,EUR,0.86\n")
    assert make.four(shop.run("rates")["rates"]) == (2, 1, 1, 0)
    assert shop.quarantine("rates") == [
        ("rates/b.csv", 0, "missing_column", "rate; present: date, currency, kurs")
    ]
    assert make.four(shop.run("rates")["rates"]) == (0, 0, 0, 0)
    shop.write("rates/b.csv", "date,currency,rate\n2026-01-02,EUR,0.86\n")
    assert make.four(shop.run("rates")["rates"]) == (1, 1, 0, 0)
    assert shop.quarantine("rates") == []


def test_a_truncated_archive_is_taken_once_it_is_whole(shop: Any, make: Any) -> None:
    path = shop.write("web/a.jsonl.gz", make.lines(*(make.event(f"m{n}") for n in range(50))))
    whole = path.read_bytes()
    shop.write_bytes("web/a.jsonl.gz", whole[:-9])
    shop.write("web/b.jsonl", make.lines(make.event("m")))
    assert make.four(shop.run("web")["events"]) == (2, 1, 1, 0)
    assert shop.quarantine("web")[0][:3] == ("web/a.jsonl.gz", 0, "truncated_archive")
    shop.write_bytes("web/a.jsonl.gz", whole)
    assert make.four(shop.run("web")["events"]) == (50, 50, 0, 0)
    assert shop.quarantine("web") == []


def test_unknown_columns_are_ignored_by_name_or_kept_for_people(shop: Any, make: Any) -> None:
    shop.write("rates/a.csv", "date,currency,rate,mood\n2026-01-01,EUR,0.85,good\n")
    shop.write("web/a.jsonl", make.lines(make.event("m", version=2, integrations={})))
    shop.write("contacts/a.csv", "Email,First Name,shoe size,vip\na@b.example,Ann,38,\n")
    shop.write("contacts/b.jsonl", make.lines({"email": "c@d.example", "pets": ["cat"]}))
    assert shop.run("rates")["rates"].ignored_columns == ("mood",)
    assert shop.run("web")["events"].ignored_columns == ("integrations", "version")
    assert shop.run("contacts")["contacts"].ignored_columns == ()
    query = "select first_name, attributes from raw_contacts.contacts order by email"
    assert shop.query(query) == [("Ann", '{"shoe size":"38"}'), (None, '{"pets":["cat"]}')]


def test_rows_later_than_as_of_are_loaded(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m", timestamp="2099-01-01T00:00:00Z")))
    assert make.four(shop.run("web")["events"]) == (1, 1, 0, 0)


def test_too_much_of_a_source_in_quarantine_stops_it_with_nothing_loaded(
    shop: Any, make: Any
) -> None:
    shop.settings = Settings()
    good = [make.event(f"m{n}") for n in range(4000)]
    shop.write("web/a.jsonl", make.lines(*good, *(f"{{bad {n}" for n in range(1001))))
    with pytest.raises(SourceError, match=r"1,001 of 5,001 rows.*bad_json"):
        shop.run("web")
    assert not shop.query("select 1 from information_schema.tables where table_name = 'events'")
    shop.write("web/a.jsonl", make.lines(*good, *(f"{{bad {n}" for n in range(1000))))
    assert make.four(shop.run("web")["events"]) == (5000, 4000, 1000, 0)


def test_the_bad_rows_of_a_source_that_stopped_are_there_to_be_looked_at(
    shop: Any, make: Any
) -> None:
    shop.settings = Settings()
    bad = [make.event("m1", timestamp="yesterday"), *("{bad" for _ in range(9))]
    shop.write("web/a.jsonl", make.lines(make.event("m0"), *bad))
    for _ in range(2):  # it stops again, and what it stopped at is not counted twice
        with pytest.raises(SourceError):
            shop.run("web")
        counts = quarantine_counts(shop.context())
        assert [(c.reason, c.field, c.rows, c.is_of_a_stop) for c in counts] == [
            ("bad_json", "", 9, True), ("wrong_type", "occurred_at", 1, True)
        ]  # fmt: skip
        assert [row.line for row in quarantined_rows(shop.context(), "web", limit=2)] == [2, 3]
        assert replay(shop.context()) == []
    shop.write("web/a.jsonl", make.lines(*(make.event(f"m{n}") for n in range(8)), "{bad"))
    assert make.four(shop.run("web")["events"]) == (9, 8, 1, 0)
    assert [(c.rows, c.is_of_a_stop) for c in quarantine_counts(shop.context())] == [(1, False)]


def test_no_readable_input_at_all(shop: Any) -> None:
    with pytest.raises(NoInputError, match="no input folder"):
        open_input(shop.input / "nowhere", shop.settings)
    shop.input.mkdir()
    shop.write("holiday/photo.jpg", "x")
    shop.write("web/README.md", "x")
    shop.write("web/table.xlsx", "x")
    with pytest.raises(NoInputError, match="nothing to read") as caught:
        open_input(shop.input, shop.settings)
    assert caught.value.exit_code == 2
    shop.write("my_orders.csv", "Belegnr,Datum\n1,2026-01-01\n")
    with pytest.raises(NoInputError, match=r"my_orders\.csv.*into orders/, with a mapping"):
        open_input(shop.input, shop.settings)
    shop.write("rates/a.csv", "date,currency,rate\n")
    assert open_input(shop.input, shop.settings).files("rates")


def test_every_table_exists_without_any_input(shop: Any) -> None:
    shop.input.mkdir()
    expected = set()
    for name, source in SOURCES.items():
        if name in ("klaviyo", "shopify"):
            continue
        assert all(count.received == 0 for count in shop.run(name).values())
        expected |= {(f"raw_{name}", table.name) for table in source.tables}
        expected.add((f"raw_{name}", "quarantine"))
        columns = shop.query(
            "select table_name, column_name from information_schema.columns "
            f"where table_schema = 'raw_{name}'"
        )
        for table in source.tables:
            declared = {column for column, _ in table.stored_columns}
            declared |= {"_row_id", "_run_id", "_file", "_line", "_dlt_load_id"}
            assert {c for t, c in columns if t == table.name} == declared
    found = shop.query("select table_schema, table_name from information_schema.tables")
    assert expected <= set(found)


def test_no_message_carries_what_a_row_said(shop: Any, make: Any) -> None:
    shop.settings = Settings()
    canary = "canary@people.example"
    rows = [f'{{"{canary}"' for _ in range(1)] + [f'{{"{canary}", {n}' for n in range(1200)]
    shop.write("web/a.jsonl", make.lines(*rows))
    with pytest.raises(SourceError) as caught:
        shop.run("web")
    assert canary not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("columns: [", "not valid YAML"),
        ("columns: {}", "must say where"),
        ("colums: {}", "`columns` is wrong"),
    ],
)
def test_a_wrong_mapping_is_told_before_anything_starts(shop: Any, text: str, named: str) -> None:
    shop.write("orders/a.csv", "order,date\n1,2026-01-01\n")
    shop.write("orders/mapping.yml", text)
    with pytest.raises(UsageError, match=named):
        check_input(shop.input, shop.settings)
