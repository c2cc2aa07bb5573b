"""What the pretend shop writes: readable by the formats' rules, the same bytes, the truth apart."""

from __future__ import annotations

import filecmp
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from ingestion.demo.__main__ import main
from ingestion.demo.troubles import Troubles
from ingestion.demo.world import make_world
from ingestion.demo.write import write_all_files, write_demo

PEOPLE, SEED = 400, 2


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_demo(make_world(PEOPLE, SEED), folder)
    return folder


@pytest.fixture(scope="module")
def all_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("all")
    write_all_files(make_world(PEOPLE, SEED), folder, ".jsonl.gz")
    return folder


def json_lines(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.rglob("*.jsonl.gz")):
        if path.name.startswith("interrupted"):
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found += [json.loads(line) for line in lines]
    return found


def table(query: str, **names: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as con:
        return con.execute(query.format(**names)).fetchall()


def all_paths(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_same_world_is_written_byte_for_byte(shop: Path, tmp_path: Path) -> None:
    write_demo(make_world(PEOPLE, SEED), tmp_path)
    paths = all_paths(shop)
    assert paths == all_paths(tmp_path)
    different = [p for p in paths if not filecmp.cmp(shop / p, tmp_path / p, shallow=False)]
    assert different == []


@pytest.mark.faults
@pytest.mark.parametrize("write", [write_demo, write_all_files])
def test_any_number_of_processes_writes_the_same_bytes(
    write: Callable[..., None], tmp_path: Path
) -> None:
    # From the third block on, block * 1e9 is more than 32 bits hold.
    world = replace(make_world(70, SEED), block_size=14)
    assert world.block_count == 5
    folders = [tmp_path / "alone", tmp_path / "beside"]
    for workers, folder in enumerate(folders, start=1):
        write(world, folder, workers=workers)
    paths = all_paths(folders[0])
    assert paths == all_paths(folders[1])
    parts = {path.name for path in paths if path.parent.name == "people"}
    assert parts == {f"part-{index:03d}.parquet" for index in range(5)}
    compared = [filecmp.cmp(folders[0] / p, folders[1] / p, shallow=False) for p in paths]
    assert all(compared)


def test_web_events_are_segments(shop: Path) -> None:
    events = json_lines(shop / "input" / "web")
    assert {event["type"] for event in events} == {"page", "identify", "track"}
    for event in events:
        assert event["messageId"]
        assert event["anonymousId"]
        assert event["timestamp"].endswith("Z")
        assert event["context"]["userAgent"]
        if event["type"] == "track":
            assert isinstance(event["event"], str)
            assert isinstance(event["properties"], dict)
        if event["event" if "event" in event else "type"] == "Product Viewed":
            assert {"product_id", "sku", "name", "category", "price"} <= set(event["properties"])
    names = {event.get("event") for event in events}
    assert {"Product Added", "Checkout Started", "Order Completed", "Coupon Applied"} <= names


def test_a_message_that_came_twice_is_the_same_message(shop: Path) -> None:
    seen: dict[str, str] = {}
    doubled = 0
    for event in json_lines(shop / "input" / "web"):
        text = json.dumps(event, sort_keys=True)
        doubled += event["messageId"] in seen
        assert seen.setdefault(event["messageId"], text) == text
    assert doubled > 0


def test_a_delivery_that_broke_off_repeats_the_beginning_of_good_lines(tmp_path: Path) -> None:
    world = make_world(60, 1, troubles=Troubles(broken_line=0.2))
    write_demo(world, tmp_path)
    web = tmp_path / "input" / "web"
    (path,) = web.rglob("interrupted-*.jsonl.gz")
    good = {json.dumps(event, separators=(",", ":")) for event in json_lines(web)}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        whole, *broken = [line.rstrip("\n") for line in lines]
    assert whole in good
    assert broken
    for line in broken:
        with pytest.raises(json.JSONDecodeError):
            json.loads(line)
        assert any(text.startswith(line[:200]) for text in good)


def test_signing_in_comes_before_the_login_is_known(shop: Path) -> None:
    events = json_lines(shop / "input" / "web")
    identified = [event for event in events if event["type"] == "identify"]
    assert any("userId" in event for event in identified)
    assert any("userId" not in event for event in identified)
    assert all(event["traits"]["email"] for event in identified)
    pages = [event for event in events if event["type"] == "page"]
    assert all("userId" not in page for page in pages)


def test_the_mapping_names_columns_that_are_there(shop: Path) -> None:
    folder = shop / "input" / "orders"
    mapping = yaml.safe_load((folder / "mapping.yml").read_text("utf-8"))
    header = next((folder / "till").glob("*.csv")).open().readline().strip().split(",")
    assert set(mapping["columns"].values()) <= set(header)


def test_returns_at_the_till_are_receipts_of_their_own(shop: Path) -> None:
    rows = table(
        "select receipt_no, qty from read_csv('{till}/*.csv', all_varchar=true)",
        till=shop / "input" / "orders" / "till",
    )
    assert any(number.startswith("R") for number, _ in rows)
    for number, quantity in rows:
        assert number.startswith("R") == (int(quantity) < 0)


def test_one_currency_has_no_rate(shop: Path) -> None:
    rated = {
        row[0]
        for row in table(
            "select distinct currency from read_csv('{rates}/*.csv')",
            rates=shop / "input" / "rates",
        )
    }
    paid = {
        row[0]
        for row in table(
            "select distinct currency from read_csv('{p}/*.csv')", p=shop / "input" / "payments"
        )
    }
    assert paid - rated == {"GBP", "SEK"}


def test_consents_are_given_taken_back_and_run_out(shop: Path) -> None:
    found = table(
        "select distinct status, channel from read_csv('{c}/*.csv') order by all",
        c=shop / "input" / "consents",
    )
    assert {("granted", "email"), ("revoked", "email"), ("denied", "email")} <= set(found)
    assert {("granted", "sms"), ("granted", "ads"), ("denied", "ads")} <= set(found)
    statuses = {
        row[0] for row in table("select status from '{t}/*.parquet'", t=shop / "truth/consents")
    }
    assert {"granted", "revoked", "denied", "expired"} <= statuses


def test_the_banner_asks_about_personalisation_and_part_of_the_visitors_accept(
    shop: Path,
) -> None:
    answers: dict[str, set[str]] = {}
    for event in json_lines(shop / "input" / "web"):
        said = event["context"]["consent"]["categoryPreferences"]
        answers.setdefault(event["anonymousId"], set()).add(json.dumps(said, sort_keys=True))
    assert all(len(said) == 1 for said in answers.values()), "a device answers once"
    told = {device: json.loads(said.pop()) for device, said in answers.items()}
    accepting = sum(said["Personalisation"] for said in told.values())
    assert 0.2 < accepting / len(told) < 0.6
    truth = table(
        "select identifier_value, status from '{t}/*.parquet' where channel = 'onsite'",
        t=shop / "truth/consents",
    )
    assert truth
    for device, status in truth:
        if device in told:  # the first events of a new device may still be on their way
            assert (status == "granted") == told[device]["Personalisation"]


def test_nothing_in_the_data_refers_to_the_truth(shop: Path) -> None:
    ids = {
        row[0] for row in table("select person_id from '{t}/*.parquet'", t=shop / "truth/people")
    }
    texts = [json.dumps(event) for event in json_lines(shop / "input" / "web")]
    for path in [*(shop / "input").rglob("*.csv"), *(shop / "api").rglob("*.jsonl")]:
        texts += path.read_text("utf-8").splitlines()
    for path in (shop / "api" / "klaviyo").rglob("*.parquet"):
        texts += [str(row) for row in table("select * from '{p}'", p=path)]
    for word in ("person_id", "latent", "household", "P0000"):
        assert not any(word in text for text in texts), word
    assert len(ids) == PEOPLE


def test_a_persons_identifiers_are_nobody_elses_unless_the_truth_says_so(shop: Path) -> None:
    shared = table(
        """
        select identifier_type, identifier_value from '{t}/*.parquet'
        group by all having count(distinct person_id) > 1 and not bool_and(is_shared)
        """,
        t=shop / "truth/identifiers",
    )
    assert shared == []


def test_a_shop_that_knows_no_cards_differs_in_nothing_else(shop: Path, tmp_path: Path) -> None:
    write_demo(make_world(PEOPLE, SEED, troubles=Troubles(hidden_card=1.0)), tmp_path)
    different = {
        path.parts[1]
        for path in all_paths(shop)
        if not filecmp.cmp(shop / path, tmp_path / path, shallow=False)
    }
    assert different == {"orders", "payments", "identifiers"}
    truth = tmp_path / "truth/identifiers/*.parquet"
    kinds = table("select distinct identifier_type from '{truth}'", truth=truth)
    assert ("payment_card",) not in kinds
    assert ("device",) in kinds
    for folder, column in (("orders/till", "card_token"), ("payments", "fingerprint")):
        files = tmp_path / "input" / folder / "*.csv"
        query = f"select count({column}), count(*) > 0 from read_csv('{{files}}')"
        assert table(query, files=files) == [(0, True)]


def test_evidence_groups_join_only_what_is_one_persons(shop: Path) -> None:
    groups = table(
        """
        select evidence_group, count(distinct person_id), count(*) from '{t}/*.parquet'
        where evidence_group is not null group by all
        """,
        t=shop / "truth/identifiers",
    )
    assert all(people == 1 for _, people, _ in groups)
    assert max(size for _, _, size in groups) > 5


def test_orders_and_mail_as_files_are_the_apis_content(shop: Path, all_files: Path) -> None:
    orders = json_lines(all_files / "input" / "orders")
    nodes = []
    for path in sorted((shop / "api" / "shopify" / "orders").glob("*.jsonl")):
        nodes += [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert [str(o["id"]) for o in orders] == [n["id"].rsplit("/", 1)[1] for n in nodes]
    for order, node in zip(orders, nodes, strict=True):
        assert order["total_price"] == node["totalPriceSet"]["shopMoney"]["amount"]
        assert len(order["line_items"]) == len(node["lineItems"]["nodes"])
        assert order["test"] == node["test"]
    mail = json_lines(all_files / "input" / "email")
    kinds = {event["event"] for event in mail}
    assert {"processed", "delivered", "open", "click", "bounce", "unsubscribe"} <= kinds
    assert len({event["sg_event_id"] for event in mail}) == len(mail)
    opened = table(
        "select count(*) from '{k}/*.parquet' where metric = 'Opened Email'",
        k=shop / "api/klaviyo/events",
    )[0][0]
    assert sum(event["event"] == "open" for event in mail) == opened


def test_an_orders_money_adds_up(all_files: Path) -> None:
    for order in json_lines(all_files / "input" / "orders"):
        cents = sum(
            round(float(line["price"]) * 100) * line["quantity"]
            - round(float(line["total_discount"]) * 100)
            for line in order["line_items"]
        )
        shipping = float(order["total_shipping_price_set"]["shop_money"]["amount"])
        assert cents + round(shipping * 100) == round(float(order["total_price"]) * 100)
        for refund in order["refunds"]:
            quantities = {line["id"]: line["quantity"] for line in order["line_items"]}
            for item in refund["refund_line_items"] or []:
                assert item["quantity"] <= quantities[item["line_item_id"]]


def test_the_command_writes_a_shop(tmp_path: Path) -> None:
    assert main(["--people", "30", "--seed", "1", "--out", str(tmp_path / "a")]) == 0
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"input", "api", "truth"}
    assert main(["--people", "30", "--out", str(tmp_path / "b"), "--all-files"]) == 0
    assert {path.name for path in (tmp_path / "b").iterdir()} == {"input", "truth"}
    with pytest.raises(SystemExit):
        main(["--people", "0", "--out", str(tmp_path / "c")])


def test_whom_an_experiment_left_out_got_no_such_letter(shop: Path) -> None:
    groups = dict(
        table(
            "select \"group\", count(*) from '{t}/*.parquet' group by 1", t=shop / "truth/holdouts"
        )
    )
    assert 0.05 < groups["holdout"] / sum(groups.values()) < 0.16
    campaigns = table(
        "select experiment, campaign_id from '{t}/*.parquet' order by sent_at",
        t=shop / "truth/campaigns",
    )
    assert sum(experiment is None for experiment, _ in campaigns) == len(campaigns) // 3
    mailed = dict(
        table(
            """
            select h."group", count(e.id) > 0 from '{t}/holdouts/*.parquet' h
            join '{t}/campaigns/*.parquet' c on c.experiment = h.experiment_id
            join '{t}/identifiers/*.parquet' i on i.person_id = h.person
                and i.identifier_type = 'klaviyo_profile_id'
            left join '{k}/*.parquet' e on e.profile_id = i.identifier_value
                and e.metric = 'Received Email' and contains(e.resource, c.campaign_id)
            group by 1
            """,
            t=shop / "truth",
            k=shop / "api/klaviyo/events",
        )
    )
    assert mailed == {"treatment": True, "holdout": False}
