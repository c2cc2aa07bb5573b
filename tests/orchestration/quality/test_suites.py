"""The suites let good tables through and name what is wrong with bad ones."""

import pytest

from ingestion.config import Quarantine, Settings
from orchestration.published.checks import stopping
from orchestration.quality import run
from orchestration.quality.contract import PUBLIC_TABLES
from orchestration.quality.run import find_suites, run_quality

FAULTS = {
    "customers.no_repeated_ids": "insert into dim_customers select * from dim_customers limit 3",
    "customers.no_missing_ids": "update dim_customers set customer_id = '' where rowid = 3",
    "customers.no_unknown_types": "update dim_customers set customer_type = 'vip' where rowid = 3",
    "customers.no_wrong_buyers": "update dim_customers set order_count = 0",
    "customers.no_named_anonymous": "update dim_customers set customer_type = 'anonymous',"
    " order_count = 0",
    "customers.no_reversed_times": "update dim_customers set first_seen_at = last_seen_at"
    " + interval 1 second where rowid = 5",
    "customers.no_later_than_as_of": "update dim_customers set last_seen_at = '2099-01-01'",
    "customers.no_shared_emails": "update dim_customers set email = 'same@example.org'",
    "customers.no_orders_of_nobody": "delete from dim_customers where order_count = 2",
    "rfm_scores.r": "update fct_customer_rfm set r_score = 6 where rowid = 1",
    "rfm_scores.groups": "update fct_customer_rfm set rfm_segment = 'Champions'",
    "rfm.no_without_orders": "update fct_customer_rfm set frequency = 0 where rowid = 1",
    "rfm.no_negative_recency": "update fct_customer_rfm set recency_days = -1 where rowid = 1",
    "rfm.no_unscored_buyers": "delete from fct_customer_rfm where rowid = 1",
    "rfm.no_unequal_scores": "update fct_customer_rfm set r_score = 1 + (r_score + 1) % 5"
    " where rowid % 2 = 0",
    "stage_names.known": "update fct_customer_journey_stages set stage = 'lifecycle'",
    "stages.no_reversed_times": "update fct_customer_journey_stages set exited_at = '2001-01-01'",
    "stages.no_several_current": "update fct_customer_journey_stages set is_current = true,"
    " exited_at = null",
    "stages.no_without_reason": "update fct_customer_journey_stages set entry_reason = ' '",
    "segment_vip.no_repeated_members": "insert into segments.seg_vip from segments.seg_vip",
    "segment_vip.no_strangers": "update segments.seg_vip set customer_id = 'x' where rowid = 0",
    "segment_vip.no_without_reason": "update segments.seg_vip set reason = '' where rowid = 0",
    "segment_vip.no_wrong_context": "update segments.seg_vip set context = '[1]' where rowid = 0",
    "raw_volumes.no_lost_rows": "update ops.run_sources set rows_loaded = 40",
    "raw_volumes.no_sources_over_quarantine": "update ops.run_sources set rows_received = 10055,"
    " rows_quarantined = 10002 where source = 'web'",
    "contract.marts.dim_customers": "alter table dim_customers drop column phone",
    "contract.marts.contactability": "insert into contactability select * from contactability",
    "contract.segments.seg_vip": "alter table segments.seg_vip drop column context",
}


@pytest.fixture(scope="module")
def settings():
    return Settings()


def test_good_tables_pass(make_candidate, settings):
    results = run_quality(make_candidate(), settings)
    assert [r.name for r in results if not r.passed] == []
    assert {r.kind for r in results} == {"contract", "suite"}
    assert len({r.table for r in results if r.table.startswith("segments.")}) == 11


def test_of_suites_that_are_run_together_each_is_named_that_fails(make_candidate, settings):
    faults = ("segment_vip.no_without_reason", "segment_at_risk.no_wrong_context")
    other = "update segments.seg_at_risk set context = '[1]' where rowid = 0"
    candidate = make_candidate(after=[FAULTS[faults[0]], other])
    failed = [result for result in run_quality(candidate, settings) if not result.passed]
    assert {result.name for result in failed} == set(faults)
    assert {result.observed for result in failed} == {1.0}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_named(make_candidate, settings, monkeypatch, name):
    """By its own suite; that all of them run over one candidate is asked above."""

    def own_suites(*arguments):
        return [suite for suite in find_suites(*arguments) if suite.name == name.split(".")[0]]

    monkeypatch.setattr(run, "find_suites", own_suites)
    results = {r.name: r for r in run_quality(make_candidate(after=[FAULTS[name]]), settings)}
    result = results[name]
    assert result.stops
    assert not result.raised
    assert result.sentence.endswith(".")
    assert result.hint


def test_a_missing_public_table_stops(make_candidate, settings):
    results = run_quality(make_candidate(after=["drop table contactability"]), settings)
    failed = stopping(results)
    assert failed[0].sentence == "The table marts.contactability is missing."


def test_a_check_that_cannot_run_says_so_and_stops(make_candidate, settings):
    candidate = make_candidate(after=["alter table fct_customer_rfm drop column recency_days"])
    raised = [r for r in run_quality(candidate, settings) if r.raised]
    assert {r.table for r in raised} == {"marts.fct_customer_rfm"}
    assert all(r.stops for r in raised)


def test_the_quarantine_limits_are_the_shops_own(make_candidate):
    fault = FAULTS["raw_volumes.no_sources_over_quarantine"]
    settings = Settings(quarantine=Quarantine(max_rows=20_000))
    assert "raw_volumes.no_sources_over_quarantine" not in {
        r.name for r in run_quality(make_candidate(after=[fault]), settings) if not r.passed
    }


def test_a_source_fallen_silent_is_a_warning(make_candidate, settings):
    history = "; ".join(
        f"insert into ops.runs select 'old{n}', 'test', 'succeeded', false, 110, 100, 4, 6,"
        f" as_of - interval {n} day from ops.runs where is_current;"
        f"insert into ops.run_sources values ('old{n}', 'web', 'events', 5, 5, 0, 0, 0, 0)"
        for n in (1, 2, 3)
    )
    silent = "update ops.run_sources set rows_received = 0, rows_loaded = 0, rows_quarantined = 0,"
    silent += " rows_duplicate = 0 where source = 'web' and run_id = 'run500'"
    results = run_quality(make_candidate(after=[*history.split(";"), silent]), settings)
    failed = [r for r in results if not r.passed]
    assert [(r.name, r.severity, r.observed) for r in failed] == [
        ("raw_volumes.no_silent_sources", "warning", 1.0)
    ]


def test_a_segment_of_everybody_is_a_warning_and_the_others_are_published(make_candidate, settings):
    wide = "update rpt_segment_reach set is_everybody = true where segment = 'vip'"
    failed = [r for r in run_quality(make_candidate(after=[wide]), settings) if not r.passed]
    assert [(r.name, r.stops) for r in failed] == [("segment_vip.not_everybody", False)]
    assert "may_be_everybody" in failed[0].hint


def test_results_carry_no_values(make_candidate, settings):
    candidate = make_candidate(after=["update dim_customers set customer_type = 'canary@x.org'"])
    text = "".join(str(r) for r in run_quality(candidate, settings))
    assert "canary" not in text
    assert "@" not in text


def test_the_contract_names_what_the_design_names():
    assert "marts.fct_customer_clv" in PUBLIC_TABLES
