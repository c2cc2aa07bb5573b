"""Explaining a person: found by any identifier, the strongest chain, refusals, plain failures."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from io import StringIO
from pathlib import Path

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from ingestion.config import REPOSITORY
from ingestion.errors import RegularsError, UsageError
from ingestion.vocabulary import GRADES
from orchestration.activation.person_now import explain_now
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.permission.consents import ConsentEvent, record_consents
from orchestration.ops.store import append, open_store, to_micros
from orchestration.who.evidence import (
    Edge,
    Explanation,
    Identifier,
    Node,
    chain,
    email_reason,
)
from orchestration.who.explain import AmbiguousError, NotFoundError, _quoted, explain, render
from orchestration.who.predicted import Predicted, may_use, value
from orchestration.who.why import why
from orchestration.words import codes

SHOP = Path(__file__).with_name("explained_shop.sql").read_text("utf-8")
TABLES = SHOP.partition("-- Rows")[0]
_WHEN = datetime.fromisoformat("2025-01-01")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("explain"))
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(SHOP)
    return home


def _text(explanation: Explanation, width: int = 200) -> str:
    console = Console(file=StringIO(), width=width, color_system=None, soft_wrap=True)
    console.print(render(explanation))
    file = console.file
    assert isinstance(file, StringIO)
    return file.getvalue()


@pytest.mark.parametrize(
    "who",
    [
        "ann@shop.example",
        "  ANN@Shop.Example ",
        "020 7946 0000",
        "+442079460000",
        "dev-1",
        "device:dev-1",
        "loyalty_id:77",
        "c1",
        "customer_id:c1",
        "c0",
    ],
)
def test_one_person_is_found_by_any_of_their_identifiers(home: Home, who: str) -> None:
    assert explain(home, who, "GB").customer_id == "c1"


def test_an_earlier_id_says_that_it_was_merged(home: Home) -> None:
    found = explain(home, "c0")
    assert found.alias_of == "c0"
    assert "since merged" in _text(found)


def test_a_value_of_two_people_is_asked_back_without_repeating_it(home: Home) -> None:
    with pytest.raises(AmbiguousError, match="2 people") as caught:
        explain(home, "77")
    assert caught.value.exit_code == 2
    assert "loyalty_id, orders_customer_id" in caught.value.message
    assert "77" not in str(caught.value)


def test_an_unknown_value_is_a_plain_failure_without_the_value(home: Home) -> None:
    with pytest.raises(NotFoundError, match="Nobody is known") as caught:
        explain(home, "stranger@nowhere.example")
    assert caught.value.exit_code == 1
    assert "stranger" not in str(caught.value)


@pytest.mark.parametrize(
    ("who", "reason"), [("kiosk", "shared_device"), ("none@none.example", "blocked_value")]
)
def test_a_refused_value_says_why_it_belongs_to_nobody(home: Home, who: str, reason: str) -> None:
    with pytest.raises(NotFoundError, match=f"belongs to nobody: {reason}"):
        explain(home, who)


@pytest.mark.parametrize(
    ("who", "told"),
    [
        ("(none)", "orders_customer_id was seen in 12 .* nobody: placeholder.* 10 order.*1,234.50"),
        ("01111 111111", "phone was seen in 3 .* nobody: repeated_digits"),
    ],
)
def test_a_value_that_stood_alone_says_why_it_belongs_to_nobody(
    home: Home, who: str, told: str
) -> None:
    with pytest.raises(NotFoundError, match=told):
        explain(home, who, "GB")


def test_nothing_asked_is_bad_usage(home: Home) -> None:
    with pytest.raises(UsageError, match="Say who"):
        explain(home, "  ")


def test_nothing_published_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(RegularsError, match="Nothing is published"):
        explain(Home(tmp_path), "ann@shop.example")


def test_a_broken_published_file_is_one_sentence(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.published.write_bytes(b"not a database" * 1000)
    with pytest.raises(RegularsError, match="cannot be read"):
        explain(home, "ann@shop.example")


def test_the_chain_reaches_every_identifier_over_the_best_record(home: Home) -> None:
    found = explain(home, "ann@shop.example")
    steps = {step.node: step for step in found.chain}
    assert found.chain[0].node == Node("email", "ann@shop.example")
    assert {i.node for i in found.identifiers} <= set(steps)
    device = steps[Node("device", "dev-1")]
    assert device.parent == Node("order", "1001")
    assert steps[Node("email", "old@shop.example")].parent == Node("device", "dev-1")
    assert Node("order", "1002") not in steps, "an order that ties nothing is left out"
    assert steps[Node("loyalty_id", "77")].edge is None, "nothing ties it: its own chain"


def test_refusals_stand_beside_the_chain_with_their_reason(home: Home) -> None:
    found = explain(home, "c1")
    reasons = [edge.refusal_reason for edge in found.refused]
    assert reasons == ["shared_device", "cannot_link"]
    text = _text(found)
    assert "refused: shared_device" in text
    assert "shared_device: Device used by several people; it joins nobody." in text
    assert text.count("device kiosk") == 1


def test_every_section_says_what_is_published(home: Home) -> None:
    text = _text(explain(home, "c1"))
    for words in (
        "buyer, c1",
        "better than for the 1 other address(es)",
        "seen 3 time(s), last on 2026-05-01",
        "same_order · orders 1001 · card_paid_order · 2025-02-01",
        "first kept order",
        "loyal (544)",
        "The shop's past is too short to prove it.",
        "Best customers",
        "among the top 5 %",
        "receipt-1",
        "revoked",
        "Never asked for the other 1 pairs",
        "no consent recorded",
        "delivered",
    ):
        assert words in text


def test_what_is_predicted_has_its_proof_or_the_reason_why_it_is_not_said(home: Home) -> None:
    told = " ".join(_text(explain(home, "c1")).split())
    assert (
        "Chance of no order in a year: 25 %, nine times in ten between 20 % and 31 %. Proven on the"
        " shop's past: on 1 of 2 days tried, the model of orders and silence (BG/NBD) was nearer"
    ) in told
    assert (
        "Next category: not said. On the shop's past it was not surely nearer than a naive rule."
        in told
    )


def test_intent_has_its_evidence_calibration_and_proof_or_why_it_is_not_said(home: Home) -> None:
    section = _text(explain(home, "c1")).partition("\nIntent\n")[2].partition("\nPreferences\n")[0]
    words = " ".join(section.split())
    assert "Strongest signal: Viewed a product on 2026-05-30; no order since." in words
    assert (
        "Chance of an order within a week, worked out: 12 %; of 640 people of the past with such a"
        " chance 10 % did. Proven on the shop's past: on 1 of 1 day tried, the model of signals and"
    ) in words
    assert "Next stage: not said. On the shop's past a naive rule was nearer." in words
    other = _text(explain(home, "bo@shop.example"))
    assert "No signals in the last 30 days that no order answered." in other


def test_preferences_say_how_they_are_known_and_nothing_inferred_is_stated(home: Home) -> None:
    section = _text(explain(home, "c1")).partition("\nPreferences\n")[2]
    rows = [" ".join(row.split()) for row in section.partition("\nNext step")[0].splitlines()]
    assert [row for row in rows if row][1:] == [
        "Channel SMS stated by them",
        "Channel Email measured: answered 3 of 9 messages; best on monday at 16:00",
        "Channel Push measured: answered 1 of 1 messages; best on sunday at 09:00, as the shop's"
        " people do",
        "Size M stated by them",
        "Colour red seen in what they did",
        "Brand Leaf worked out, last 2026-05-30",
    ]
    assert "Nothing is known of what they prefer." in _text(explain(home, "bo@shop.example"))


def test_the_next_step_has_a_reason_a_proof_and_whether_it_may_be_used(home: Home) -> None:
    text = _text(explain(home, "c1"))
    steps = " ".join(text.partition("Next step")[2].partition("\nSegments\n")[0].split())
    assert "Often bought with Tea" in steps and "Proven on this shop's past." in steps
    assert "In place of beans, due 2026-06-05: they sent it back." in steps
    assert "early" not in steps and "Next best" not in steps
    assert "none was stated. Their level is segment, so nothing of it may be used" in steps
    assert "Nothing is recommended to them" in _text(explain(home, "bo@shop.example"))


def test_personas_are_named_with_their_reasons_the_first_on_top(home: Home) -> None:
    text = _text(explain(home, "c1")).partition("\nPersonas\n")[2]
    assert text.index("Warm cup") < text.index("Giver")
    assert "favourite department is tea; order count at least 1" in text
    path = " ".join(text.split())
    assert "On the path of Warm cup: step 1 of it on 2026-05-01" in path
    assert "they did not react. Next: refill (email), from 2026-05-29" in path
    assert "Of none that the shop describes." in _text(explain(home, "bo@shop.example"))


def test_every_state_of_a_path_has_its_words() -> None:
    journey = REPOSITORY / "dbt_project" / "models" / "marts" / "journey"
    (model,) = yaml.safe_load((journey / "fct_persona_paths.yml").read_text("utf-8"))["models"]
    obey = next(test["rows_obey"] for test in model["data_tests"] if "rows_obey" in test)
    assert set(obey["arguments"]["values"]["state"]) == set(codes.PATH_STATES)


@pytest.mark.parametrize("reason", sorted(codes.UNPROVEN))
def test_each_reason_is_a_sentence(reason: str) -> None:
    clv = {"predicted_clv_365d": None, "null_reason": reason}
    (sentence,) = value(Predicted(), clv, "JPY")
    assert sentence == f"Expected in a year: not said. {codes.UNPROVEN[reason]}"


def test_every_reason_that_the_models_give_has_its_sentence() -> None:
    models = REPOSITORY / "dbt_project" / "models" / "marts" / "value"
    found = set[str]()
    for name in ("fct_customer_clv", "fct_customer_predictions", "fct_customer_intent"):
        (model,) = yaml.safe_load((models / f"{name}.yml").read_text("utf-8"))["models"]
        obey = next(test["rows_obey"] for test in model["data_tests"] if "rows_obey" in test)
        for column, reasons in obey["arguments"]["values"].items():
            found |= set(reasons) if column.endswith("null_reason") else set()
    assert found == set(codes.UNPROVEN)


def test_an_expected_amount_has_its_interval_and_proof() -> None:
    clv = {"predicted_clv_365d": 1000, "predicted_clv_low": 500, "predicted_clv_high": 2000}
    clv |= {"margin_null_reason": "unknown_cost"}
    judged = {"target": "spend", "model": "bg_nbd", "is_published": True}
    tried = [judged | {"error": 1.0, "baseline_error": 2.0}]
    assert list(value(Predicted(backtests=tried), clv, "JPY")) == [
        "Expected in a year: 1,000 JPY, nine times in ten between 500 JPY and 2,000 JPY. Proven on"
        " the shop's past: on 1 of 1 day tried, the model of orders and silence (BG/NBD) was nearer"
        " than every naive rule.",
        "Of that, after what the goods cost the shop: not said. What the goods of some orders cost"
        " the shop is not known.",
    ]
    (_, margin) = value(Predicted(), clv | {"margin_365d": 400}, "JPY")
    assert margin == "Of that, after what the goods cost the shop: 400 JPY."


def test_only_the_level_full_permits_to_use_what_is_worked_out() -> None:
    assert may_use("full").endswith("Their level permits to use it for them.")
    for level in ("segment", "none", None, "unheard of"):
        assert "nothing of it may be used" in may_use(level)


def test_each_field_says_which_value_won_over_which_and_why(home: Home) -> None:
    lines = [" ".join(line.split()) for line in _text(explain(home, "c1")).splitlines()]
    assert (
        "first_name Ann best evidence: orders 1001 · card_paid_order · observed · "
        "2025-02-01 00:00 Annie (newsletter)"
    ) in lines
    assert any(line.startswith("timezone Europe/London all say so: klaviyo k-1") for line in lines)


def test_the_current_stay_in_a_segment_counts(home: Home) -> None:
    (segment,) = explain(home, "c1").segments
    assert segment["segment"] == "vip"
    assert segment["entered_at"] == datetime.fromisoformat("2026-05-02")


def test_the_timeline_tells_how_it_began_and_what_happened_last(home: Home) -> None:
    """A message's steps are one line, views are counted, and what was sent is no first touch.

    Stages stand between what happened: from when somebody became aware to where they are.
    """
    lines = [" ".join(line.split()) for line in _text(explain(home, "c1")).splitlines()]
    begin = lines.index("Timeline") + 2
    assert lines[begin : begin + 9] == [
        "2025-01-01 09:00 web first: visited (paid social, 3 pages)",
        "2025-01-01 09:01 web looked at first: looked at Blue mug",
        "2025-03-01 07:00 email promo (spring): sent, opened, clicked",
        "2025-02-01 10:00 store ordered for 60.50 GBP in store north",
        "2025-02-01 00:00 journey entered purchase (first kept order)",
        "2025-01-01 09:01 web looked at 14 products: Blue mug, Tea [bold]pot, x3 …",
        "2025-01-01 09:00 web visited (paid social, 3 pages)",
        "2025-01-01 00:00 journey entered awareness (first visit)",
        "2024-12-01 00:00 email welcome: sent",
    ]
    assert "Nothing happened with them yet." in _text(explain(home, "bo@shop.example"))


def test_a_name_with_markup_is_printed_as_it_is(home: Home) -> None:
    assert "Ann [bold]Lee" in _text(explain(home, "c1"))


def test_a_person_without_orders_or_permission_gets_sentences(home: Home) -> None:
    text = _text(explain(home, "bo@shop.example"))
    for words in ("No kept order yet", "In no segment", "nothing may be sent", "No name known"):
        assert words in text


def test_it_fits_a_narrow_terminal(home: Home) -> None:
    assert all(len(line) <= 60 for line in _text(explain(home, "c1"), width=60).splitlines())


def test_the_latest_days_decision_is_told_with_what_lost(home: Home) -> None:
    found = explain(home, "c1")
    assert [row["segment"] for row in found.decisions] == ["abandoned_cart"]
    today = _text(found).partition("Today")[2].partition("Sent")[0]
    assert "had enough contacts" in today and "2026-06-02" in today
    assert "ordered a short while ago" in today and "chosen" not in today


def test_json_holds_everything_and_money_is_exact(home: Home) -> None:
    content = json.loads(explain(home, "c1").to_json())
    assert content["person"]["lifetime_net_sales"] == "120.5000"
    assert content["as_of"] == "2026-06-01T00:00:00"
    assert len(content["identifiers"]) == 5
    assert content["refused"][0]["refusal_reason"] == "shared_device"
    assert content["fields"][1]["claimed_value"] == "Ann"
    assert content["not_published"] == []


def test_what_was_sent_since_the_publishing_comes_from_the_ledger(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(SHOP)
    shared = {"segment": "vip", "destination": "file", "channel": "email", "purpose": "marketing"}
    moment = to_micros(datetime.fromisoformat("2026-06-02 08:00:00"))
    run = {"sync_run_id": "s1", "run_id": "r1", "plan_hash": "p", "status": "succeeded"}
    sent = {"delivery_id": "d9", "sync_run_id": "s1", "customer_id": "c1", "version": 1}
    with open_store(home) as store, store.write() as connection:
        append(connection, schema.sync_runs, [{**run, **shared, "started_at": moment}])
        row = {
            **sent,
            **shared,
            "operation": "removed",
            "content_hash": "h",
            "delivered_at": moment,
        }
        append(connection, schema.deliveries, [{**row, "outcome": "delivered"}])
    found = explain(home, "c1")
    assert [delivery["operation"] for delivery in found.deliveries] == ["removed"]
    assert "2026-06-02 08:00  vip      file         removed" in _text(found)


def refused_by_hand(home: Home, address: str) -> None:
    """A refusal of emails that no run has seen."""
    event = ConsentEvent(
        "email",
        address,
        channel="email",
        purpose="marketing",
        status="revoked",
        occurred_at=_WHEN,
        source="command line",
    )
    with open_store(home) as store:
        record_consents(store, [event], recorded_at=_WHEN)


def copy_of(home: Home, tmp_path: Path) -> Home:
    copy = Home(tmp_path / "home").create()
    copy.published.write_bytes(home.published.read_bytes())
    return copy


def test_a_refusal_since_the_run_is_told_at_once(home: Home, tmp_path: Path) -> None:
    """Permission and today's decision, with what the run had; the other pairs stay as they are."""
    copy = copy_of(home, tmp_path)
    refused_by_hand(copy, "ann@shop.example")
    text = _text(explain_now(copy, "c1", at=datetime.fromisoformat("2026-06-01")))
    permission = text.partition("Permission")[2].partition("Today")[0]
    assert re.search(
        r"email +marketing +no +revoked since the run, which had granted at checkout", permission
    )
    assert " yes " not in permission
    today = text.partition("Today")[2].partition("Sent")[0]
    assert re.search(
        r"abandoned_cart +email +refused since; the run had it deferred +permission withdrawn",
        today,
    )
    found = explain_now(copy, "c1", at=datetime.fromisoformat("2026-06-01"))
    assert not any(row["is_contactable"] for row in found.permissions)
    (rival,) = json.loads(found.decisions[0]["rivals"])
    assert "refused_since" not in rival, "the run did not want it either"


def test_without_a_store_the_published_permission_is_told(home: Home, tmp_path: Path) -> None:
    copy = copy_of(home, tmp_path)
    assert explain_now(copy, "c1", at=_WHEN) == explain(copy, "c1")


def test_an_address_in_no_run_that_was_refused_is_told(home: Home, tmp_path: Path) -> None:
    copy = copy_of(home, tmp_path)
    with pytest.raises(NotFoundError, match="Nobody is known"):
        explain_now(copy, "new@nowhere.example", at=_WHEN)
    refused_by_hand(copy, "new@nowhere.example")
    found = explain_now(copy, "new@nowhere.example", at=datetime.fromisoformat("2026-06-01"))
    text = _text(found)
    assert "No published run knows them yet" in text
    assert re.search(r"email +marketing +no +revoked", text)
    assert "In no segment" not in text
    assert not found.is_published
    with pytest.raises(NotFoundError):
        explain_now(copy, "other@nowhere.example", at=_WHEN)


@pytest.mark.parametrize(
    "who", ["' or 1=1 --", "login:' or ''='", "c1'; select 1 --", "\\' or true --"]
)
def test_hostile_text_finds_nobody(home: Home, who: str) -> None:
    with pytest.raises(NotFoundError):
        explain(home, who)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_quoted_as_itself(text: str) -> None:
    (row,) = duckdb.sql(f"select {_quoted(text)}").fetchall()
    assert row[0] == text.replace("\x00", "")


def test_pandas_is_not_imported_to_explain(home: Home) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from orchestration.who.explain import explain, render;"
        "from orchestration.home.layout import Home;"
        f"render(explain(Home(Path({str(home.root)!r})), 'c1')); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=REPOSITORY)


def test_a_file_with_few_tables_is_explained_as_far_as_it_goes(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(SHOP)
        connection.execute("drop schema activity cascade; drop schema segments cascade")
        connection.execute("drop table marts.fct_interactions")
    found = explain(home, "c1")
    assert found.not_published == [
        "activity.fct_contact_decisions",
        "activity.fct_deliveries",
        "activity.fct_held_back",
        "marts.fct_interactions",
        "segments.*",
    ]
    assert "Nothing was sent" in _text(found)


def _identifier(value: str, grade: str, *, dormant: bool = False) -> Identifier:
    return Identifier("email", value, grade, False, dormant, _WHEN, _WHEN, 2)


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "The only address"),
        ([_identifier("b", "newsletter")], "better than for the 1"),
        ([_identifier("b", "checkout", dormant=True)], "which lie dormant"),
        ([_identifier("b", "checkout")], "as good as for 1 of 1 other(s), and seen last"),
        ([_identifier("b", "card_paid_order")], "1 of 1 other address(es) has better"),
    ],
)
def test_the_best_address_has_a_reason(others: list[Identifier], words: str) -> None:
    assert words in email_reason("a", [_identifier("a", "checkout"), *others])


def test_no_address_is_a_sentence_too() -> None:
    assert email_reason(None, []) == "No email address is known."
    assert email_reason(None, [_identifier("a", "import")]) == "No address is usable."


_NODES = [Node("email", str(number)) for number in range(8)]
_EDGES = st.builds(
    lambda a, b, grade, record: Edge(a, b, "web", record, _WHEN, "rule", grade, None),
    st.sampled_from(_NODES),
    st.sampled_from(_NODES),
    st.sampled_from(GRADES),
    st.text("abc", min_size=1, max_size=2),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(_EDGES, max_size=25), st.randoms(use_true_random=False))
def test_the_chain_is_a_spanning_forest_whatever_the_order(
    edges: list[Edge], random: object
) -> None:
    steps = chain(_NODES, edges, _NODES[3])
    assert steps[0].node == _NODES[3]
    assert sorted(step.node for step in steps) == sorted(_NODES)
    seen: set[Node] = set()
    for step in steps:
        assert step.parent is None or step.parent in seen
        seen.add(step.node)
    shuffle: Callable[[list[Edge]], None] = getattr(random, "shuffle")  # noqa: B009
    again = list(edges)
    shuffle(again)
    assert chain(_NODES, again, _NODES[3]) == steps


@pytest.mark.faults
@pytest.mark.slow
def test_a_million_identifiers_are_searched_in_under_200_ms(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with duckdb.connect(str(home.published)) as connection:  # in the order of the published file
        connection.execute(TABLES)
        connection.execute("""
            insert into marts.bridge_customer_identifiers
            select md5((i // 4)::text), case i % 2 when 0 then 'email' else 'device' end,
                md5('x' || i) || case i % 2 when 0 then '@x.example' else '' end,
                'checkout', false, false, timestamp '2025-01-01',
                timestamp '2025-01-01', 1
            from range(1000000) t(i) order by 1;
            insert into marts.dim_customers (customer_id, customer_type)
            select md5(i::text), 'buyer' from range(250000) t(i) order by 1;
            insert into marts.fct_identity_edges
            select 'email', md5('x' || (i - i % 2)) || '@x.example', 'device',
                md5('x' || (i - i % 4 + 1)), 'web', 'm' || i, timestamp '2025-01-01', 'identify',
                'checkout', 'used', null
            from range(2000000) t(i);
            insert into marts.fct_customer_field_provenance
            select md5((i // 8)::text) as customer_id, 'field' || i % 8, 'value' || i, true,
                'best_grade', 'web', 'm' || i, 'checkout', 'stated', 1, timestamp '2025-01-01'
            from range(2000000) t(i) order by customer_id;
            insert into marts.fct_interactions by name
            select md5((i // 40)::text) as customer_id, 'web' as channel, 'visit' as kind,
                timestamp '2025-01-01' + i * interval 1 second as occurred_at,
                'inbound' as direction, i as interaction_id
            from range(5000000) t(i) order by customer_id;
        """)
        values = connection.execute(
            "select md5('x' || i) || tail from (values (400000, '@x.example'),"
            " (400002, '@x.example'), (400003, ''), (800001, '')) t(i, tail)"
        ).fetchall()
    (first,), (second,), (value,), (far,) = values
    explain(home, value)
    searches = {
        "explain": lambda: _seconds(home, value),
        "tied": lambda: _seconds_why(home, first, second),
        "apart": lambda: _seconds_why(home, first, far),
    }
    seconds = {name: _least(search, enough=0.2) for name, search in searches.items()}
    print(", ".join(f"{name} {best:.3f} s" for name, best in seconds.items()))
    # The promise is for a machine that has a core to spare; a busy one is allowed its share more.
    allowed = 0.2 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert max(seconds.values()) < allowed, seconds


def _least(search: Callable[[], float], enough: float) -> float:
    """The least time of ten searches, and of forty more while others keep the machine busy."""
    best = min(search() for _ in range(10))
    for _ in range(40):
        if best < enough:
            break
        time.sleep(0.25)
        best = min(best, search())
    return best


def _seconds(home: Home, value: str) -> float:
    started = time.perf_counter()
    found = explain(home, value)
    assert len(found.identifiers) == 4
    assert len(found.chain) == 4
    assert len(found.fields) == 8
    assert found.timeline.first_touch
    return time.perf_counter() - started


def _seconds_why(home: Home, first: str, second: str) -> float:
    started = time.perf_counter()
    found = why(home, first, second)
    assert found.is_one_person is bool(found.path)
    return time.perf_counter() - started
