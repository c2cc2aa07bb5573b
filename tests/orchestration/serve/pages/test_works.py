"""What works: a month beside a year, what is claimed beside what is credited, and no false zero."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.serve.pages.works import MODELS, by_model, verdict
from tests.orchestration.serve.pages.one_page import HERE, empty_and_older, page_of, words_of

TABLES = (HERE / "works_tables.sql").read_text("utf-8")
# The build is of 1 June 2026, so the shop's last day is 31 May or 1 June.
CREDITS = """
insert into marts.rpt_attribution by name select * from (values
    (date '2026-05-20', 'email', 'May letter', 'last_touch', 1, 40, 90, 10, 200),
    (date '2025-09-01', 'email', 'Old letter', 'last_touch', 2, 60, null, 30, null),
    (date '2024-01-01', 'email', 'Older letter', 'last_touch', 9, 7000, null, 3, null),
    (date '2026-05-20', 'email', 'May letter', 'markov', 1, 33, 70, 10, 200),
    (date '2025-09-01', 'direct', null, 'last_touch', 1, 25, null, null, null),
    (date '2025-09-02', 'direct', null, 'last_touch', 1, null, null, null, null),
    (date '2026-05-20', 'sms', null, 'last_touch', 1, null, null, null, null)
) t(report_date, marketing_channel, campaign, model, orders, attributed_net_sales, attributed_clv,
    cost, claimed_value);
insert into marts.rpt_sender_claims by name select * from (values
    (date '2026-05-20', 'email', 'May letter', 3, 200), (date '2026-05-20', 'push', null, 1, 5),
    (date '2026-05-20', 'direct', null, 1, 4), (date '2026-05-20', 'sms', null, 1, 3)
) t(report_date, marketing_channel, campaign, claimed_orders, claimed_value);
insert into marts.rpt_paths by name select * from (values
    ('paid_search > email', 'before_first_order', 4, 5, 2, 80),
    ('direct', 'after_first_order', 1, 1, 1, 9)
) t(path, phase, customer_count, path_count, order_count, net_sales);
"""
PROGRAMMES = """
insert into marts.rpt_programmes by name select * from (values
    (date '2026-05-01', 'letters', 'last_touch', 2, 80, 5, 40, 100, 60, 20, 90, null, 10),
    (date '2026-04-01', 'letters', 'last_touch', 1, 20, 5, 20, null, null, null, null,
        'no_first_order', 10),
    (date '2026-05-01', 'texts', 'last_touch', 1, 3000, 0, null, null, null, null, null,
        'no_first_order', 9),
    (date '2026-05-01', 'posts', 'last_touch', 1, 5, 0, null, 5, null, null, null,
        'history_too_short', 9),
    (date '2026-06-01', 'letters', 'last_touch', 9, 9000, 5, 40, 100, 1, 1, 1, null, 10),
    (date '2026-05-01', null, 'last_touch', 9, 7000, 0, 40, 100, 1, 1, 1, null, null),
    (date '2026-05-01', 'letters', 'markov', 1, 8, 0, 4, null, null, null, null, null, 10)
) t(report_month, programme, model, orders, attributed_net_sales, attributed_discounts,
    attributed_margin, attributed_clv, predicted_clv_365d, predicted_clv_low, predicted_clv_high,
    clv_null_reason, cost);
"""
MESSAGES = """
insert into marts.rpt_message_rates by name select * from (values
    (date '2026-05-01', 'email', 'promo', 'checkout', 100, 100, 30, 5, 10, 2, 1, 4, 50),
    (date '2025-12-01', 'email', 'promo', 'popup', 300, 300, 30, 7, 10, 0, 0, 0, 0),
    (date '2026-06-01', 'email', 'promo', 'popup', 9999, 9999, 30, 7, 10, 0, 0, 0, 0)
) t(sent_month, channel, message_kind, subscriber_source, sent_count, delivered_count, opened_count,
    machine_opened_count, clicked_count, unsubscribed_count, complained_count, order_count,
    net_sales);
insert into marts.rpt_contact_pressure values
    (date '2026-06-01', 0, false, 7, 0), (date '2026-06-01', 5, true, 2, 1),
    (date '2026-05-25', 0, false, 9, 0), (date '2026-05-18', 0, false, 8, 0);
insert into marts.rpt_acquisition by name select * from (values
    (date '2026-05-01', 'paid_search', 2, 1, 50, 300, 100, null),
    (date '2026-02-01', 'paid_search', 3, 4, 150, 900, null, 4)
) t(acquired_month, marketing_channel, new_customer_count, kept_customer_count, cost, net_sales,
    margin, payback_months);
insert into marts.rpt_retention_what_if by name select * from (values
    (date '2026-06-01', 0.05, 200, 80, 0.4, 10.0, 1500, 0.07, 50, 55, 0.1, null)
) t(as_of_date, added_rate, base_count, kept_count, retention_rate, added_people, added_margin,
    added_margin_share, lifetime_margin, raised_lifetime_margin, lifetime_growth_rate, null_reason);
"""
LAUNCHES = """
insert into marts.rpt_campaign_launches by name select * from (values
    ('email', 'c1', 'Spring', date '2026-03-02', 28, true, 2, 2, 3, 100, 150, 1.25, 25, null),
    ('sms', 'c2', null, date '2026-05-30', 2, false, 1, 0, 1, 0, null, null, null, 'missing_rate'),
    ('push', 'c3', 'Odd', date '2026-02-25', 28, true, 0, 0, 0, 0, 0, null, null,
        'nobody_known_before')
) t(channel, campaign_id, campaign_name, launched_on, window_days, is_complete, people_count,
    orders_before, orders_after, net_sales_before, net_sales_after, others_trend,
    change_beyond_trend, null_reason);
"""
TRIALS = """
insert into marts.rpt_experiments by name select * from (values
    ('holdout', 'vip', 'net_sales', 90, 40, false, 5.0, 3.0, 2.0, 0.5, 3.5, true, null, null),
    ('holdout', 'vip', 'conversion', 90, 40, false, 0.25, 0.2, 0.05, -0.01, 0.11, false, null,
        null),
    ('holdout', 'vip', 'predicted_clv', 90, 40, false, 30, 20, 10, 1, 19, true, null, null),
    ('experiment', 'letter', 'orders', 9, 1, null, 0.1, 0.0, null, null, null, false, null,
        'too_few_people')
) t(kind, holdout, metric, treated_count, control_count, is_unequal, treated, control, lift, low,
    high, is_conclusive, weeks_to_detect, null_reason);
update marts.rpt_experiments set began_at = timestamp '2026-05-01',
    measured_until = timestamp '2026-06-01', share_done = 0.5;
"""
SURE = {
    "is_unequal": False,
    "null_reason": None,
    "is_conclusive": True,
    "lift": 2.0,
    "weeks_to_detect": None,
}


def test_a_channel_has_a_month_a_year_its_cost_its_claim_and_its_lifetime_value(
    tmp_path: Path,
) -> None:
    html = page_of(tmp_path, "/works", TABLES, CREDITS)
    text = words_of(html)
    assert "Email £40 cost £10 £100 £40 2.50 £200 £90" in text
    assert "Direct £0 £25 – – – –" in text, "nothing in the month is no dash"
    assert "SMS – – – – – –" in text, "an order without a rate is no zero"
    assert "2 orders without an exchange rate left out." in text
    assert "7,000" not in text
    assert "May letter Email 3 £200 £40 £90" in text
    assert "No campaign named Push 1 £5 £0 –" in text
    assert "No campaign named Direct 1 £4 £25 –" in text, "none named is a campaign like others"
    assert "No campaign named SMS 1 £3 – An amount has no exchange rate. –" in text
    assert "paid search → email 4 5 2 (40 %) £80" in text


def test_a_programme_has_its_return_with_its_discounts_and_its_lifetime_value(
    tmp_path: Path,
) -> None:
    """(60 - 20) / (20 + 10) of two whole months."""
    text = words_of(page_of(tmp_path, "/works", TABLES, PROGRAMMES))
    assert "letters 3 £100 £10 £20 £60 133 % £100 £60 £20 to £90" in text
    assert "texts 1 £3,000 £0 £9 – – – – No first order came by it." in text, (
        "a margin of some orders is none"
    )
    assert "posts 1 £5 £0 £9 – – £5 – The shop&#39;s past is too short to prove it." in text
    order = [text.index(f" {name} 1 ") for name in ("posts", "texts")]
    assert text.index(" letters 3 ") < order[0] < order[1], "by lifetime value, not by net sales"
    assert "7,000" not in text and "9,000" not in text


def test_another_model_is_another_address(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/works?model=markov", TABLES, CREDITS))
    assert "Email £33 cost £10 £33 £10 3.30 £200 £70" in text
    assert "May letter Email 3 £200 £33 £70" in text
    odd = words_of(page_of(tmp_path, "/works?model=%27", TABLES, CREDITS))
    assert "Email £40 cost £10 £100" in odd


def test_messages_are_of_whole_months_the_last_one_beside_the_year(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/works", TABLES, MESSAGES))
    assert "Promo Email 100 400 a year 10 % 5 % a year 4 % 1 % a year 30 % 15 % a year" in text
    assert "12 by machines apart 5.0 2.5 £50" in text
    assert "popup Email 300 3 % 0 % 0.0 0.0" in text
    assert "No message 7 0 8" in text
    assert "5 over the limit 2 1 0" in text
    assert (
        "Paid search 5 2 last month 5 1 last month £200 £40.00 £40.00 £1,200 4 months 1 of 2"
        in text
    )
    assert "40 % 80 of 200 buyers of the year before" in text
    assert "£1,500 more margin, 7 % of the year's" in text
    assert "£55.00 instead of £50.00: 10 % more" in text


def test_an_experiment_has_its_interval_or_its_reason(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/works", TABLES, TRIALS))
    assert "£2.00 £0.50 to £3.50 Conclusive: more than without." in text
    assert "Share that ordered 25.0 % 90 people 20.0 % 40 people 5.0 % -1.0 % to 11.0 %" in text
    assert "Expected in 365 days £30.00 90 people £20.00 40 people £10.00 £1.00 to £19.00" in text
    assert "Too few people to tell." in text


def test_a_launch_has_its_before_and_after_beside_everybody_else_and_is_called_no_proof(
    tmp_path: Path,
) -> None:
    text = words_of(page_of(tmp_path, "/works", TABLES, LAUNCHES))
    assert "Spring Email, 2026-03-02, 28 days each 2 £100 2 orders £150 3 orders +25 % £25" in text
    assert (
        "c2 SMS, 2026-05-30, 2 days each so far 1 £0 0 orders – An amount has no exchange rate."
        " 1 order – – An amount has no exchange rate." in text
    )
    assert "– – Nobody of them was known before." in text
    assert "This proves no cause" in text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({}, "Conclusive: more than without."),
        ({"lift": -1.0}, "Conclusive: fewer or less than without."),
        ({"is_unequal": True}, "The groups are no draw of the planned share: trust nothing of it."),
        ({"is_conclusive": False}, "Not conclusive."),
        (
            {"is_conclusive": False, "weeks_to_detect": 12.4},
            "Not conclusive; a tenth more would show after 12 weeks.",
        ),
        ({"null_reason": "nothing_differs"}, "Nobody did anything that differs."),
    ],
)
def test_what_an_experiment_says(row: dict[str, object], words: str) -> None:
    assert verdict({**SURE, **row}) == words


def test_a_model_that_gives_a_channel_nothing_gives_it_zero() -> None:
    rows = [{"marketing_channel": "sms", "model": "linear", "net_sales_365d": 5}]
    assert by_model(rows) == {"sms": {**dict.fromkeys(MODELS, 0), "linear": 5}}


def test_an_empty_shop_and_an_older_build_say_which_they_are(tmp_path: Path) -> None:
    empty, older = empty_and_older(tmp_path, "/works", TABLES)
    for words in ("nothing to credit", "Nobody was held out", "No message of the last twelve"):
        assert words in empty
    assert "nothing to credit" not in older
