"""Quarantine: what is listed, and a replay that loads what became good exactly once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from ingestion import quarantine
from ingestion.config import REPOSITORY, Quarantine, Settings
from ingestion.errors import UsageError
from ingestion.landing.fields import FILE_REASONS, ROW_REASONS, Column
from ingestion.pipelines import declare_source
from ingestion.quarantine import (
    QuarantineCount,
    dismiss,
    quarantine_counts,
    quarantined_rows,
    replay,
    waiting_rows,
)
from ingestion.registry import SOURCES

AT = datetime(2026, 7, 2)
ACCEPTING = Settings(quarantine=Quarantine(accept=("*",)))
MAPPING = """
columns: {order_id: Invoice, ordered_at: When, sku: Code, quantity: Qty, unit_price: Price}
currency: GBP
"""
LINES = (
    "Invoice,When,Code,Qty,Price\n"
    "1,01/02/2026 10:00,A,1,2.5\n"
    "1,01/02/2026 10:00,A,1,2.5\n"
    "2,01/02/2026 10:00,B,1,2.5\n"
    "3,01/02/2026 10:00,B,one,2.5\n"
    "4,oops\n"
)


def test_counts_and_rows(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines("{bad", make.event("m1"), "{worse", "[]"))
    shop.run("web")
    context = shop.context()
    assert quarantine_counts(context) == [
        QuarantineCount("web", "events", "bad_json", "", 2, 1, "{xxx", "web/a.jsonl:1"),
        QuarantineCount("web", "events", "not_an_object", "", 1, 1, "[]", "web/a.jsonl:4"),
    ]
    rows = quarantined_rows(context)
    assert [(row.line, row.reason, row.raw_text) for row in rows] == [
        (1, "bad_json", ""),
        (3, "bad_json", ""),
        (4, "not_an_object", ""),
    ]
    assert quarantined_rows(context, "web", with_raw=True, limit=1)[0].raw_text == "{bad"
    assert quarantine_counts(context, "email") == []


def test_dismissed_rows_are_named_no_more_and_nothing_of_them_is_lost(shop: Any, make: Any) -> None:
    shop.write("web/a.jsonl", make.lines("{bad", make.event("m1"), "{worse", "[]"))
    assert waiting_rows(shop.raw) == [], "before anything was loaded"
    shop.run("web")
    both = [("web", "events", "bad_json", 2), ("web", "events", "not_an_object", 1)]
    assert waiting_rows(shop.raw) == both
    assert dismiss(shop.context(), AT, "web", "not_an_object") == 1
    assert dismiss(shop.context(), AT, "email") == 0
    assert waiting_rows(shop.raw) == both[:1]
    assert [count.reason for count in quarantine_counts(shop.context())] == ["bad_json"]
    assert dismiss(shop.context(), AT) == 2, "the third was dismissed before"
    assert waiting_rows(shop.raw) == quarantined_rows(shop.context()) == []
    ((stored, dismissed),) = shop.query(
        "select count(*), count(distinct dismissed_at) from raw_web.quarantine"
        " join raw_web._dismissed using (quarantine_id)"
    )
    assert (stored, dismissed) == (3, 1)
    (count,) = replay(shop.context())
    assert (count.replayed, count.still_held) == (3, 3), "a replay judges them again"
    shop.write("web/b.jsonl", make.lines(make.event("m2"), "{new"))
    shop.run("web")
    assert waiting_rows(shop.raw) == [("web", "events", "bad_json", 1)], "another row is no old one"


def test_only_known_sources_and_reasons_can_be_dismissed(shop: Any) -> None:
    with pytest.raises(UsageError, match="no source called webb"):
        dismiss(shop.context(), AT, "webb")
    with pytest.raises(UsageError, match="no reason called sad_json"):
        dismiss(shop.context(), AT, "web", "sad_json")


def test_an_unknown_source_is_named(shop: Any) -> None:
    with pytest.raises(UsageError, match="no source called webb"):
        quarantine_counts(shop.context(), "webb")


def test_replay_after_a_mended_mapping(shop: Any, make: Any) -> None:
    shop.settings = ACCEPTING
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", LINES)
    assert make.four(shop.run("orders")["order_lines"]) == (5, 0, 5, 0)
    (count,) = replay(shop.context())
    assert (count.replayed, count.loaded, count.still_held) == (4, 0, 4)
    assert len(shop.quarantine("orders")) == 5
    shop.write("orders/mapping.yml", MAPPING + "formats: {ordered_at: '%d/%m/%Y %H:%M'}\n")
    (count,) = replay(shop.context())
    assert (count.replayed, count.loaded, count.duplicate, count.still_held) == (4, 3, 0, 1)
    assert [row[1:3] for row in shop.quarantine("orders")] == [
        (5, "wrong_type"),
        (6, "bad_csv_line"),
    ]
    assert shop.query("select count(*) from raw_orders.order_lines") == [(3,)]
    # the file read again brings nothing new
    shop.write(
        "orders/b.csv", LINES.replace("4,oops\n", "").replace("3,01/02/2026 10:00,B,one,2.5\n", "")
    )
    shop.query("update raw_orders._files set fingerprint = "
               "(select fingerprint from raw_orders._files where path = '<settings>') "
               "where path = '<settings>'")  # fmt: skip
    (again,) = replay(shop.context())
    assert (again.replayed, again.loaded, again.still_held) == (1, 0, 1)


def test_replay_of_documents_after_a_mended_declaration(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make.event("m2", type="conversion")
    shop.write("web/a.jsonl", make.lines(make.event("m1"), bad, bad, "{bad"))
    assert make.four(shop.run("web")["events"]) == (4, 1, 3, 0)
    web: Any = SOURCES["web"]
    spec = web.tables[0]
    columns = tuple(
        replace(c, allowed=(*c.allowed, "conversion")) if c.name == "type" else c
        for c in spec.columns
    )
    mended = replace(web, tables=(replace(spec, columns=columns),))
    monkeypatch.setitem(SOURCES, "web", mended)
    (count,) = replay(shop.context(), "web")
    # the two equal events were held once per line; they are one row
    assert (count.replayed, count.loaded, count.duplicate, count.still_held) == (3, 1, 1, 1)
    assert shop.query("select count(*), count(distinct _row_id) from raw_web.events") == [(2, 2)]
    assert [row[1:3] for row in shop.quarantine("web")] == [(4, "bad_json")]


def test_a_row_held_for_another_reason_stays_once(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1", type="x", event=None)))
    shop.run("web")
    web: Any = SOURCES["web"]
    spec = web.tables[0]
    columns = tuple(Column("type") if c.name == "type" else c for c in spec.columns)
    columns = tuple(replace(c, required=True) if c.name == "event" else c for c in columns)
    monkeypatch.setitem(SOURCES, "web", replace(web, tables=(replace(spec, columns=columns),)))
    (count,) = replay(shop.context())
    assert (count.replayed, count.loaded, count.still_held) == (1, 0, 1)
    assert [row[2:] for row in shop.quarantine("web")] == [("missing_value", "event")]


def test_a_replay_killed_before_the_release_finds_its_rows_loaded(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.write("web/a.jsonl", make.lines(make.event("m1", type="conversion")))
    shop.run("web")
    web: Any = SOURCES["web"]
    spec = web.tables[0]
    columns = tuple(Column("type") if c.name == "type" else c for c in spec.columns)
    monkeypatch.setitem(SOURCES, "web", replace(web, tables=(replace(spec, columns=columns),)))
    with monkeypatch.context() as patch:

        def killed(*_args: Any) -> None:
            raise KeyboardInterrupt

        patch.setattr(quarantine, "_release", killed)
        with pytest.raises(KeyboardInterrupt):
            replay(shop.context())
    assert len(shop.quarantine("web")) == 1
    (count,) = replay(shop.context())
    assert (count.replayed, count.loaded, count.duplicate, count.still_held) == (1, 0, 1, 0)
    assert shop.query("select count(*) from raw_web.events") == [(1,)]
    assert shop.quarantine("web") == []


def test_a_replay_of_mapped_lines_needs_the_mapping(shop: Any) -> None:
    shop.settings = ACCEPTING
    shop.write("orders/mapping.yml", MAPPING)
    shop.write("orders/a.csv", LINES)
    shop.run("orders")
    (shop.input / "orders" / "mapping.yml").unlink()
    with pytest.raises(UsageError, match=r"needs orders/mapping.yml"):
        replay(shop.context())


def test_a_source_that_is_off_has_its_tables(shop: Any) -> None:
    context = shop.context()
    for name in ("web", "klaviyo"):
        declare_source(name, context)
        tables = {table.name for table in SOURCES[name].tables} | {"quarantine"}
        found = shop.query(
            "select table_name from information_schema.tables "
            f"where table_schema = 'raw_{name}' and table_name not like '_dlt%'"
        )
        assert tables == {row[0] for row in found}
    assert quarantine_counts(context) == []


def test_much_poison_is_held_row_by_row_and_replayed_in_full(
    shop: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """50,000 rows, 5 % of them bad in seven ways (RELIABILITY B2)."""
    poison: list[Callable[[int], Any]] = [
        lambda n: make.event(f"p{n}", type="conversion"),
        lambda n: f"{{bad {n}",
        lambda n: make.event(f"p{n}", timestamp="9999-12-31T00:00:00Z"),
        lambda n: make.event(f"p{n}", anonymousId="a\x00b"),
        lambda n: make.event(f"p{n}", messageId=None),
        lambda n: make.event(f"p{n}", timestamp="soon"),
        lambda n: make.event(f"p{n}", anonymousId=None),
    ]
    rows = [
        poison[n // 20 % len(poison)](n) if n % 20 == 0 else make.event(f"m{n}")
        for n in range(50_000)
    ]
    shop.settings = Settings(quarantine=Quarantine(max_share=0.05, max_rows=1000))
    shop.write("web/a.jsonl.zst", make.lines(*rows))
    assert make.four(shop.run("web")["events"]) == (50_000, 47_500, 2_500, 0)
    held = "select count(*), count(distinct line), count(raw_text), count(distinct reason) "
    assert shop.query(held + "from raw_web.quarantine") == [(2_500, 2_500, 2_500, 7)]
    web: Any = SOURCES["web"]
    spec = web.tables[0]
    columns = tuple(Column("type") if c.name == "type" else c for c in spec.columns)
    monkeypatch.setitem(SOURCES, "web", replace(web, tables=(replace(spec, columns=columns),)))
    (count,) = replay(shop.context())
    assert (count.replayed, count.loaded, count.duplicate, count.still_held) == (
        2_500,
        358,
        0,
        2_142,
    )
    assert shop.query("select count(*), count(distinct _row_id) from raw_web.events") == [
        (47_858, 47_858)
    ]


def test_every_reason_is_explained() -> None:
    text = (REPOSITORY / "docs" / "formats.md").read_text("utf-8")
    assert [r for r in (*FILE_REASONS, *ROW_REASONS) if f"`{r}`" not in text] == []
