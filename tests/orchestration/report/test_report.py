"""The report: whole, self-contained, harmless, and nobody on it can be recognised."""

import re
from datetime import date, datetime
from html.parser import HTMLParser

import duckdb
import pytest

from ingestion.errors import RegularsError
from orchestration.ops import schema
from orchestration.ops.store import append, open_store, to_micros
from orchestration.published.checks import CheckResult
from orchestration.report import build
from orchestration.report.build import build_report, report_or_sentence
from orchestration.report.charted import charted_figures
from orchestration.report.figures import (
    Build,
    read_build,
    read_grid,
    read_headline,
    read_months,
    read_rfm_groups,
    read_stages,
)
from orchestration.report.segments import read_segments
from orchestration.words import amounts, masks

HEADINGS = (
    "Net sales by month",
    "Where people are on their way",
    "Segments",
    "Buyers by recency and frequency",
    "Delivered and held back",
    "Data health",
)
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that tags close."""

    def __init__(self, content):
        super().__init__()
        self.stack, self.tags, self.attributes, self.text, self.ids = [], [], [], [], []
        self.feed(content)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if self.stack and self.stack[-1] != "style":
            self.text.append(data)


def page_of(home):
    content = build_report(home, "Example Shop").read_text("utf-8")
    return content, Page(content), re.sub(r"\s+", " ", " ".join(Page(content).text))


def test_colours_are_explained_by_themselves_not_as_dark_or_light(publish_day):
    content, _page, text = page_of(publish_day())
    assert "Dark:" not in text, "in the dark theme it is the other way round"
    assert '<span class="key later"></span>There now' in content


def test_a_full_page_has_every_part(publish_day):
    content, page, text = page_of(publish_day())
    assert page.stack == []
    assert len(set(page.ids)) == len(page.ids)
    for heading in HEADINGS:
        assert heading in text
    assert text.count("of them, and why") == 11
    assert "Because of vip." in text
    assert "came back for a second order" in text
    assert "£" in text
    assert len(content) < 400_000


ASKED_AND_WRITTEN_TO = (
    "create or replace table rpt_permission_trend as select * from (values"
    " (date '2026-04-01', 'email', 'marketing', 'unstated', 'v1', 40, 30, 10, 2),"
    " (date '2026-05-01', 'email', 'marketing', 'unstated', 'v1', 40, 10, 30, 2),"
    " (date '2026-05-01', 'email', 'marketing', 'unstated', 'v2', 60, 40, 20, 0),"
    " (date '2026-05-01', 'sms', 'marketing', 'unstated', 'v1', 5, 4, 1, 0),"
    " (date '2026-05-01', 'email', 'personalisation', 'full', 'v1', 50, 20, 0, 0),"
    " (date '2026-05-01', 'email', 'personalisation', 'segment', 'v1', 50, 5, 0, 0),"
    " (date '2026-05-01', '*', '*', 'unstated', 'unstated', 0, 0, 0, 9)"
    ") as t(month, channel, purpose, level, wording_version, asked_count, granted_count,"
    " denied_count, withdrawn_count)",
    "create or replace table rpt_contact_pressure as select * from (values"
    " (date '2026-05-30', 0, false, 120), (date '2026-05-30', 1, false, 300),"
    " (date '2026-05-30', 4, false, 45), (date '2026-05-30', 5, true, 3)"
    ") as t(week_ends_on, message_count, is_over_limit, people)",
)


def test_it_shows_who_said_yes_when_asked_and_how_often_people_are_written_to(publish_day):
    _content, page, text = page_of(publish_day(after=ASKED_AND_WRITTEN_TO))
    assert page.stack == []
    assert "May 2026 50 % of 100 under 10 asked – 50 % of 50" in text
    assert "April 2026 75 % of 40 – – –" in text
    assert "30 May 2026 120 345 under 10" in text
    assert "Asked and written to" not in page_of(publish_day())[2], "nothing to tell"


def test_it_is_readable_only_by_its_owner(publish_day):
    home = publish_day()
    assert build_report(home) == home.report
    assert home.report.stat().st_mode & 0o777 == 0o600


def test_nothing_published_is_a_sentence(home):
    with pytest.raises(RegularsError, match="regulars run"):
        build_report(home)


def test_a_page_that_cannot_be_drawn_says_so_and_no_older_one_stays(publish_day, make_candidate):
    home = publish_day()
    drawn = build_report(home).read_text("utf-8")
    canary = "alter table fct_orders drop column ordered_at"
    make_candidate(501, after=[canary]).path.replace(home.published)
    with pytest.raises(RegularsError, match=r"could not be drawn \(BinderException\)") as problem:
        build_report(home)
    assert "ordered_at" not in str(problem.value)
    assert "could not be drawn" in home.report.read_text("utf-8") != drawn
    page, said = report_or_sentence(home, "Shop", "UTC")
    assert page is None, "a run that has published goes on"
    assert "REGULARS_TRACEBACK=1" in said


def test_no_older_page_stays_where_none_can_be_written(publish_day, monkeypatch):
    home = publish_day()
    build_report(home)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(build, "_write", full)
    page, said = report_or_sentence(home, "Shop", "UTC")
    assert (page, home.report.exists()) == (None, False)
    assert "could not be drawn (OSError)" in said


def test_a_shop_whose_values_are_all_unknown_has_a_page(publish_day):
    home = publish_day(
        after=[
            "update fct_orders set net_sales_shop = null, conversion_issue = 'missing_rate'",
            "update dim_customers set lifetime_net_sales = null where order_count > 0",
            "update fct_customer_rfm set monetary = null, gross_monetary = null, m_score = null,"
            " rfm_segment = null",
        ]
    )
    _, page, text = page_of(home)
    assert page.stack == []
    assert "orders are left out of sums: no exchange rate is known for the day" in text
    assert "none of the last thirteen months with an amount known" in text
    assert "Net sales, last 30 days –" in text, "unknown money is not nothing"
    assert re.search(r"Value not known Orders without an amount in .{10,40}; typically", text)


def test_thresholds_and_captions_are_this_shops_own(publish_day):
    home = publish_day(
        after=[
            "update shop_rhythm set threshold_value = 23 where unit = 'orders'",
            "update fct_customer_rfm set frequency = 17 + frequency",
        ]
    )
    _, _, text = page_of(home)
    assert "Loyal from 23 orders worked out from 1,200 repeats by 400 buyers" in text
    assert "At risk, when overdue, from 23 orders set under [models] in the settings" in text
    assert "180 days fixed, because 1,200 repeats by 400 buyers are too few to tell" in text
    assert "Ordered, fewer than 23 orders" in text
    assert "23 orders or more, or fewer and a recommendation" in text
    assert re.search(
        r"New The last to buy, .{10,40}; typically 18 orders, the last one \d+ days? ago", text
    )
    for false in ("First order just now", "Once or so", "Bought once or twice", "One to three"):
        assert false not in text


def test_orders_of_nobody_known_are_drawn_apart(publish_day):
    home = publish_day(
        after=["update fct_orders set customer_id = null where hash(order_id) % 3 = 0"]
    )
    content, _, text = page_of(home)
    assert '<span class="key unknown"></span>People not known' in content
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = read_months(con, read_build(con))
        ((nobody, everybody),) = con.execute(
            "select sum(net_sales_shop) filter (where customer_id is null), sum(net_sales_shop)"
            " from marts.fct_orders where is_counted and ordered_date >= '2024-05-01'"
        ).fetchall()
    last = [month for month in found if month.first_day >= date(2024, 5, 1)]
    assert sum(m.unknown_orders for m in last) == pytest.approx(float(nobody))
    assert sum(m.total for m in last) == pytest.approx(float(everybody))
    assert "People not known" in text


def test_days_and_months_are_the_shops(publish_day):
    """The last order of May in Auckland is one of June there, whatever the clock in Greenwich."""
    build = Build("b", "r", datetime(2025, 5, 31, 12), "v", "NZD", "Pacific/Auckland")
    assert build.last_day == date(2025, 5, 31)
    assert build.ends_a_month
    home = publish_day(
        after=[
            "delete from fct_orders where rowid > 1",
            "update fct_orders set net_sales_shop = 100, ordered_at = '2025-05-14 11:30:00',"
            " ordered_date = '2025-05-01' where rowid = 0",
            "update fct_orders set net_sales_shop = 40, ordered_at = '2025-04-30 13:00:00',"
            " ordered_date = '2025-04-15' where rowid = 1",
        ]
    )
    with duckdb.connect(str(home.published), read_only=True) as con:
        build = read_build(con, "Pacific/Auckland")
        head, months = read_headline(con, build), read_months(con, build)
    assert build.last_day == date(2025, 5, 15)
    assert (head.net_30d, head.net_before_30d) == (100, 40)
    assert [(m.first_day.month, m.total) for m in months] == [(4, 40.0), (5, 100.0)]


def test_reach_on_site_counts_the_anonymous_too(publish_day):
    """Members without a row in contactability were never asked; they are told, not left out."""
    home = publish_day(
        after=[
            "update dim_segments set channel = 'onsite' where segment = 'first_time_visitors'",
            "delete from contactability where customer_id in"
            " (select customer_id from segments.seg_first_time_visitors limit 15)",
        ]
    )
    with duckdb.connect(str(home.published), read_only=True) as con:
        found = read_segments(con, read_build(con))
    (visitors,) = [s for s in found if s.name == "first_time_visitors"]
    assert visitors.reachable + sum(n for _, n in visitors.unreachable) == visitors.size


def test_what_the_site_shows_members_is_said_of_a_segment_that_says_it(publish_day):
    """Of an earlier version the published file has none, and the page says nothing."""
    home = publish_day(
        after=[
            "alter table dim_segments add column landing_page varchar",
            "alter table dim_segments add column slots varchar default '{}'",
            "update dim_segments set landing_page = 'club', slots = '{\"hero\": \"thanks\"}'"
            " where segment = 'vip'",
        ]
    )
    _, _, text = page_of(home)
    assert text.count("Shown on the site:") == 1
    assert "Shown on the site: landing page: club, hero: thanks." in text


def test_equal_things_are_equal_on_one_page(publish_day):
    """Buyers, also those without a known value, people and segments are counted once."""
    unknown = "(select customer_id from fct_customer_rfm order by customer_id limit 40)"
    home = publish_day(
        after=[
            "update fct_customer_rfm set monetary = null, m_score = null, rfm_segment = null"
            f" where customer_id in {unknown}",
            f"update dim_customers set lifetime_net_sales = null where customer_id in {unknown}",
        ]
    )
    with duckdb.connect(str(home.published), read_only=True) as con:
        assert_equal_things_are_equal(con)


def assert_equal_things_are_equal(con):
    """Every figure that a page tells twice; also for the pretend shop's own page."""
    built = read_build(con)
    head, groups, grid = read_headline(con, built), read_rfm_groups(con), read_grid(con)
    assert head.buyers == sum(group.people for group in groups)
    assert head.buyers == sum(cell.people for line in grid for cell in line)
    assert head.people == head.buyers + head.prospects + head.anonymous
    assert head.people == sum(stage.here for stage in read_stages(con))
    assert head.net_ever is None or head.orders_ever >= head.orders_30d
    for segment in read_segments(con, built):
        if not segment.is_few:
            assert segment.reachable + sum(n for _, n in segment.unreachable) == segment.size
    once = [s.size for s in read_segments(con, built) if s.name == "one_time_buyers"]
    assert once == [head.buyers - head.repeat_buyers]


def test_what_dagster_draws_over_runs_are_the_figures_of_the_report(publish_day):
    home = publish_day()
    checks = [
        CheckResult("breaker", "empty_values", "web.events", passed=False),
        CheckResult("breaker", "people", "dim_customers", passed=True),
        CheckResult("dbt", "rows_obey", "fct_orders", passed=False),
    ]
    with duckdb.connect(str(home.published), read_only=True) as con:
        head = read_headline(con, read_build(con))
        drawn = charted_figures(con, "UTC", checks)
    assert drawn["people"] == head.people > 0
    assert drawn["reach by email"] == head.emailable > 0
    assert drawn["net sales to date"] == float(head.net_ever)
    assert drawn["sizes and drift out of range"] == 1
    assert drawn["checks that found something"] == 2
    assert {type(value) for value in drawn.values()} <= {int, float}


def test_net_sales_that_are_not_known_are_not_drawn(publish_day):
    home = publish_day(after=["update fct_orders set net_sales_shop = null"])
    with duckdb.connect(str(home.published), read_only=True) as con:
        drawn = charted_figures(con, "UTC", [])
    assert not [name for name in drawn if name.startswith("net sales")]
    assert drawn["orders to date"] > 0


def test_it_asks_nothing_of_anybody(publish_day):
    content, page, _ = page_of(publish_day())
    assert "script" not in page.tags
    assert not {"link", "img", "iframe", "form", "object"} & set(page.tags)
    assert "url(" not in content
    assert "@import" not in content
    assert "http://" not in content
    assert "https://" not in content
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    assert not [name for _, name, _ in page.attributes if name.startswith("on") or name == "src"]
    assert "default-src 'none'" in content


def test_the_same_file_gives_the_same_page(publish_day):
    home = publish_day()
    assert build_report(home).read_text() == build_report(home).read_text()


HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}{% raw %}"


def test_hostile_text_is_only_text(publish_day):
    quoted = HOSTILE.replace("'", "''")
    home = publish_day(
        after=[
            f"update dim_customers set first_name = '{quoted}', last_name = '{quoted}',"
            f" email = null",
            f"update segments.seg_vip set reason = '{quoted}'",
            f"update dim_segments set label = '{quoted}', description = '{quoted}'",
            f"update ops.run_sources set source = '{quoted}'",
            f"update fct_identity_edges set refusal_reason = '{quoted}' where status = 'refused'",
            f"update activity.fct_held_back set reason = '{quoted}', destination = '{quoted}'",
        ]
    )
    _, page, text = page_of(home)
    assert page.stack == []
    assert not {"script", "img"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "{{ 7*7 }}" in text
    assert "49 " not in text.split("{{ 7*7 }}")[0][-40:]


def test_nobody_can_be_recognised(publish_day):
    home = publish_day(
        after=[
            "update dim_customers set first_name = 'Wilhelmina', last_name = 'Featherstone',"
            " email = 'wilhelmina.' || customer_id || '@featherstone.example',"
            " phone = '+447700900123'",
            "update segments.seg_vip set reason = 'Wrote from jo.doe@private.example today.'",
        ]
    )
    with duckdb.connect(str(home.published), read_only=True) as con:
        ids = [
            row[0] for row in con.execute("select customer_id from marts.dim_customers").fetchall()
        ]
    content, _, text = page_of(home)
    for secret in ("ilhelmina", "eatherstone", "jo.doe", "private.", "7700900123"):
        assert secret not in content
    assert "w•••@f•••.example" in text
    assert "j•••@p•••.example" in text
    assert not [i for i in ids if re.search(rf"\b{i}\b", content)]


def test_small_groups_are_not_told(publish_day):
    home = publish_day(
        after=["delete from segments.seg_vip where rowid >= 9"],
    )
    _, _, text = page_of(home)
    assert "Fewer than 10 people: too few to show." in text
    assert "Because of vip." not in text
    assert text.count("of them, and why") == 10


def test_an_empty_shop_has_a_page_too(publish_day):
    with_rows = [
        "dim_customers", "bridge_customer_identifiers", "fct_identity_edges", "fct_orders",
        "fct_customer_rfm", "fct_customer_journey_stages", "contactability",
        "fct_segment_memberships", "activity.fct_deliveries", "activity.fct_held_back",
        "ops.run_sources", "ops.source_freshness",
    ]  # fmt: skip
    segments = [f"segments.seg_{name}" for name in SEGMENTS]
    home = publish_day(after=[f"delete from {table}" for table in [*with_rows, *segments]])
    _, page, text = page_of(home)
    assert page.stack == []
    assert "Nobody has a kept order yet" in text
    assert "Nobody at the moment." in text
    assert "nan" not in text.lower().split()


SEGMENTS = ("abandoned_cart", "abandoned_browse", "recent_buyers", "one_time_buyers",
            "loyal_customers", "at_risk", "vip", "high_intent", "first_time_visitors",
            "new_subscribers", "buyers_without_email_permission")  # fmt: skip


def test_short_term_numbers_have_long_term_neighbours(publish_day):
    _, _, text = page_of(publish_day())
    assert re.search(r"Net sales, last 30 days .{0,120}Since the start", text)
    assert text.count("Worth so far") >= 13


def test_deliveries_come_from_the_published_file(publish_day):
    _, _, text = page_of(publish_day())
    assert re.search(r"Recent buyers file [\d,]+ added", text)
    assert "no permission on record" in text


def test_the_ledger_of_this_very_run_counts(publish_day):
    home = publish_day()
    at = to_micros(datetime.fromisoformat("2025-05-15"))
    with open_store(home) as store, store.write() as connection:
        run = {"sync_run_id": "s", "segment": "vip", "destination": "klaviyo", "channel": "email",
               "purpose": "marketing", "run_id": "r", "plan_hash": "h", "status": "succeeded",
               "queued": 2, "started_at": at, "finished_at": at}  # fmt: skip
        append(connection, schema.sync_runs, [run])
        row = {"segment": "vip", "destination": "klaviyo", "channel": "email",
               "purpose": "marketing", "sync_run_id": "s"}  # fmt: skip
        delivered = [
            {**row, "delivery_id": f"d{n}", "customer_id": f"c{n}", "version": 1,
             "operation": "added", "consent_receipt_id": "x", "content_hash": "y",
             "delivered_at": at, "outcome": "delivered"} for n in range(27)
        ]  # fmt: skip
        append(connection, schema.deliveries, delivered)
        held = [
            {**row, "customer_id": f"h{n}", "reason": "unsubscribed", "held_back_at": at}
            for n in range(14)
        ]
        append(connection, schema.held_back, held)
        waiting = [
            {**row, "idempotency_key": f"k{n}", "customer_id": f"u{n}", "version": 1, "batch": 1,
             "operation": "added", "content_hash": "y", "created_at": at, "updated_at": at,
             "state": "unknown" if n else "accepted"} for n in range(4)
        ]  # fmt: skip
        append(connection, schema.outbox, waiting)
        untold = {"destination": "klaviyo", "channel": "email", "reason": "unsubscribed",
                  "refused_at": at, "state": "waiting", "answer": "http_503", "attempts": 2,
                  "first_tried_at": at, "last_tried_at": at}  # fmt: skip
        rows = [{**untold, "refusal_id": f"r{n}"} for n in range(3)]
        append(connection, schema.withdrawals_written, rows)
    _, _, text = page_of(home)
    assert "VIP klaviyo 27 added 14 unsubscribed 15 May 2025" in text
    assert "VIP, klaviyo: 3 of unknown fate: regulars plan lists them" in text
    assert "VIP, klaviyo: 1 accepted and not applied yet" in text
    assert "klaviyo does not know of 3 refusals by email since 15 May 2025" in text


def test_people_are_shown_in_a_total_order(publish_day):
    home = publish_day(after=["update dim_customers set lifetime_net_sales = 100, email = 'a' ||"
                              " customer_id || '@b.c', last_seen_at = '2025-01-01'"])  # fmt: skip
    assert build_report(home).read_text() == build_report(home).read_text()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("m.jones@example.com", "M", "J"), "m•••@e•••.com"),
        (("x@localhost", None, None), "x•••@l•••"),
        (("a@b.co.uk", None, None), "a•••@b•••.uk"),
        ((None, "ann", "lee"), "A. L."),
        ((None, " ", None), "Somebody without a name"),
        (("", "", "Øberg"), "Ø."),
    ],
)
def test_masks(given, expected):
    assert masks.mask(*given) == expected


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [(1234.5, "GBP", "£1,234"), (-12, "EUR", "−€12"), (99, "SEK", "99 SEK"), (None, "GBP", "–")],
)
def test_money(value, currency, expected):
    assert amounts.money(value, currency) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 10, "0 %"),
        (1, 1000, "under 1 %"),
        (999, 1000, "over 99 %"),
        (1, 3, "33 %"),
        (-1, 3, "−33 %"),
        (1, 0, "–"),
    ],
)
def test_shares(part, whole, expected):
    assert amounts.share(part, whole) == expected


def test_what_is_degraded_is_said_with_the_health_of_the_data(publish_day):
    home = publish_day()
    assert "took nothing" not in page_of(home)[2]
    with open_store(home) as store, store.write() as connection:
        at = to_micros(datetime(2025, 1, 1))
        pair = {"segment": "vip", "destination": "file", "channel": "email",
                "purpose": "marketing", "sync_run_id": "s"}  # fmt: skip
        begun = {"run_id": "r", "plan_hash": "h", "status": "incomplete", "queued": 1}
        append(connection, schema.sync_runs, [{**pair, **begun, "started_at": at}])
        row = {"idempotency_key": "k", "customer_id": "c", "version": 1, "batch": 0,
               "operation": "added", "content_hash": "y", "created_at": at, "updated_at": at,
               "state": "pending"}  # fmt: skip
        append(connection, schema.outbox, [{**pair, **row}])
    assert "file took nothing since 2025-01-01 00:00 UTC; rows that wait: 1." in page_of(home)[2]
