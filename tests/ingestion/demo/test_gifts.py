"""Presents, stores, sizes and answers of the pretend shop: its data says what the truth has."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion.demo.world import make_world
from ingestion.demo.write import write_all_files, write_demo


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gifts")
    world = make_world(800, seed=1)
    write_demo(world, folder)
    write_all_files(world, folder / "files", ".jsonl.gz")
    return folder


def rows(query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        return con.execute(query).fetchall()


def attributes(order: dict[str, Any], where: str, key: str) -> dict[str, str]:
    said = {each[key]: each["value"] for each in order[where]}
    return {name: value for name, value in said.items() if name != "anonymousId"}


def lines(folder: Path, pattern: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.rglob(pattern)):
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8") as stream:
            found += [json.loads(line) for line in stream]
    return found


def test_an_order_says_whom_it_is_for_as_the_truth_does(shop: Path) -> None:
    truth = rows(
        f"select order_id, recipient, occasion, says_what_for from '{shop}/truth/gifts/*.parquet'"
    )
    meant = {
        order: {"gift": "true", "gift_for": recipient}
        | ({"occasion": occasion.replace("_", " ")} if says else {})
        for order, recipient, occasion, says in truth
    }
    nodes = lines(shop / "api" / "shopify" / "orders", "*.jsonl")
    documents = lines(shop / "files" / "input" / "orders", "*.jsonl.gz")
    by_api = {
        node["id"].rsplit("/", 1)[1]: attributes(node, "customAttributes", "key") for node in nodes
    }
    by_file = {str(each["id"]): attributes(each, "note_attributes", "name") for each in documents}
    assert {order: said for order, said in by_api.items() if said} == meant
    assert by_file == by_api
    assert {len(said) for said in meant.values()} == {2, 3}


def test_presents_come_before_the_day_that_they_are_for(shop: Path) -> None:
    days = dict(
        rows(
            f"""
            select occasion, list(distinct month(o.ordered_at) order by month(o.ordered_at))
            from '{shop}/truth/gifts/*.parquet' g join '{shop}/truth/orders/*.parquet' o
                using (order_id)
            group by occasion
            """
        )
    )
    assert set(days["christmas"]) <= {11, 12}
    assert set(days["valentines_day"]) <= {1, 2}
    assert set(days["mothers_day"]) <= {2, 3}
    assert set(days["fathers_day"]) <= {5, 6}
    assert len(days["birthday"]) == 12


def test_people_buy_in_several_stores_and_mostly_in_one(shop: Path) -> None:
    stores = rows(
        f"""
        select person_id, count(*), max(receipts), sum(receipts)
        from '{shop}/truth/stores/*.parquet' group by 1
        """
    )
    assert sum(count > 1 for _, count, *_ in stores) > 0.1 * len(stores)
    assert sum(most for *_, most, _ in stores) > 0.7 * sum(all_ for *_, all_ in stores)
    sold = rows(
        f"select count(distinct receipt_no) from read_csv('{shop}/input/orders/till/*.csv') "
        "where receipt_no like 'S%'"
    )
    assert sold == [(sum(all_ for *_, all_ in stores),)]


def test_answers_name_the_department_of_the_truth(shop: Path) -> None:
    told = rows(
        f"""
        select f.answer, p.interest from read_csv('{shop}/input/feedback/*.csv') f
        join '{shop}/truth/identifiers/*.parquet' i
            on i.identifier_type = 'email' and i.identifier_value = f.identifier_value
        join '{shop}/truth/people/*.parquet' p using (person_id)
        where f.question = 'favourite_department'
        """
    )
    assert told
    assert all(answer == interest for answer, interest in told)
    departments = {row[0] for row in rows(f"select interest from '{shop}/truth/people/*.parquet'")}
    quizzes = [
        event["properties"]
        for event in lines(shop / "input" / "web", "part-*.jsonl.gz")
        if event.get("event") == "Quiz Completed"
    ]
    assert quizzes
    assert {quiz["answers"]["favourite_department"] for quiz in quizzes} <= departments


def test_what_is_looked_at_has_a_size_and_a_colour(shop: Path) -> None:
    shelf = rows(f"select category, attributes from read_csv('{shop}/input/products/products.csv')")
    kinds = {category: json.loads(said) for category, said in shelf if said}
    assert {"textiles", "tableware"} <= kinds.keys()
    assert "tea" not in kinds
    assert all(said.keys() == {"size", "colour"} for said in kinds.values())
