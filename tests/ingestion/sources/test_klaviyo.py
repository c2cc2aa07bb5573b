"""Pulling from Klaviyo: the truth or a failure, never a part; nothing twice; no secret told."""

from __future__ import annotations

import dataclasses
import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import duckdb
import pytest

from ingestion.apis.source import Pull
from ingestion.config import Settings
from ingestion.demo.faults import Fault, FaultKind
from ingestion.demo.klaviyo_server import Row
from ingestion.demo.servers import API_KEY, DemoServers
from ingestion.errors import SourceError, UsageError
from ingestion.pipelines import RunContext, run_source
from ingestion.sources import klaviyo
from ingestion.sources.klaviyo import KlaviyoSettings
from tests.ingestion.api_world import AS_OF, impatient, rows_of, small_shop
from tests.seeds import seeds

SEEDS = 250 if os.environ.get("REGULARS_SOAK") else 60  # RELIABILITY B4 asks for 500 of two APIs
TABLES = tuple(klaviyo.ENDPOINTS)
KEYS = {
    **{"profiles": "profile_id", "events": "event_id", "campaigns": "campaign_id"},
    **{"lists": "list_id", "list_members": "profile_id", "flows": "flow_id"},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServers]:
    with small_shop(tmp_path_factory.mktemp("api")) as servers:
        servers.klaviyo.limits = False
        yield servers


@pytest.fixture
def shop(running: DemoServers, monkeypatch: pytest.MonkeyPatch) -> DemoServers:
    impatient(monkeypatch, running)
    small = {"profiles": 20, "events": 150, "campaigns": 7, "lists": 1, "list_members": 9}
    small["flows"] = 3
    for name, size in small.items():
        endpoint = dataclasses.replace(klaviyo.ENDPOINTS[name], page_size=size)
        monkeypatch.setitem(klaviyo.ENDPOINTS, name, endpoint)
    running.klaviyo.faults.clear()
    return running


@pytest.fixture
def settings(shop: DemoServers) -> KlaviyoSettings:
    return KlaviyoSettings(enabled=True, base_url=shop.addresses["klaviyo"])


@pytest.mark.parametrize("table", TABLES)
def test_every_row_arrives_once(shop: DemoServers, settings: KlaviyoSettings, table: str) -> None:
    rows = rows_of(klaviyo, table, settings)
    key = KEYS[table]
    assert sorted(row[key] for row in rows) == sorted(shop.klaviyo.rows[table])


def test_profiles_carry_their_subscriptions(shop: DemoServers, settings: KlaviyoSettings) -> None:
    for row in rows_of(klaviyo, "profiles", settings):
        marketing = row["payload"]["attributes"]["subscriptions"]["email"]["marketing"]
        assert marketing["consent"] in {"SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"}


def test_events_carry_metric_and_address(shop: DemoServers, settings: KlaviyoSettings) -> None:
    rows = rows_of(klaviyo, "events", settings)
    assert {"Received Email", "Opened Email"} <= {row["metric_name"] for row in rows}
    assert all("@" in row["email"] for row in rows)
    people = {row["profile_id"]: row for row in rows_of(klaviyo, "profiles", settings)}
    for name in ("phone_number", "external_id"):
        found = {row[name] for row in rows}
        assert found - {None}
        assert all(row[name] == people[row["profile_id"]][name] for row in rows)


def test_members_of_every_list_are_asked_for_from_its_beginning(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    """One profile may be on two lists, and has joined long before the shop's events begin."""
    server = shop.klaviyo
    members = sorted(server.rows["list_members"])
    (news,) = server.rows["lists"].values()
    another = news.resource.replace(news.id, "VIPS")
    server.upsert("lists", dataclasses.replace(news, id="VIPS", resource=another))
    some = server.rows["list_members"][members[0]]
    early = datetime(2013, 5, 4, 3, 2, 1)
    resource = json.loads(some.resource)
    resource["attributes"]["joined_group_at"] = early.isoformat() + "+00:00"
    seconds = int(early.replace(tzinfo=UTC).timestamp())
    joined = dataclasses.replace(some, id="VIPS.1", list_id="VIPS", at=seconds)
    server.upsert("list_members", dataclasses.replace(joined, resource=json.dumps(resource)))
    state: dict[str, Any] = {}
    try:
        late = settings.model_copy(update={"start_date": "2026-01-01"})
        found = rows_of(klaviyo, "list_members", late, state)
        again = rows_of(klaviyo, "list_members", late, state)
    finally:
        server.remove("lists", "VIPS")
        server.remove("list_members", "VIPS.1")
    vips = [row for row in found if row["list_id"] == "VIPS"]
    assert [(row["profile_id"], row["joined_at"]) for row in vips] == [
        (some.id, "2013-05-04T03:02:01+00:00")
    ]
    on_news = [row["profile_id"] for row in found if row["list_id"] == news.id]
    assert sorted(on_news) == members
    assert len(again) < len(found) / 2, "each list goes on where it was"


def test_campaigns_of_every_channel_are_asked_for(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    some = next(iter(shop.klaviyo.rows["campaigns"].values()))
    for key, channel in (("C-SMS", "sms"), ("C-PUSH", "mobile_push")):
        other = dataclasses.replace(
            some, id=key, channel=channel, resource=some.resource.replace(some.id, key)
        )
        shop.klaviyo.upsert("campaigns", other)
    state: dict[str, Any] = {}
    try:
        found = rows_of(klaviyo, "campaigns", settings, state)
        again = rows_of(klaviyo, "campaigns", settings, state)
    finally:
        shop.klaviyo.remove("campaigns", "C-SMS")
        shop.klaviyo.remove("campaigns", "C-PUSH")
    channels = {row["campaign_id"]: row["channel"] for row in found}
    assert (channels.pop("C-SMS"), channels.pop("C-PUSH")) == ("sms", "push")
    assert set(channels.values()) == {"email"}
    assert len(again) < len(found), "each channel goes on where it was"


def late(row: Row, key: str, moment: datetime) -> Row:
    """Another event of the same kind that happened then."""
    resource = json.loads(row.resource.replace(row.id, key))
    resource["attributes"]["datetime"] = moment.isoformat() + "+00:00"
    text = json.dumps(resource, separators=(",", ":"))
    seconds = int(moment.replace(tzinfo=UTC).timestamp())
    return dataclasses.replace(row, id=key, at=seconds, resource=text)


@pytest.mark.parametrize("seed", seeds(12, at_once=3))
def test_events_that_klaviyo_takes_in_late_arrive_with_the_next_look_back(
    shop: DemoServers, settings: KlaviyoSettings, seed: int
) -> None:
    """Ten daily pulls with faults; each day brings events that happened up to 29 days before."""
    chance = random.Random(seed)
    kinds = [kind for kind in get_args(FaultKind) if kind not in ("failed_job", "unauthorized")]
    some = next(iter(shop.klaviyo.rows["events"].values()))
    added: list[str] = []
    seen: set[str] = set()
    state: dict[str, Any] = {}
    begun = []
    try:
        for day in range(10):
            as_of = AS_OF + timedelta(days=day)
            for number in range(chance.randint(1, 3) if day < 3 else 0):
                moment = as_of - timedelta(days=chance.uniform(0, 26))
                added.append(f"late-{day}-{number}")
                shop.klaviyo.upsert("events", late(some, added[-1], moment))
            seconds = 1.0 if (kind := chance.choice(kinds)) == "timeout" else 0.0
            shop.klaviyo.faults.plan(Fault(kind, "/events", chance.randint(0, 3), 1, seconds))
            before = len(shop.klaviyo.requests)
            try:
                pages = list(klaviyo.pull(Pull("events", settings, as_of, state)))
                seen |= {row["event_id"] for _, rows in pages for row in rows}
            except SourceError:
                shop.klaviyo.faults.clear()
            begun.append(shop.klaviyo.requests[before])
        assert seen == set(shop.klaviyo.rows["events"])
    finally:
        for key in added:
            shop.klaviyo.remove("events", key)
    assert len(set(begun)) > 2, "most days ask for the last days only"


@pytest.mark.parametrize("seed", seeds(SEEDS, at_once=12))
def test_faults_while_paging_give_the_truth_or_a_failure(
    shop: DemoServers, settings: KlaviyoSettings, seed: int
) -> None:
    chance = random.Random(seed)
    kinds = [kind for kind in get_args(FaultKind) if kind not in ("failed_job", "unauthorized")]
    table = chance.choice(["profiles", "events", "campaigns", "list_members"])
    for _ in range(chance.randint(1, 3)):
        kind = chance.choice(kinds)
        seconds = 1.0 if kind == "timeout" else 0.0
        where = "/lists" if table == "list_members" else f"/{table}"
        fault = Fault(kind, where, chance.randint(0, 8), chance.choice([1, 2, 3]), seconds)
        shop.klaviyo.faults.plan(fault)
    try:
        rows = rows_of(klaviyo, table, settings)
    except SourceError:
        return
    assert {row[KEYS[table]] for row in rows} == set(shop.klaviyo.rows[table])


def test_rows_that_change_while_paging_are_not_lost(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    names = list(shop.klaviyo.rows["profiles"])
    moved, added = names[0], "01NEW"
    request = Pull("profiles", settings, AS_OF, {})
    seen: dict[str, str] = {}
    for number, (_, rows) in enumerate(klaviyo.pull(request)):
        seen |= {row["profile_id"]: row["updated_at"] for row in rows}
        if number == 1:
            last = shop.klaviyo.order["profiles"][-1][0]
            shop.klaviyo.upsert("profiles", changed(shop.klaviyo.rows["profiles"][moved], last + 5))
            shop.klaviyo.upsert("profiles", changed(fresh(shop, added), last + 6))
    assert set(seen) == {*names, added}
    shop.klaviyo.remove("profiles", added)


def fresh(shop: DemoServers, key: str) -> Row:
    other = next(iter(shop.klaviyo.rows["profiles"].values()))
    return dataclasses.replace(other, id=key, resource=other.resource.replace(other.id, key))


def changed(row: Row, moment: int) -> Row:
    resource = json.loads(row.resource)
    resource["attributes"]["updated"] = datetime.fromtimestamp(moment).isoformat() + "+00:00"
    text = json.dumps(resource, separators=(",", ":"))
    return dataclasses.replace(row, at=moment, resource=text)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("repeated_cursor", "the same page cursor again"),
        ("error_in_200", "an error in an answer that says 200"),
        ("short_page", "a short page that says there are more"),
    ],
)
def test_a_page_that_stays_odd_fails_the_source(
    shop: DemoServers, settings: KlaviyoSettings, kind: FaultKind, words: str
) -> None:
    shop.klaviyo.faults.plan(Fault(kind, "/events", after=2, times=0))
    with pytest.raises(SourceError, match=words):
        rows_of(klaviyo, "events", settings)


def test_pages_that_always_end_early_fail_the_source(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    shop.klaviyo.faults.plan(Fault("empty_page", "sort=datetime", times=0))
    with pytest.raises(SourceError, match="ended before its newest row"):
        rows_of(klaviyo, "events", settings)


def test_no_newest_row_after_rows_were_given_fails_the_source(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    shop.klaviyo.faults.plan(Fault("empty_page", "/events", after=3, times=0))
    with pytest.raises(SourceError, match="no newest row after it had given rows"):
        rows_of(klaviyo, "events", settings)


def test_an_account_without_anything_is_empty_and_no_failure(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    shop.klaviyo.faults.plan(Fault("empty_page", "/events", times=0))
    state: dict[str, Any] = {}
    assert rows_of(klaviyo, "events", settings, state) == []
    assert state == {}


def test_a_failed_pull_leaves_the_cursor_where_it_was(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    state: dict[str, Any] = {}
    shop.klaviyo.faults.plan(Fault("server_error", "/events", after=3, times=0))
    with pytest.raises(SourceError):
        rows_of(klaviyo, "events", settings, state)
    assert state == {}


def test_a_second_pull_asks_for_the_lateness_window_only(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    state: dict[str, Any] = {}
    all_rows = rows_of(klaviyo, "events", settings, state)
    again = rows_of(klaviyo, "events", settings, state)
    assert 0 < len(again) < len(all_rows) / 10
    assert {row["event_id"] for row in again} <= {row["event_id"] for row in all_rows}


def test_a_row_from_the_future_never_moves_the_cursor(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    early = datetime(2026, 1, 1)
    state: dict[str, Any] = {}
    list(klaviyo.pull(Pull("events", settings, early, state)))
    assert datetime.fromisoformat(state["newest"]) <= datetime(2026, 1, 1, 0, 5)


def test_limits_are_met_rather_than_run_into(
    shop: DemoServers, settings: KlaviyoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.demo import throttle

    monkeypatch.setattr(throttle, "STEADY_SECONDS", 0.6)
    few = throttle.Throttle(burst=100, steady=4)
    monkeypatch.setitem(shop.klaviyo._throttles, "profiles", few)
    monkeypatch.setattr(shop.klaviyo, "limits", True)
    before = len(shop.klaviyo.requests)
    rows = rows_of(klaviyo, "profiles", settings)
    asked = len(shop.klaviyo.requests) - before
    assert len(rows) == len(shop.klaviyo.rows["profiles"])
    pages = -(-len(rows) // 20) + 1
    assert asked <= pages + 1


def test_no_secret_and_no_address_in_a_failure(
    shop: DemoServers, settings: KlaviyoSettings
) -> None:
    shop.klaviyo.faults.plan(Fault("server_error", "/profiles", after=1, times=0))
    with pytest.raises(SourceError) as caught:
        rows_of(klaviyo, "profiles", settings)
    chain, text = caught.value, ""
    while chain is not None:
        text += f"{chain!r} "
        chain = chain.__cause__ or chain.__context__  # type: ignore[assignment]
    assert API_KEY not in text
    assert "@" not in text


def test_a_missing_key_names_its_variable(
    settings: KlaviyoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KLAVIYO_API_KEY")
    with pytest.raises(UsageError, match="KLAVIYO_API_KEY is not set"):
        rows_of(klaviyo, "profiles", settings)
    assert [check.status for check in klaviyo.check_connection(settings)] == ["failed"]


def test_the_connection_check_names_missing_scopes_and_no_secret(
    shop: DemoServers, settings: KlaviyoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop.klaviyo, "scopes", shop.klaviyo.scopes - {"events:read"})
    checks = klaviyo.check_connection(settings)
    failed = [check for check in checks if check.status == "failed"]
    assert [check.name for check in failed] == ["klaviyo events"]
    assert "events:read" in failed[0].hint
    assert API_KEY not in repr(checks)


def test_a_key_that_may_not_read_flows_leaves_them_out_and_the_run_says_so(
    shop: DemoServers, settings: KlaviyoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes = shop.klaviyo.scopes
    monkeypatch.setattr(shop.klaviyo, "scopes", scopes - {"flows:read"})
    request = Pull("flows", settings, AS_OF, {})
    assert list(klaviyo.pull(request)) == []
    assert request.remarks == [
        "klaviyo: the credentials do not allow GET /api/flows (403). "
        "Give the key the missing scope; `regulars doctor --connect` names it"
    ]
    checks = {check.name: check for check in klaviyo.check_connection(settings)}
    assert {check.status for check in checks.values()} == {"ok"}
    assert checks["klaviyo flows"].sentence == "Left out, for want of flows:read."
    monkeypatch.setattr(shop.klaviyo, "scopes", scopes - {"lists:read"})
    with pytest.raises(SourceError, match="do not allow GET /api/lists"):
        rows_of(klaviyo, "lists", settings)


def test_a_wrong_key_is_a_clear_sentence(
    settings: KlaviyoSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KLAVIYO_API_KEY", "pk_wrong")
    with pytest.raises(SourceError, match=r"(?s)credentials were refused.*KLAVIYO_API_KEY"):
        rows_of(klaviyo, "lists", settings)


@pytest.mark.parametrize("called", ["Sent SMS", "Sent Text Message"])
def test_of_a_text_from_a_person_only_whether_it_asks_to_stop_is_kept(
    shop: DemoServers, settings: KlaviyoSettings, tmp_path: Path, called: str
) -> None:
    server = shop.klaviyo
    metric = next(iter(server.rows["metrics"].values()))
    name = json.loads(metric.resource)["attributes"]["name"]
    sent = metric.resource.replace(metric.id, "MSENT1").replace(name, called)
    server.upsert("metrics", dataclasses.replace(metric, id="MSENT1", resource=sent))
    some = next(iter(server.rows["events"].values()))
    for key, words in (("T1", "please leave me alone"), ("T2", "thank you for the tea")):
        resource = json.loads(some.resource.replace(some.id, key).replace(some.metric_id, "MSENT1"))
        resource["attributes"]["event_properties"] = {"Message Body": words, "From Number": "1"}
        text = json.dumps(resource, separators=(",", ":"))
        row = dataclasses.replace(some, id=key, metric_id="MSENT1", resource=text)
        server.upsert("events", row)
    own = Settings(sources={"klaviyo": settings})
    try:
        run_source(
            "klaviyo", RunContext(tmp_path / "raw.duckdb", tmp_path / "dlt", "r", AS_OF, own)
        )
    finally:
        server.remove("metrics", "MSENT1")
        server.remove("events", "T1")
        server.remove("events", "T2")
    with duckdb.connect(str(tmp_path / "raw.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select event_id, is_opt_out_reply, payload from raw_klaviyo.events"
            " where metric_name = ? order by 1",
            [called],
        ).fetchall()
    assert [row[:2] for row in found] == [("T1", True), ("T2", False)]
    assert all("From Number" in row[2] for row in found)
    for path in tmp_path.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"leave me alone" not in content
        assert b"thank you for the tea" not in content


def test_two_runs_load_nothing_twice(
    shop: DemoServers, settings: KlaviyoSettings, tmp_path: Path
) -> None:
    totals = []
    for number in range(2):
        context = RunContext(
            tmp_path / "raw.duckdb",
            tmp_path / "dlt",
            f"r{number}",
            AS_OF,
            Settings(sources={"klaviyo": settings}),
        )
        counts = run_source("klaviyo", context)
        assert all(c.received == c.loaded + c.quarantined + c.duplicate for c in counts)
        totals.append({c.table: c.loaded for c in counts})
    assert totals[0] == {name: len(shop.klaviyo.rows[name]) for name in TABLES}
    assert totals[1] == dict.fromkeys(TABLES, 0)
