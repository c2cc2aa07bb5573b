"""Methods and their judge: pretend shops, the real one, and shops where nothing can be said."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import os
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from ingestion.config import REPOSITORY, Shop
from orchestration.science.purchases import Purchases
from orchestration.science.recommendations.files import BACK_TESTS, FILES, SCORES, write_scores
from orchestration.science.recommendations.judging import (
    METHODS,
    TOO_FEW_PEOPLE,
    Verdict,
    judged,
)
from orchestration.science.recommendations.methods import (
    COSINE,
    LIFT,
    MOST_OWNED,
    POPULARITY,
    Owned,
    best,
)
from tests.orchestration.science.replenishment.test_intervals import (
    home_of,
    pretend_purchases,
    purchases,
)

AS_OF = dt.datetime(2026, 7, 1, 12)
PRODUCTS = 120


def shop_of(bought: Purchases) -> tuple[Purchases, int, int]:
    return bought, int(bought.person.max()) + 1, int(bought.product.max()) + 1


def online_retail(folder: Path) -> tuple[Purchases, int, int]:
    """The real shop: who bought which code on which day; returns and corrections left out."""
    people: dict[str, int] = {}
    products: dict[str, int] = {}
    rows = []
    for number, file in enumerate(sorted(folder.glob("*.csv.gz"))):
        day = (dt.date.fromisoformat(file.name[:10]) - dt.date(2010, 12, 1)).days
        assert number <= day
        with gzip.open(file, "rt", encoding="utf-8") as stream:
            for line in csv.DictReader(stream):
                if line["CustomerID"] and float(line["Quantity"]) > 0 < float(line["UnitPrice"]):
                    person = people.setdefault(line["CustomerID"], len(people))
                    product = products.setdefault(line["StockCode"], len(products))
                    rows.append((person, product, day))
    return purchases(rows), len(people), len(products)


def wins(verdict: Verdict) -> bool:
    """A method that is used is right of more people than popularity."""
    return verdict.method != POPULARITY and (
        verdict.right[verdict.method] > verdict.right[POPULARITY]
    )


def shown(name: str, verdict: Verdict) -> str:
    rates = ", ".join(f"{m} {verdict.right[m] / verdict.people:.3f}" for m in METHODS)
    return f"{name}: {verdict.people} people, {rates}; used: {verdict.method} {verdict.reasons}"


@pytest.mark.parametrize(("people", "seed"), [(3_000, 1), (6_000, 2)])
def test_in_pretend_shops_a_method_beats_popularity(
    people: int, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    verdict = judged(*shop_of(pretend_purchases(people, seed)))
    with capsys.disabled():
        print("\n", shown(f"pretend shop {people}, seed {seed}", verdict))
    assert wins(verdict)


def test_in_the_real_shop_a_method_beats_popularity(capsys: pytest.CaptureFixture[str]) -> None:
    shared = Path(os.environ.get("REGULARS_SHARED", REPOSITORY.parent / "shared")) / "data"
    if not (shared / "online_retail").exists():
        pytest.skip(f"the UCI Online Retail files are not at {shared}")
    verdict = judged(*online_retail(shared / "online_retail"))
    with capsys.disabled():
        print("\n", shown("UCI Online Retail", verdict))
    assert wins(verdict)


def test_what_goes_together_is_recommended_and_nothing_owned() -> None:
    rows = [(n, product, n % 50) for n in range(40) for product in (0, 1)]
    rows += [(100, 0, 60), (101, 2, 60)]
    bought, people, products = shop_of(purchases(rows))
    owned = Owned(bought, 60, people, products)
    for method in (COSINE, LIFT):
        named, score = best(method, owned, np.array([100, 101, 0]), 3)
        assert named[0].tolist() == [1, -1, -1]
        assert named[1].tolist() == [-1, -1, -1]
        assert named[2].tolist() == [-1, -1, -1]
        assert score[0, 0] > 0


def test_equal_scores_go_to_the_first_product() -> None:
    rows = [(n, product, 1) for n in range(9) for product in (0, 4, 2, 3)]
    bought, people, products = shop_of(purchases([*rows, (9, 0, 1), (10, 1, 1)]))
    owned = Owned(bought, 1, people, products)
    for method in METHODS:
        assert best(method, owned, np.array([9]), 2)[0].tolist() == [[2, 3]]


def test_of_who_bought_everything_only_the_latest_products_count() -> None:
    rows = [(0, product, product) for product in range(MOST_OWNED + 50)]
    owned = Owned(purchases(rows), 1_000, 1, MOST_OWNED + 50)
    assert owned.recent.indices.tolist() == list(range(50, MOST_OWNED + 50))
    assert owned.all.nnz == MOST_OWNED + 50


def test_where_taste_is_chance_popularity_is_used() -> None:
    rng = np.random.default_rng(5)
    rows = [(int(rng.integers(300)), int(rng.integers(40)), int(day)) for day in range(3_000)]
    verdict = judged(*shop_of(purchases(rows)))
    assert verdict.method == POPULARITY
    assert verdict.reasons[COSINE] is not None


@pytest.mark.parametrize("rows", [[], [(0, 0, 1)], [(0, 0, 1), (1, 1, 1), (2, 0, 1)]])
def test_small_shops_get_what_is_popular_and_the_reason(rows: list[tuple[int, int, int]]) -> None:
    verdict = judged(purchases(rows), 3, 2)
    assert verdict.method == POPULARITY
    assert {verdict.reasons[COSINE], verdict.reasons[LIFT]} == {TOO_FEW_PEOPLE}


def test_the_files_have_the_scores_and_the_proof_and_are_the_same_again(tmp_path: Path) -> None:
    bought = pretend_purchases(400, 3)
    bought = Purchases(bought.person, bought.product, bought.day - bought.day.min())
    products = ", ".join(f"('p{n}', 'things', null)" for n in range(PRODUCTS))
    home = home_of(tmp_path, products, bought)
    verdict = write_scores(home, AS_OF, Shop())
    scores, tests = (pq.read_table(home.science / f"{name}.parquet") for name in FILES)
    assert set(scores["method"].to_pylist()) == {verdict["method"]}
    assert [row["method"] for row in tests.to_pylist()] == list(METHODS)
    assert sum(tests["is_published"].to_pylist()) == 1
    with duckdb.connect() as connection:
        owned = connection.execute(
            f"attach '{home.warehouse}' as w (read_only); select count(*) from"
            f" w.marts.fct_order_lines join '{home.science / SCORES}.parquet'"
            " using (customer_id, product_id)"
        ).fetchone()
    assert owned == (0,)
    before = [(home.science / f"{name}.parquet").read_bytes() for name in FILES]
    write_scores(home, AS_OF, Shop())
    assert [(home.science / f"{name}.parquet").read_bytes() for name in FILES] == before


def test_an_empty_shop_has_no_scores_and_says_why(tmp_path: Path) -> None:
    home = home_of(tmp_path, "", purchases([]))
    assert write_scores(home, AS_OF, Shop())["method"] == POPULARITY
    assert pq.read_table(home.science / f"{SCORES}.parquet").num_rows == 0
    reasons = pq.read_table(home.science / f"{BACK_TESTS}.parquet")["null_reason"].to_pylist()
    assert reasons == [TOO_FEW_PEOPLE, TOO_FEW_PEOPLE, None]
