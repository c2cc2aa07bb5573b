"""`regulars demo`, from outside: what a newcomer sees, and what a second run changes."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.conftest import PEOPLE, DemoHome, Regulars

SEGMENTS = {
    "high_intent",
    "abandoned_cart",
    "abandoned_browse",
    "abandoned_checkout",
    "abandoned_wishlist",
    "back_in_stock",
    "category_with_promotion",
    "price_drop",
    "replenishment_due",
    "retargeting",
    "service_recovery",
    "first_time_visitors",
    "new_subscribers",
    "one_time_buyers",
    "loyal_customers",
    "vip",
    "at_risk",
    "buyers_without_email_permission",
    "recent_buyers",
    "thank_you",
    "voucher_expiring",
    "voucher_unused",
}
# docs/segments.md says why
WITHOUT_MEMBERS = {"birthday", "exit_intent", "gift_shoppers", "occasion_gifts"}
SOAK = pytest.mark.skipif(not os.environ.get("REGULARS_SOAK"), reason="whole runs, in `make soak`")
CONTENT = ("marts", "segments")


def digests(home: DemoHome) -> dict[str, str]:
    rows = home.query("select table_name, digest from ops.build_tables")
    return {name: digest for name, digest in rows if name.startswith(CONTENT)}


def test_the_summary_names_people_groups_stages_segments_and_deliveries(
    demo_home: DemoHome,
) -> None:
    said = demo_home.said
    for word in ("People", "RFM group", "champions", "Stage", "advocacy", "Rows", "Next"):
        assert word in said, said
    for segment in SEGMENTS:
        assert segment in said
    assert "held back" in said


def test_the_accounts_with_vendors_hold_what_was_sent_to_them(demo_home: DemoHome) -> None:
    with closing(sqlite3.connect(demo_home.root / "ops.sqlite")) as store:
        rows = store.execute(
            "select destination || ' ' || segment, count(*) from outbox"
            " where destination not in ('file', 'onsite') and operation = 'added'"
            " and state in ('accepted', 'sent') group by 1"
        ).fetchall()
    sent = dict(rows)
    retargeted = [f"{name} retargeting" for name in ("meta_ads", "google_ads")]
    assert set(sent) == {"klaviyo vip", "klaviyo at_risk", *retargeted}
    said = " ".join(demo_home.said.split())
    for segment in ("vip", "at_risk"):
        assert f"regulars_{segment} {sent[f'klaviyo {segment}']:,}," in said
    assert f"regulars_retargeting (people {sent['meta_ads retargeting']:,}" in said
    # Google takes nobody without both consents, and says afterwards of how many that was
    google = said.partition("google_ads holds ")[2].partition(" Report")[0]
    answered = re.findall(r"(?:Customers|UNKNOWN_CONSENT|DENIED_CONSENT) ([\d,]+)", google)
    assert sum(int(each.replace(",", "")) for each in answered) == sent["google_ads retargeting"]


def test_next_commands_work_when_pasted(demo_home: DemoHome, regulars: Regulars) -> None:
    lines = demo_home.said.partition("Next")[2].splitlines()
    commands = [re.split(r"\s{3,}", line.strip())[0] for line in lines if "regulars " in line]
    assert len(commands) >= 3, lines
    for command in commands[:3]:
        words = shlex.split(command)
        done = regulars(*words[1:], *([] if "--home" in words else ["--home", demo_home.root]))
        assert done.code == 0, command + done.out + done.err
        assert done.out.strip()


def test_looking_changes_nothing_in_the_operational_store(
    demo_home: DemoHome, regulars: Regulars
) -> None:
    """RELIABILITY A12: who plans, explains, reports or asks leaves each row as it was."""
    ((person,),) = demo_home.query("select min(customer_id) from segments.seg_vip")
    before = rows_of_the_store(demo_home)
    for words in (
        ("plan",),
        ("plan", "vip", "--who"),
        ("explain", person),
        ("explain", person, "--for-customer"),
        ("report",),
        ("sql", "select count(*) from ops.runs"),
    ):
        done = regulars(*words, "--home", demo_home.root)
        assert done.code == 0, (words[0], done.err)
        assert rows_of_the_store(demo_home) == before, words[0]


def rows_of_the_store(home: DemoHome) -> list[str]:
    """Everything that stands in it, as statements."""
    address = f"file:{home.root / 'ops.sqlite'}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        return list(connection.iterdump())


def test_every_segment_has_reasons_and_context(demo_home: DemoHome) -> None:
    published = {name for (name,) in demo_home.query("select segment from marts.dim_segments")}
    assert published >= SEGMENTS
    for segment in published:
        rows = demo_home.query(f"select reason, context from segments.seg_{segment}")
        assert bool(rows) is (segment not in WITHOUT_MEMBERS), segment
        for reason, context in rows:
            assert reason.strip()
            json.loads(context)


def test_what_each_segment_uses_of_people_is_published(demo_home: DemoHome) -> None:
    rows = demo_home.query(
        "select segment, sensitivity, about, level from activity.bridge_segment_traits"
    )
    published = {name for (name,) in demo_home.query("select segment from marts.dim_segments")}
    assert {segment for segment, *_ in rows} == published >= SEGMENTS
    assert {(sensitivity, about) for _, sensitivity, about, _ in rows} <= {
        ("none", "person"),
        ("personal", "person"),
    }
    assert {level for *_, level in rows} == {"full"}


def test_nothing_that_goes_out_of_a_member_grows_older_by_itself(demo_home: DemoHome) -> None:
    """An age or a rank would make everybody an update of every day."""
    rows = [
        row
        for (segment,) in demo_home.query("select segment from marts.dim_segments")
        for row in demo_home.query(f"select reason, context from segments.seg_{segment}")
    ]
    assert rows
    assert not [reason for reason, _ in rows if re.search(r"\bago\b|\btoday\b|^Number", reason)]
    fields = {field for _, context in rows for field in json.loads(context)}
    assert "last_ordered_on" in fields
    # An offer ends on a day, and stays so
    aging = {field for field in fields if re.search(r"since|until|rank|age", field)}
    assert aging <= {"offer_until"}


def test_nobody_received_anything_without_a_receipt(demo_home: DemoHome) -> None:
    sent = demo_home.query("select count(*) from activity.fct_deliveries")
    assert sent == [(0,)], "the first published file knows no sync yet"
    files = list((demo_home.root / "delivered").rglob("*"))
    assert any(path.is_file() for path in files)


def test_every_audience_carries_what_a_greeting_needs(demo_home: DemoHome) -> None:
    files = list((demo_home.root / "delivered").rglob("audience.csv"))
    assert files
    for file in files:
        with file.open(newline="", encoding="utf-8") as stream:
            people = csv.DictReader(stream)
            assert {"first_name", "last_name", "reason", "context"} <= set(people.fieldnames or ())
    with next(f for f in files if "vip" in f.parts).open(newline="", encoding="utf-8") as stream:
        assert any(person["first_name"] for person in csv.DictReader(stream))


def test_the_scorecard_puts_every_rule_beside_ours(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    card = tmp_path / "card.json"
    done = regulars("score", "--json", card, "--home", demo_home.root)
    assert done.code == 0, done.err
    facts = json.loads(card.read_text("utf-8"))
    assert {method["name"] for method in facts["methods"]} == {
        "regulars",
        "email_equality",
        "last_login_per_device",
        "flat_matching",
        "connected_components",
    }
    assert 0 < facts["people"] <= int(PEOPLE)
    for method in facts["methods"]:
        assert method["label"] in done.out
        assert method["cross_person_merges"] >= 0
        scores = [method["pairwise"], method["b_cubed"]]
        scores += [trouble["pairwise"] for trouble in method["troubles"].values()]
        for one in scores:
            assert all(0 <= one[measure] <= 1 for measure in ("precision", "recall", "f1")), one
    assert 0 <= facts["methods"][0]["best_email_accuracy"] <= 1
    assert "@" not in done.out


def test_who_is_who_is_right_and_better_than_every_rival(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    """RELIABILITY B8: precision 0.995, recall 0.97, best address 0.98, whatever the trouble."""
    card = tmp_path / "card.json"
    assert regulars("score", "--json", card, "--home", demo_home.root).code == 0
    ours, *rivals = json.loads(card.read_text("utf-8"))["methods"]
    assert ours["pairwise"]["precision"] >= 0.995
    assert ours["pairwise"]["recall"] >= 0.97
    assert ours["best_email_accuracy"] >= 0.98
    for name, trouble in ours["troubles"].items():
        for rival in rivals:
            assert trouble["pairwise"]["f1"] >= rival["troubles"][name]["pairwise"]["f1"], name
    assert ours["cross_person_merges"] == 0


def test_a_rule_is_shown_before_it_happens(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    """One address leaves its person, two strangers become one; the home stays as it is.

    A rule about nobody is named by its line, its value is not.
    """
    tied = demo_home.query(
        "select identifier_a_type, identifier_a_value, identifier_b_type, identifier_b_value"
        " from marts.fct_identity_edges where status = 'used' and identifier_a_type = 'email'"
        " and identifier_b_type = 'loyalty_id' order by all limit 1"
    )[0]
    strangers = demo_home.query(
        "select min(identifier_value) from marts.bridge_customer_identifiers"
        " where identifier_type = 'email' group by customer_id order by customer_id limit 2"
    )
    lines = ["rule,type_a,value_a,type_b,value_b,reason"]
    lines.append(",".join(("cannot_link", *tied, "two people")))
    lines.append(f"must_link,email,{strangers[0][0]},email,{strangers[1][0]},one person")
    lines.append("block,email,nobody@nowhere.example,,,a typing error")
    (tmp_path / "identity_rules.csv").write_text("\n".join(lines) + "\n", "utf-8")
    before = (demo_home.root / "raw.duckdb").stat().st_mtime_ns
    done = regulars("plan", "--identity", "--json", "--input", tmp_path, "--home", demo_home.root)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    found = {(change["change_type"], change["reason"]): change for change in told["changes"]}
    assert {("split", "cannot_link"), ("merged", "must_link")} <= found.keys()
    [example] = found["merged", "must_link"]["examples"]
    owners = demo_home.query(
        "select customer_id from marts.bridge_customer_identifiers where identifier_type = 'email'"
        f" and identifier_value in ('{strangers[0][0]}', '{strangers[1][0]}')"
    )
    assert {example["customer_id"], *example["goes_to"]} == {owner for (owner,) in owners}
    follows = {(one["what"], one["name"]): one for one in told["consequences"]}
    # One person becomes two, two become one
    assert follows["people", ""]["added"] == follows["people", ""]["removed"] == 1
    assert follows["stage", ""]["added"] == follows["stage", ""]["removed"] == 1
    assert "1 rule names a value that nobody in the data has" in done.err
    assert "(line 4)." in done.err
    assert (demo_home.root / "raw.duckdb").stat().st_mtime_ns == before
    assert not (demo_home.root / "preview").exists()
    assert "@" not in done.out + done.err


def test_files_are_their_owners_only(demo_home: DemoHome) -> None:
    for name in ("raw.duckdb", "warehouse.duckdb", "published.duckdb", "ops.sqlite"):
        mode = stat.S_IMODE((demo_home.root / name).stat().st_mode)
        assert mode == 0o600, f"{name} has mode {mode:o}"


def test_a_run_leaves_dbts_unit_tests_to_make_test(demo_home: DemoHome) -> None:
    """They try the models on rows of a shop in pounds, whatever the settings say."""
    results = (demo_home.root / "dbt" / "target" / "run_results.json").read_text("utf-8")
    kinds = {each["unique_id"].partition(".")[0] for each in json.loads(results)["results"]}
    assert {"model", "test"} <= kinds
    assert "unit_test" not in kinds


def test_rows_are_conserved(demo_home: DemoHome) -> None:
    lost = demo_home.query(
        "select * from ops.run_sources"
        " where rows_received <> rows_loaded + rows_quarantined + rows_duplicate"
    )
    assert not lost


def test_the_site_may_greet_part_of_its_first_time_visitors(demo_home: DemoHome) -> None:
    """They are known by a device alone, so only what the cookie banner was told permits it."""
    with closing(sqlite3.connect(demo_home.root / "ops.sqlite")) as ops:
        query = (
            "select count(*) from deliveries"
            " where segment = 'first_time_visitors' and destination = 'onsite'"
        )
        ((delivered,),) = ops.execute(query).fetchall()
    ((members,),) = demo_home.query("select count(*) from segments.seg_first_time_visitors")
    assert 0 < delivered < members


def test_a_run_as_of_the_demos_own_moment_changes_no_table_and_sends_nothing(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    """Its own files, servers and settings are taken; only the moment is said, or a day would go.

    What a run does that is told nothing stands in test_days.py.
    """
    before = digests(demo_home)
    copy = DemoHome(tmp_path / "home", "")
    shutil.copytree(demo_home.root, copy.root, symlinks=True)
    shutil.rmtree(copy.root / "delivered")
    done = regulars("run", "--as-of", "2026-06-30", "--home", copy.root)
    assert done.code == 2
    assert "its clock does not go back" in done.err
    done = regulars("run", "--as-of", "2026-07-01", "--home", copy.root)
    assert done.code == 0, done.err
    assert "the pretend shop, as of" in done.err
    assert not (copy.root / "delivered").exists()
    assert digests(copy) == before
    received = copy.query(
        "select sum(rows_loaded) from ops.run_sources where run_id = (select run_id from ops.build)"
    )
    assert received in ([(0,)], [(None,)]), "a second pull must load nothing"
    ((runs, people),) = copy.query(
        "select count(distinct run_id), count(distinct value) from ops.identity_metrics"
        " where metric = 'people' and kind = 'known'"
    )
    assert (runs, people) == (2, 1), "the measures of both runs are kept, and they are equal"
    plan = regulars("plan", "--json", "--home", copy.root)
    for row in json.loads(plan.out):
        assert row["added"] == row["updated"] == row["removed"] == 0, row


@pytest.mark.parametrize(
    "zone",
    [
        "Asia/Kathmandu",  # +05:45
        *(
            pytest.param(zone, marks=SOAK)
            for zone in ("America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Europe/Dublin")
        ),
    ],
)
def test_two_fresh_homes_have_equal_tables_whatever_the_machines_zone(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path, zone: str
) -> None:
    """RELIABILITY B6: five zones beside the usual one; the shop's year has both clock changes."""
    again = DemoHome(tmp_path / "home", "")
    assert regulars("demo", "--people", PEOPLE, "--home", again.root, TZ=zone).code == 0
    assert digests(again) == digests(demo_home)


def test_a_shops_files_and_the_demos_home_refuse_each_other(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    before = (demo_home.root / "raw.duckdb").stat().st_mtime_ns
    (tmp_path / "input" / "contacts").mkdir(parents=True)
    (tmp_path / "input" / "contacts" / "a.csv").write_text("email\na@example.com\n", "utf-8")
    done = regulars("run", "--input", tmp_path / "input", "--home", demo_home.root)
    assert done.code == 2
    assert "holds the pretend shop" in done.err
    assert (demo_home.root / "raw.duckdb").stat().st_mtime_ns == before
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "home.json").write_text('{"kind": "shop"}', "utf-8")
    done = regulars("demo", "--home", tmp_path / "shop")
    assert done.code == 2
    assert "a shop's own data" in done.err


def test_the_demo_delivers_nowhere_but_into_its_own_folder(
    demo_home: DemoHome, regulars: Regulars, tmp_path: Path
) -> None:
    settings = tmp_path / "regulars.toml"
    text = (demo_home.root / "demo" / "regulars.toml").read_text("utf-8")
    elsewhere = f'[destinations.file.options]\nurl = "{tmp_path / "out"}"'
    assert text.count("[destinations.file.options]") == 1
    settings.write_text(text.replace("[destinations.file.options]", elsewhere), "utf-8")
    for command in (("sync",), ("plan",), ("run", "--send"), ("run",)):
        done = regulars(*command, "--home", demo_home.root, REGULARS_CONFIG=str(settings))
        assert done.code == 2, command
        assert "`file` goes somewhere else" in done.err
    assert not (tmp_path / "out").exists()


def test_another_world_in_the_same_home_is_refused(demo_home: DemoHome, regulars: Regulars) -> None:
    done = regulars("demo", "--people", "500", "--home", demo_home.root)
    assert done.code == 2
    assert "--home" in done.err


def test_of_each_checkout_the_table_says_what_the_truth_has(demo_home: DemoHome) -> None:
    """An order that nobody can be tied to answers no checkout, so such a one counts as left."""
    pairs = demo_home.query(
        f"""
        select told.status, found.status, count(*), count(found.customer_id)
        from '{demo_home.root}/demo/truth/checkouts/*.parquet' told
        full join marts.fct_checkouts found using (checkout_id) group by all
        """
    )
    assert {told for told, *_ in pairs} >= {"abandoned", "ordered_since", "bought"}
    apart = [pair for pair in pairs if pair[0] != pair[1]]
    assert {pair[:2] for pair in apart} <= {("ordered_since", "abandoned")}
    assert sum(pair[2] for pair in apart) <= 0.1 * sum(pair[2] for pair in pairs)
    assert all(count == of_people for *_, count, of_people in pairs)


def test_planted_complements_are_among_the_first_three(demo_home: DemoHome) -> None:
    """Of nine things in ten, what the pretend shop's people buy with them."""
    ((planted, found),) = demo_home.query(
        f"""select count(*), count(affinity_rank) filter (affinity_rank <= 3)
        from '{demo_home.root}/demo/truth/complements/*.parquet' told
        left join marts.product_affinities pairs on pairs.kind = 'also_bought'
            and pairs.product_id = told.product_id
            and pairs.other_product_id = told.complement_id"""
    )
    assert planted == 30
    assert found >= 0.9 * planted


def test_nearly_every_buyer_has_next_products_with_a_reason(demo_home: DemoHome) -> None:
    ((buyers, shown, without),) = demo_home.query(
        """select count(*), count(r.customer_id), count(*) filter (r.reasons < 1)
        from marts.dim_customers c left join (
            select customer_id, count(nullif(trim(reason), '')) as reasons
            from marts.fct_recommendations where kind = 'next' group by all
        ) r using (customer_id)
        where c.customer_type = 'buyer'"""
    )
    assert shown >= 0.9 * buyers > 0
    assert without == 0
    ((method, rate, popular),) = demo_home.query(
        """select max(method) filter (is_published), max(hit_rate_10) filter (is_published),
            max(hit_rate_10) filter (method = 'popularity')
        from marts.rpt_recommendation_backtests"""
    )
    assert (method, rate > popular) == ("cosine", True)
