"""A segment's page: its size on each day, its members in parts, and who is counted where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.home.layout import Home
from orchestration.serve.guard import VIEWER
from orchestration.serve.pages.page import ROWS, Part
from orchestration.serve.pages.today import together
from tests.orchestration.serve.pages.one_page import words_of
from tests.orchestration.serve.pages.test_site import open_pages, publish

MANY = """
insert into marts.dim_customers (customer_id, first_name, order_count, lifetime_net_sales)
select 'n' || lpad(i::varchar, 3, '0'), 'Nr ' || i, 1, 10 from range(120) t(i)
"""
MEMBERS = """
delete from segments.seg_vip; delete from marts.fct_segment_memberships;
insert into segments.seg_vip
select 'n' || lpad(i::varchar, 3, '0'), 'because', '{}' from range(120) t(i);
insert into marts.fct_segment_memberships (segment, customer_id, is_current, entered_at)
select 'vip', 'n' || lpad(i::varchar, 3, '0'), true, timestamp '2026-05-29 08:00:00'
from range(119) t(i);
insert into marts.fct_segment_memberships values
    ('vip', 'n119', true, timestamp '2026-05-30 09:00:00', null),
    ('vip', 'c1', false, timestamp '2026-05-29 09:00:00', timestamp '2026-05-31 10:00:00');
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of the list, and of the three parts of the segment and one beyond."""
    home = Home(tmp_path_factory.mktemp("segments"))
    publish(home, MANY, MEMBERS)
    paths = ["/segments", *(f"/segments/vip?part={part}" for part in ("1", "2", "3", "99", "x"))]
    with open_pages(home) as clients:
        return {path: clients[VIEWER].get(path).text for path in paths}


def members(page: str) -> list[str]:
    return re.findall(r"/customer/(n\d+)", page)


def test_every_member_is_in_one_part_in_one_order(pages: dict[str, str]) -> None:
    parts = [members(pages[f"/segments/vip?part={part}"]) for part in (1, 2, 3)]
    assert [len(part) for part in parts] == [ROWS, ROWS, 20]
    assert [each for part in parts for each in part] == [f"n{number:03}" for number in range(120)]
    assert members(pages["/segments/vip?part=99"]) == parts[2]
    assert members(pages["/segments/vip?part=x"]) == parts[0]
    assert "Part 1 of 3, 120 in all" in pages["/segments/vip?part=1"]


def test_the_size_of_each_day_counts_stays_and_ends(pages: dict[str, str]) -> None:
    text = re.sub(r"<[^>]+>", " ", pages["/segments/vip?part=1"])
    days = re.findall(r"(2026-\d\d-\d\d)\s+(\d+)\s+(\d+)\s+(\d+)", text)
    assert days[-4:] == [
        ("2026-06-01", "120", "0", "0"),
        ("2026-05-31", "120", "0", "1"),
        ("2026-05-30", "121", "1", "0"),
        ("2026-05-29", "120", "120", "0"),
    ]


def test_before_a_week_of_stays_nobody_is_called_new(pages: dict[str, str]) -> None:
    text = re.sub(r"<[^>]+>", " ", pages["/segments"])
    assert "+120" not in text


@pytest.mark.parametrize(("total", "parts"), [(0, 1), (1, 1), (ROWS, 1), (ROWS + 1, 2)])
def test_a_list_has_at_least_one_part(total: int, parts: int) -> None:
    assert Part(1, total).of == parts


def test_what_goes_out_comes_first_and_reasons_add_up() -> None:
    names = ("segment", "channel", "outcome", "reason", "people")
    wishes = [
        ("a", "email", "dropped", "denied", 2),
        ("a", "email", "deferred", "denied", 1),
        ("b", "sms", "chosen", None, 3),
    ]
    rows = [dict(zip(names, wish, strict=True)) for wish in wishes]
    first, second = together(rows)
    assert (first.segment, first.goes, first.waits, dict(first.reasons)) == ("b", 3, 0, {})
    assert (second.goes, second.waits, dict(second.reasons)) == (0, 1, {"denied": 3})


VALUE = """
create or replace table marts.rpt_segment_value as select * from (values
    ('vip', 'club', 3, 2, 1, 30.0, 60.0, 30.0, 120.0, 20.0, null, 12.0, 10.0, 2.0, -1.0, 5.0, null),
    ('old', 'old', 1, 1, 0, 9.0, null, null, null, null, 'history_too_short', null, null, null,
        null, null, 'no_holdout')
) t(segment, programme, member_count, buyer_count, predicted_count, historic_clv_each,
    predicted_clv_365d, predicted_clv_low, predicted_clv_high, predicted_clv_each, null_reason,
    treated_clv_each, control_clv_each, clv_lift, clv_lift_low, clv_lift_high, lift_null_reason);
create or replace table marts.rpt_experiments as select 'holdout' as kind, * from (values
    ('vip', 'click_through', 0.1, 0.05, 0.05, 0.01, 0.09, true, null),
    ('vip', 'average_order', 30.0, 28.0, null, null, null, false, 'too_few_people'),
    ('other', 'visits', 9.0, 9.0, 0.0, -1.0, 1.0, false, null)
) t(holdout, metric, treated, control, lift, low, high, is_conclusive, null_reason),
    (select timestamp '2026-05-01' as began_at, timestamp '2026-06-01' as measured_until,
        0.5 as share_done, 90 as treated_count, 40 as control_count, false as is_unequal,
        null as weeks_to_detect);
insert into marts.dim_segments (segment, label, channel, channels, purpose, priority)
values ('old', 'Old ones', 'email', '["email"]', 'marketing', 9);
"""


def test_a_segment_is_judged_by_its_expected_value_treated_beside_held_out(
    tmp_path: Path,
) -> None:
    home = Home(tmp_path)
    publish(home, VALUE)
    with open_pages(home) as clients:
        everything, vip, old = (
            words_of(clients[VIEWER].get(path).text)
            for path in ("/segments", "/segments/vip", "/segments/old")
        )
    assert "£20 £60 together £2.00 by treating them" in everything
    assert "– The shop&#39;s past is too short to prove it." in everything
    assert "together £60 £30 to £120 Each £20.00 2 of 3 ordered before" in vip
    assert "Each, treated £12.00 held out £10.00" in vip
    assert "By treating them, each £2.00 −£1.00 to £5.00" in vip
    assert "Clicks per message 10.0 % 90 people 5.0 % 40 people 5.0 % 1.0 % to 9.0 %" in vip
    assert "Net sales per order £30.00" in vip and "Too few people to tell." in vip
    assert "other" not in vip.partition("Size over time")[0]
    assert "Each, treated – Nobody is held out of it." in old
