"""Customers: the figures are those of the tables, a dash has its reason, no table is no nobody."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from orchestration.serve.pages.customers import moved
from tests.orchestration.serve.pages.one_page import HERE, empty_and_older, page_of, words_of

TABLES = (HERE / "customers_tables.sql").read_text("utf-8")
VALUES = """
insert into marts.fct_customer_clv by name select * from (values
    ('c1', date '2026-06-01', true, 900, 300.5, null),
    ('c2', date '2026-06-01', true, 100, null, 'missing_rate'),
    ('c3', date '2026-06-01', true, 50, null, 'missing_rate'),
    ('c1', date '2026-05-31', false, 7777, null, 'past_date')
) t(customer_id, as_of_date, is_current, historic_clv, predicted_clv_365d, null_reason);
update marts.fct_customer_clv set margin_null_reason = 'unknown_cost';
insert into marts.fct_customer_predictions by name select * from (values
    ('c1', date '2026-06-01', 'top'), ('c2', date '2026-06-01', 'top'),
    ('c3', date '2026-06-01', 'low')
) t(customer_id, as_of_date, clv_tier);
insert into marts.rpt_customer_equity by name select * from (values
    (date '2026-06-01', date '2026-05-31', true, 40, 1234, 1, 0),
    (date '2026-05-31', date '2026-04-30', false, 39, 1233, -66, 17),
    (date '2026-04-30', null, false, 22, 1299, null, null)
) t(as_of_date, from_date, is_current, buyer_count, equity_value, change_value, new_count);
"""
MOVES = """
insert into marts.fct_customer_rfm by name select * from (values
    ('c1', true, 900, 6, 3, 'champions'), ('c2', true, 100, 2, 70, 'at_risk'),
    ('c9', false, 5, 1, 1, 'dormant')
) t(customer_id, is_current, monetary, frequency, recency_days, rfm_segment);
insert into marts.rpt_rfm_transitions by name select * from (values
    (date '2026-05-31', date '2026-06-01', 'champions', 'champions', 5, true),
    (date '2026-04-30', date '2026-05-31', 'loyal', 'champions', 4, false),
    (date '2026-04-30', date '2026-05-31', 'prospects', 'champions', 3, false),
    (date '2026-04-30', date '2026-05-31', 'at_risk', 'at_risk', 2, false)
) t(from_date, to_date, from_segment, to_segment, customer_count, is_current);
insert into marts.rpt_journey_flow by name select * from (values
    (null, 'awareness', 31, 1.0, 0, 0, null), ('awareness', 'purchase', 11, 0.25, 2, 0, 0.4),
    ('awareness', null, 33, 0.75, 0, 8, null)
) t(from_stage, to_stage, customer_count, share, skipped_stage_count, silent_count, median_days);
"""
SOURCES = """
insert into marts.rpt_journey_sources by name select * from (values
    ('store', null, 'purchase', 2, 1.0, 3, 0, null),
    ('paid_social', null, 'awareness', 9, 1.0, 0, 0, null),
    ('paid_social', 'awareness', 'purchase', 4, 0.4, 2, 0, 2.0),
    ('paid_social', 'awareness', null, 5, 0.6, 0, 1, null)
) t(source, from_stage, to_stage, customer_count, share, skipped_stage_count, silent_count,
    median_days);
"""
COHORTS = """
insert into marts.rpt_cohorts by name select * from (values
    (date '2026-04-01', 0, true, 20, 1.0, 0.1, 400),
    (date '2026-04-01', 1, true, 20, 0.25, 0.3, 500),
    (date '2026-04-01', 2, false, 20, 0.05, 0.35, null)
) t(cohort_month, age_months, is_complete, customer_count, retention_rate, repeat_rate,
    cumulative_net_sales);
insert into marts.rpt_cohort_spend by name
    select date '2026-04-01' as cohort_month, 20 as customer_count,
        'younger_than_6_months' as null_reason;
"""
PERSONAS = """
delete from marts.persona_assignments;
insert into marts.dim_personas by name select * from (values
    ('p1', 'Warm <cup>', 'a good start', 'running out', 'small growers', 'strong ones',
        'brewing at home', 'a refill', null),
    ('p2', 'Nobody yet', null, null, null, null, null, null, 'there is no measure shoe_size')
) t(persona_id, persona, needs, fears, cares_about, tastes, content, offers, problem);
insert into marts.rpt_persona_paths by name select * from (values
    ('p1', 'Warm <cup>', 0, null, null, null, null, 1, 0),
    ('p1', 'Warm <cup>', 1, 'a <letter>', 'email', 1, 'a text', 4, 3)
) t(persona_id, persona, step, action, channel, after_days, if_not, customer_count, waiting_count);
insert into marts.persona_assignments values
    ('c1', 'p1', 'Warm', true, 'order count at least 1'),
    ('c2', 'p1', 'Warm', false, 'order count at least 1');
"""


def test_a_whole_shop_is_told_in_figures(tmp_path: Path) -> None:
    html = page_of(tmp_path, "/customers", TABLES, VALUES, MOVES, COHORTS, PERSONAS)
    text = words_of(html)
    assert "Top 2 £1,000 £500 each £300 £300 each, of 1 – £1,200" in text, (
        "as many as it is said of"
    )
    assert "Low 1 £50 £50 each – – –" in text
    assert "An amount has no exchange rate." in text
    assert "7,777" not in text, "a month end is no current value"
    assert "What the goods of some orders cost the shop is not known." in text
    assert "no table or column" not in html


def test_moves_are_those_of_a_week_or_more(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/customers", TABLES, VALUES, MOVES))
    assert "1 0 7 3 first orders 0 £900" in text, "the move of one day is not told"
    assert "Loyal" in text.partition("Who moved from where")[2].partition("Stages")[0]
    assert "from 2026-04-30 to 2026-05-31" in text
    assert "Changed from 2026-04-30 to 2026-05-31 −£66" in text
    assert "New buyers 17" in text
    assert "Awareness 33 75 % 8" in text
    assert "Awareness Purchase 11 25 % under 1 2" in text


def test_a_month_that_is_not_over_and_an_amount_that_is_not_known_are_dashes(
    tmp_path: Path,
) -> None:
    text = words_of(page_of(tmp_path, "/customers", TABLES, COHORTS))
    assert "April 2026 20 25 % – – – 35 % – An amount has no exchange rate. –" in text
    assert "Their first six months are not over." in text


def test_a_persona_is_a_card_with_its_content_offers_and_path(tmp_path: Path) -> None:
    html = page_of(tmp_path, "/customers", TABLES, PERSONAS)
    text = words_of(html)
    assert "<cup>" not in html
    assert "2 people; it goes first for 1." in text
    assert (
        "Need : a good start Kept away by : running out Care about : small growers"
        " Like : strong ones Content : brewing at home Offers : a refill" in text
    )
    assert html.count('class="path-step"') == html.count('class="path-answer"') == 1
    assert "<letter>" not in html
    assert "Email · after 1 day · 4 people here, 3 with days to react" in html
    assert "Nobody can be of it: there is no measure shoe_size." in text


def test_an_empty_shop_and_an_older_build_say_which_they_are(tmp_path: Path) -> None:
    empty, older = empty_and_older(tmp_path, "/customers", TABLES)
    assert "Nobody has a kept order yet" in empty
    assert "No persona is described" in empty
    assert "Nobody has a kept order yet, so there is no equity." not in older


def test_nobody_in_person_stands_on_the_page(tmp_path: Path) -> None:
    html = page_of(tmp_path, "/customers", TABLES, VALUES, MOVES, COHORTS, PERSONAS)
    for value in ("ann@shop.example", "Lee", "/customer/c1", "c1<"):
        assert value not in html


def test_equity_without_a_date_before_says_nobody_moved_it() -> None:
    day = {"as_of_date": date(2026, 6, 1), "from_date": None}
    assert moved([]) is None
    assert moved([day]) is None
    assert moved([{**day, "from_date": date(2026, 5, 31)}]) is None


def test_the_flow_stands_apart_by_what_brought_people(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/customers", TABLES, MOVES, SOURCES))
    social, store = text.index("Paid social From stage"), text.index("Store From stage")
    assert social < store, "the biggest first"
    assert "Awareness is there now 5 60 % – 0 Awareness Purchase 4 40 % 2 2" in text[social:store]
    assert "Began there Purchase 2 100 % – 3" in text[store:]
