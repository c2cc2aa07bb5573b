"""A segment's page: its size on each day, its members in parts, and who is counted where."""

from __future__ import annotations

import re

import pytest

from orchestration.home.layout import Home
from orchestration.serve.guard import VIEWER
from orchestration.serve.pages.page import ROWS, Part
from orchestration.serve.pages.today import together
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
