"""Products: pairs stand once, a dash has its reason, and what is not recorded is no zero."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ingestion.config import REPOSITORY
from orchestration.serve.pages.products import BASES, PAIRS
from tests.orchestration.serve.pages.one_page import HERE, empty_and_older, page_of, words_of

TABLES = (HERE / "products_tables.sql").read_text("utf-8")
CATALOGUE = """
insert into marts.dim_products by name select * from (values
    ('tea', 'Tea <b>', 'food', 9, 20, 5, true, timestamp '2026-05-30'),
    ('pot', 'Pot', null, 4, 4, 0, false, timestamp '2026-05-01'),
    ('cup', null, null, 3, 3, null, null, null), ('new', 'Unsold', null, 0, 0, 0, false, null)
) t(product_id, product_name, category, order_count, sold_quantity, returned_quantity, in_stock,
    last_ordered_at);
"""
PAIRED = """
insert into marts.product_affinities by name select * from (values
    ('also_bought', 'tea', 'pot', 6, 0.3, 4.0), ('also_bought', 'pot', 'tea', 6, 0.75, 4.0),
    ('searched_then_bought', 'tea', 'pot', 5, 0.2, 2.0),
    ('searched_then_bought', 'pot', 'tea', 5, 0.4, 2.0)
) t(kind, product_id, other_product_id, support, confidence, lift);
insert into marts.fct_recommendations by name select * from (values
    ('c1', 'bundle', 'cup', 'tea', 'counted'), ('c2', 'bundle', 'cup', 'tea', 'counted'),
    ('c1', 'next', 'pot', 'tea', 'counted')
) t(customer_id, kind, product_id, with_product_id, proof);
"""
AGAIN = """
insert into marts.rpt_replenishment_intervals by name select * from (values
    ('tea', 30, 'declared', 7, 'too_few_comebacks'), ('pot', null, null, 2, 'no_rhythm'),
    ('cup', null, null, 0, 'too_few_repeat_buyers')
) t(product_id, interval_days, basis, repeat_buyer_count, null_reason);
insert into marts.fct_replenishments by name select * from (values
    ('c1', 'tea', timestamp '2026-06-10'), ('c2', 'tea', timestamp '2026-08-10'),
    ('c3', 'tea', timestamp '2026-05-10')
) t(customer_id, product_id, due_at);
"""
PLACES = """
insert into marts.rpt_stores by name select * from (values
    ('store', 'leeds', 12, 4, 6, 2, 3, 800, 0), ('store', null, 5, 5, 0, 0, 0, 90, 0),
    ('web', null, 30, 0, 20, 2, null, null, 1)
) t(sales_channel, store_id, order_count, unknown_buyer_order_count, buyer_count,
    several_stores_count, online_too_count, net_sales, unconverted_count);
insert into marts.rpt_satisfaction by name select * from (values
    (date '2026-05-01', true, 20, 900, 4, 4.5, 1, 2, -50.0, 1, 0.05, 3, 0.1, 40, 10, 0.25),
    (date '2026-06-01', false, 1, 50, 0, null, 0, 0, null, 0, 0.0, 0, 0.0, 41, 10, 0.24)
) t(month, is_complete, order_count, net_sales, review_count, mean_review_score, bad_review_count,
    nps_answer_count, nps_score, complaint_count, complaint_rate, returned_order_count, return_rate,
    buyer_count, member_count, loyalty_rate);
"""
# A shop that sends nothing but its orders
ORDERS_ONLY = """
insert into marts.dim_products by name
    select 'tea' as product_id, 'Tea' as product_name, 2 as order_count, 3 as sold_quantity;
insert into marts.rpt_stores by name
    select 'online' as sales_channel, 2 as order_count, 0 as unknown_buyer_order_count,
        1 as buyer_count, 0 as several_stores_count, 70 as net_sales, 0 as unconverted_count;
insert into marts.rpt_satisfaction by name
    select date '2026-05-01' as month, true as is_complete, 2 as order_count, 70 as net_sales,
        1 as buyer_count;
"""


def test_what_sells_comes_back_and_is_out_of_stock(tmp_path: Path) -> None:
    html = page_of(tmp_path, "/products", TABLES, CATALOGUE)
    text = words_of(html)
    assert "Tea &lt;b&gt; food 9 20 25 % yes 2026-05-30" in text
    assert "cup 3 3 – not known –" in text, "without a name it is its id"
    assert "Unsold" not in text
    sold_out = text.partition("not to be had now")[2].partition("What goes together")[0]
    assert "Pot 4 2026-05-01" in sold_out
    assert "cup" not in sold_out, "whose stock nobody knows is not called sold out"


def test_a_pair_stands_once_in_its_surer_direction_but_a_search_in_both(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/products", TABLES, CATALOGUE, PAIRED))
    bought, _, searched = text.partition("What goes together")[2].partition("Found by a search")
    assert "Pot Tea &lt;b&gt; 6 75 % 4.0 times" in bought
    assert "30 %" not in bought
    assert "20 % 2.0 times" in searched
    assert "40 % 2.0 times" in searched
    assert "Tea &lt;b&gt; cup 2 counted" in searched


def test_an_interval_has_its_origin_and_its_reason(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/products", TABLES, CATALOGUE, AGAIN))
    assert (
        "Tea &lt;b&gt; 30 days what the catalogue says Its own past: Too few people came back to"
        " judge it by. 7 people 1 people" in text
    )
    assert "Pot – not known Its own past: It is bought again at no regular interval. 2" in text
    assert "cup – not known" not in text, "never bought again and nothing declared"


def test_stores_and_months_say_what_is_not_known(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/products", TABLES, PLACES))
    assert "Leeds store 12 4 of nobody known 6 2 3 £800" in text
    assert "Store a till that names no store 5 5 of nobody known 0 0 0 £90" in text
    assert "Web 30 20 2 – – 1 order without an exchange rate" in text
    assert (
        "May 2026 20 £900 4 4.5 on average, 1 bad -50 2 answers 1 5 % of orders 10 % 3 orders 25 %"
        " 10 of 40 buyers" in text
    )
    assert "June 2026 not over yet 1 £50 0 – 0 0 % 24 %" in text


def test_an_orders_only_shop_has_dashes_for_what_it_does_not_record(tmp_path: Path) -> None:
    text = words_of(page_of(tmp_path, "/products", TABLES, ORDERS_ONLY))
    assert "Tea 2 3 – not known –" in text
    assert "May 2026 2 £70 – – – – –" in text
    assert "No two products came together often enough." in text
    assert "Online 2 1 0 – £70" in text


def test_an_empty_shop_and_an_older_build_say_which_they_are(tmp_path: Path) -> None:
    empty, older = empty_and_older(tmp_path, "/products", TABLES)
    assert "No product is in a kept order yet." in empty
    assert "There is no order and no answer yet." in empty
    assert "There is no order and no answer yet." not in older


@pytest.mark.parametrize(
    ("model", "column", "words"),
    [
        ("product_affinities", "kind", PAIRS),
        ("rpt_replenishment_intervals", "basis", BASES),
    ],
)
def test_every_code_of_the_tables_has_its_words(
    model: str, column: str, words: dict[str, str]
) -> None:
    path = REPOSITORY / "dbt_project" / "models" / "marts" / "recommendations" / f"{model}.yml"
    (described,) = yaml.safe_load(path.read_text("utf-8"))["models"]
    obey = next(test["rows_obey"] for test in described["data_tests"] if "rows_obey" in test)
    assert set(obey["arguments"]["values"][column]) == set(words)
