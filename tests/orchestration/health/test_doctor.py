"""The doctor: every ailment has its sentence and exit code, and no secret is ever told."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from ingestion.config import REPOSITORY, Destination, Settings
from ingestion.errors import SourceError
from ingestion.registry import SOURCES
from ingestion.sources.klaviyo import SOURCE, KlaviyoSettings
from ingestion.sources.sql.settings import SqlSettings
from orchestration.fakes.google import create as create_google
from orchestration.health import doctor, home_health
from orchestration.health.doctor import Check, diagnose, differing_packages, exit_code, render
from orchestration.home.kind import claim
from orchestration.home.layout import Home
from orchestration.ops import schema
from orchestration.ops.runs import AuditLog, Run, finish_run, start_run
from orchestration.ops.store import append, open_store, to_micros
from orchestration.ops.tombstones import Erasable, request
from orchestration.published.audit import AuditRecord
from orchestration.published.checks import CheckResult
from tests.orchestration.destinations import google_ads_checks
from tests.orchestration.fakes import served

NOW = datetime.fromisoformat("2026-07-02 12:00:00")
AS_OF = datetime.fromisoformat("2026-07-02 06:00:00")
SECRET = "s3cr3t-" + "value"
WITH_KLAVIYO = Settings(sources={"klaviyo": KlaviyoSettings(enabled=True)})


@pytest.fixture(autouse=True)
def _private(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in (*doctor.TELEMETRY, "REGULARS_OPS_URL", "KLAVIYO_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A home after one good run."""
    home = Home(tmp_path / "shop").create()
    with open_store(home) as store:
        start_run(store, Run("r1", AS_OF, "0.1.0"), started_at=AS_OF)
        finish_run(store, "r1", "succeeded", finished_at=AS_OF)
    _publish(home, "r1")
    for path in (home.raw, home.warehouse):
        with duckdb.connect(str(path)) as connection:
            connection.execute(
                "create schema raw_web;"
                "create table raw_web.quarantine (table_name text, reason text)"
            )
    return home


def test_the_pretend_shops_time_stands_still_and_that_is_well(home: Home) -> None:
    def found() -> home_health.Check:
        checks = diagnose(home, Settings(), now=NOW + timedelta(days=99))
        [check] = [each for each in checks if each.sentence.startswith("Published as of")]
        return check

    assert found().status == "warning"
    assert "[schedule]" in found().hint
    assert "[schedule]" in (REPOSITORY / "regulars.toml").read_text("utf-8")
    home.mark.write_text('{"kind": "demo", "world": {"as_of": "2026-07-02T06:00:00"}}', "utf-8")
    assert found().status == "ok"


def _publish(home: Home, run_id: str) -> None:
    home.published.unlink(missing_ok=True)
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(
            "create schema ops;create table ops.build (build_id text, run_id text, as_of timestamp)"
        )
        connection.execute(f"insert into ops.build values ('b', '{run_id}', timestamp '{AS_OF}')")


def _find(home: Home, name: str, settings: Settings | None = None, **options: bool) -> Check:
    checks = diagnose(home, settings or Settings(), now=NOW, **options)
    (found,) = [check for check in checks if check.name == name]
    return found


def test_a_healthy_home_has_nothing_to_mend(home: Home) -> None:
    checks = diagnose(home, Settings(), now=NOW)
    unwell = {check.name for check in checks if check.status != "ok"}
    assert unwell <= {"destinations", "packages"}
    assert exit_code([check for check in checks if check.name != "packages"]) == 0


def _sent(home: Home, *days: str) -> Check:
    """The finding about complaints where these days are published."""
    with duckdb.connect(str(home.published)) as connection:
        connection.execute(
            "create schema marts;"
            "create table marts.dim_contact_rules as select 'Asia/Kathmandu' as shop_timezone;"
            "create table marts.rpt_complaint_rates (sending_domain text, sent_date date,"
            " week_delivered_count bigint, week_complaint_count bigint,"
            " week_complaint_rate decimal(9, 5), state text, held_until date);"
            f"insert into marts.rpt_complaint_rates values {', '.join(days)}"
        )
    return _find(home, "complaints")


def test_complaints_about_spam_are_a_warning_with_the_end_of_the_hold(home: Home) -> None:
    found = _sent(
        home,
        "('a.example', '2026-06-29', 1000, 4, 0.004, 'held', '2026-07-06')",
        "('a.example', '2026-07-01', 2000, 4, 0.002, 'warning', null)",
        "('b.example', '2026-07-01', 9000, 1, 0.0001, 'ok', null)",
        "('c.example', '2026-06-01', 100, 9, 0.09, 'held', '2026-06-08')",
    )
    assert found.status == "warning"
    assert found.sentence == (
        "a.example: 4 of 1,000 emails (0.40 %) over 7 days were reported as spam: promotions by"
        " email wait until 2026-07-06."
    )


def test_complaints_of_long_ago_and_a_hold_that_is_over_are_no_finding(home: Home) -> None:
    over = "('a.example', '2026-06-24', 1000, 4, 0.004, 'held', '2026-07-02')"
    assert _sent(home, over).status == "ok"


def test_a_home_that_does_not_exist_is_a_warning_and_stays_away(tmp_path: Path) -> None:
    home = Home(tmp_path / "none" / "yet")
    assert _find(home, "home").status == "warning"
    assert _find(home, "last run").sentence == "Nothing has run here yet."
    assert not home.root.exists()


def test_looking_changes_no_file(home: Home) -> None:
    def state() -> dict[str, bytes]:
        files = (home.raw, home.warehouse, home.published)
        return {file.name: file.read_bytes() for file in files}

    before = state()
    diagnose(home, Settings(), now=NOW)
    assert state() == before


@pytest.mark.parametrize("name", ["raw", "warehouse", "published"])
def test_a_damaged_store_fails_with_its_remedy(home: Home, name: str) -> None:
    path: Path = getattr(home, name)
    path.write_bytes(b"\0" * 20_000)
    found = next(c for c in diagnose(home, Settings(), now=NOW) if c.name == name)
    assert found.status == "failed"
    assert "backup" in found.hint if name == "raw" else "Delete it" in found.hint


def test_a_store_held_by_another_program_is_named(home: Home) -> None:
    with _held(f"import duckdb; c = duckdb.connect({str(home.raw)!r})"):
        found = _find(home, "raw")
    assert found.status == "failed"
    assert "held by another process" in found.sentence


def test_a_run_at_work_is_left_alone(home: Home) -> None:
    script = (
        "from pathlib import Path; from orchestration.home import lock;"
        f"h = lock.hold(Path({str(home.lock)!r})); h.__enter__()"
    )
    with _held(script):
        assert "A run is at work" in _find(home, "stores").sentence


@contextmanager
def _held(script: str) -> Iterator[None]:
    """Another process that has run `script` and waits."""
    code = f"{script}\nprint('ready', flush=True)\nimport sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        try:
            yield
        finally:
            process.kill()


def test_a_lost_ops_store_fails(home: Home) -> None:
    home.ops.unlink()
    assert _find(home, "ops").status == "failed"


def test_others_must_not_look_into_the_home(home: Home) -> None:
    home.published.chmod(0o644)
    assert _find(home, "file modes").status == "warning"
    home.root.chmod(0o755)
    assert _find(home, "file modes").status == "failed"


@pytest.mark.parametrize(("status", "outcome"), [("failed", "failed"), ("running", "warning")])
def test_the_last_run_is_told_as_it_ended(home: Home, status: str, outcome: str) -> None:
    with open_store(home) as store:
        start_run(store, Run("r2", AS_OF, "0.1.0"), started_at=AS_OF + timedelta(hours=1))
        if status == "failed":
            finish_run(store, "r2", status, finished_at=AS_OF + timedelta(hours=2))
    assert _find(home, "last run").status == outcome


def test_what_stopped_the_last_run_is_repeated(home: Home) -> None:
    checks = [
        CheckResult(
            "contract", f"contract.{name}", "t", False, sentence=f"Wrong {name}.", hint=name
        )
        for name in ("one", "two")
    ]
    record = AuditRecord("d", "b", "r2", AS_OF, tuple(checks))
    with open_store(home) as store:
        start_run(store, Run("r2", AS_OF, "0.1.0"), started_at=AS_OF + timedelta(hours=1))
        AuditLog(store).record_audit("d", record.to_json())
        finish_run(store, "r2", "failed", finished_at=AS_OF + timedelta(hours=2))
    found = _find(home, "last run")
    assert "Wrong one [contract.one]. Wrong two [contract.two]." in found.sentence
    assert found.hint.startswith("one two")


def test_old_data_is_a_warning(home: Home) -> None:
    checks = diagnose(home, Settings(), now=NOW + timedelta(days=5))
    (found,) = [check for check in checks if check.name == "published"][-1:]
    assert found.status == "warning"
    assert "5 days old" in found.sentence


def test_a_file_of_another_run_than_the_last_fails(home: Home) -> None:
    _publish(home, "r0")
    assert _find(home, "manifest").status == "failed"


def test_quarantined_rows_are_counted_by_source(home: Home) -> None:
    with duckdb.connect(str(home.raw)) as connection:
        connection.execute(
            "insert into raw_web.quarantine values ('e', 'bad_date'), ('e', 'bad_date')"
        )
    assert _find(home, "quarantine").sentence == "Rows that could not be used: web 2."


def _queue(home: Home, state: str, operation: str = "added", queued: int = 1) -> None:
    """One row on its way to a destination, of a sync that says it queued `queued`."""
    moment = to_micros(AS_OF)
    row = {
        **{"idempotency_key": "k", "sync_run_id": "s", "destination": "file", "segment": "vip"},
        **{"customer_id": "c1", "version": 1, "operation": operation, "channel": "email"},
        **{"purpose": "marketing", "content_hash": "h", "state": state, "batch": 0},
        **{"created_at": moment, "updated_at": moment},
    }
    sync_run = {
        **{"sync_run_id": "s", "segment": "vip", "destination": "file", "channel": "email"},
        **{"purpose": "marketing", "run_id": "r1", "plan_hash": "p", "status": "running"},
        **{"queued": queued, "started_at": moment},
    }
    with open_store(home) as store, store.write() as connection:
        append(connection, schema.sync_runs, [sync_run])
        append(connection, schema.outbox, [row])


def test_a_destination_that_took_nothing_for_a_day_is_a_warning(home: Home) -> None:
    on = Settings(destinations={"file": Destination(kind="file")})
    _queue(home, "pending")
    assert _find(home, "degraded", on).status == "ok", "six hours are no day"
    late = [c for c in diagnose(home, on, now=NOW + timedelta(days=1)) if c.name == "degraded"]
    assert [(each.status, each.sentence) for each in late] == [
        ("warning", "`file` took nothing since 2026-07-02 06:00 UTC; rows that wait: 1.")
    ]


@pytest.mark.parametrize(
    ("state", "sentence", "hint"),
    [
        ("sending", "a sync was killed", "`regulars sync vip file`"),
        ("unknown", "may have arrived or not", "`lost`: k (c1); together s-0."),
        ("dead", "were refused", "`regulars sync vip file`"),
    ],
)
def test_a_row_that_waits_for_somebody_says_what_to_do(
    home: Home, state: str, sentence: str, hint: str
) -> None:
    _queue(home, state)
    found = _find(home, "intents")
    assert found.status == "warning"
    assert found.sentence.startswith("1 of `vip` to `file` ")
    assert sentence in found.sentence
    assert hint in found.hint
    assert _find(home, "ledger").status == "ok"


def test_a_row_that_simply_waits_is_no_intent_left_open(home: Home) -> None:
    _queue(home, "pending")
    assert not [check for check in diagnose(home, Settings(), now=NOW) if check.name == "intents"]


@pytest.mark.parametrize(
    ("state", "queued", "words"),
    [
        ("pending", 2, "queued rows are missing from the outbox"),
        ("sent", 1, "sent rows are missing from the ledger"),
    ],
)
def test_a_ledger_that_does_not_add_up_fails(
    home: Home, state: str, queued: int, words: str
) -> None:
    _queue(home, state, queued=queued)
    found = _find(home, "ledger")
    assert found.status == "failed"
    assert words in found.sentence
    assert "backup" in found.hint


def test_what_has_not_arrived_is_counted_and_removals_weigh_more(home: Home) -> None:
    _queue(home, "pending", "removed")
    found = _find(home, "outbox")
    assert (found.status, found.sentence) == ("warning", "Not arrived: 1 removed (waiting).")
    assert "must not wait" in found.hint


@pytest.mark.parametrize(
    ("state", "answer", "tried", "status", "words"),
    [
        ("waiting", "http_503", NOW, "warning", "has not been told of"),
        ("waiting", "http_503", NOW - timedelta(days=2), "failed", "(http_503)"),
        ("left", "newer_grant", NOW - timedelta(days=2), "warning", "was not told of"),
        ("done", "written", NOW, "ok", "know of every refusal (1 told)"),
    ],
)
def test_refusals_that_a_destination_does_not_know_are_counted(
    home: Home, state: str, answer: str, tried: datetime, status: str, words: str
) -> None:
    moment = to_micros(tried)
    row = {
        **{"destination": "klaviyo", "channel": "email", "refusal_id": "r", "reason": "revoked"},
        **{"refused_at": moment, "state": state, "answer": answer, "attempts": 1},
        **{"first_tried_at": moment, "last_tried_at": moment, "done_at": None},
    }
    assert not [check for check in diagnose(home, Settings(), now=NOW) if check.name == "refusals"]
    with open_store(home) as store, store.write() as connection:
        append(connection, schema.withdrawals_written, [row])
    found = _find(home, "refusals")
    assert found.status == status
    assert words in found.sentence


def test_credentials_are_told_by_name_only(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = _find(home, "klaviyo", WITH_KLAVIYO)
    assert (missing.status, missing.sentence) == ("failed", "Not set: KLAVIYO_API_KEY.")
    monkeypatch.setenv("KLAVIYO_API_KEY", SECRET)
    checks = diagnose(home, WITH_KLAVIYO, now=NOW)
    assert next(c for c in checks if c.name == "klaviyo").status == "ok"
    assert SECRET not in _text(checks)


def test_the_pretend_shops_servers_bring_their_own_keys(tmp_path: Path) -> None:
    home = Home(tmp_path / "demo")
    claim(home, "demo", {"people": 9, "seed": 1, "as_of": "2026-07-01T00:00:00", "cards": True})
    assert _find(home, "klaviyo", WITH_KLAVIYO).status == "ok"


def test_a_destination_names_its_missing_variable(home: Home) -> None:
    options = {"kind": "file", "options": {"token_env": "NO_SUCH_VARIABLE_HERE"}}
    settings = Settings.model_validate({"destinations": {"crm": options}})
    assert _find(home, "crm", settings).status == "failed"


def test_a_setting_that_nothing_would_read_fails(home: Home) -> None:
    typo = Settings.model_validate({"models": {"recent_buyr_days": 3}})
    assert "models.recent_buyr_days" in _find(home, "settings", typo).sentence
    for place in ({"kind": "fil"}, {"kind": "file", "options": {"formt": "csv"}}):
        settings = Settings.model_validate({"destinations": {"crm": place}})
        assert _find(home, "crm", settings).status == "failed"


def test_each_shop_of_a_source_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    own = SOURCES["shopify"].settings.model_validate(
        {
            "enabled": True,
            "outlet": {"enabled": True, "base_url": "https://outlet.example"},
        }
    )
    monkeypatch.setenv("SHOPIFY_CLIENT_ID", "set")
    monkeypatch.setenv("SHOPIFY_CLIENT_SECRET", "set")
    settings = Settings(sources={"shopify": own})
    assert _find(home, "shopify", settings).status == "ok"
    outlet = _find(home, "shopify.outlet", settings)
    assert outlet.status == "failed"
    assert "SHOPIFY_OUTLET_CLIENT_ID, SHOPIFY_OUTLET_CLIENT_SECRET" in outlet.sentence


def test_connecting_asks_each_api_and_tells_its_answer(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_own: KlaviyoSettings) -> list[Check]:
        raise SourceError("Klaviyo refused the key.", "Make one with read scopes.")

    monkeypatch.setitem(SOURCES, "klaviyo", replace(SOURCE, check=refuse))
    found = _find(home, "connect klaviyo", WITH_KLAVIYO, connect=True)
    assert (found.status, found.hint) == ("failed", "Make one with read scopes.")
    answers = [
        Check("klaviyo profiles", "ok", "Readable."),
        Check("klaviyo lists", "failed", "403."),
    ]
    monkeypatch.setitem(SOURCES, "klaviyo", replace(SOURCE, check=lambda _own: answers))
    assert _find(home, "connect klaviyo profiles", WITH_KLAVIYO, connect=True).status == "ok"
    assert _find(home, "connect klaviyo lists", WITH_KLAVIYO, connect=True).status == "failed"
    assert _find(home, "connect shopify", WITH_KLAVIYO, connect=True).status == "ok"


def test_a_database_is_asked_for_its_tables(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = {"table": "spent", "folder": "rates", "columns": {
        "date": "day", "currency": "money", "rate": "worth"
    }}  # fmt: skip
    section = {"bank": {"url_env": "BANK_URL", "tables": {"daily": table}}}
    settings = Settings(sources={"sql": SqlSettings.model_validate(section)})
    monkeypatch.delenv("BANK_URL", raising=False)
    assert _find(home, "sql.bank", settings).sentence == "Not set: BANK_URL."
    file = tmp_path / "bank.db"
    monkeypatch.setenv("BANK_URL", f"sqlite:///{file}")
    assert _find(home, "sql.bank", settings).sentence == "Set: BANK_URL."
    assert _find(home, "connect sql bank/daily", settings, connect=True).status == "failed"
    with sqlite3.connect(file) as connection:
        connection.execute("create table spent (day date, money text, worth numeric, note text)")
    connection.close()
    found = _find(home, "connect sql bank/daily", settings, connect=True)
    assert (found.status, found.sentence) == ("ok", "3 of its 4 columns are read.")


def test_telemetry_switched_on_fails(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GX_ANALYTICS_ENABLED", "true")
    assert _find(home, "telemetry").status == "failed"


def test_a_full_disk_is_seen_before_it_stops_a_run(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(home_health.shutil.disk_usage(home.root))
    monkeypatch.setattr(home_health.shutil, "disk_usage", lambda _: usage(10**9, 10**9, 10**6))
    assert _find(home, "disk").status == "failed"
    monkeypatch.setattr(home_health.shutil, "disk_usage", lambda _: usage(10**9, 0, 5 * 10**8))
    assert _find(home, "disk").status == "warning"


def test_another_version_or_a_missing_package_differs() -> None:
    lock = "\n".join(
        [
            "# compiled",
            "duckdb==0.0.1 \\",
            "    --hash=sha256:00",
            "no-such-package==1.0",
            "pywin32==1 ; sys_platform == 'plan9' \\",
        ]
    )
    assert [name.split(" ")[0] for name in differing_packages(lock)] == [
        "duckdb",
        "no-such-package",
    ]


def test_a_check_that_breaks_is_a_finding_without_its_text(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_home: Home) -> Iterator[Check]:
        raise ValueError(SECRET)

    monkeypatch.setattr(home_health, "modes", broken)
    found = _find(home, "file modes")
    assert (found.status, found.sentence) == ("failed", "This could not be checked (ValueError).")


def test_only_a_failure_changes_the_exit_code() -> None:
    assert exit_code([Check("a", "ok", ""), Check("b", "warning", "")]) == 0
    assert exit_code([Check("a", "failed", "")]) == 1


def _text(checks: list[Check]) -> str:
    console = Console(file=StringIO(), width=80, color_system=None)
    console.print(render(checks))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_findings_are_told_with_their_hint() -> None:
    text = _text([Check("disk", "warning", "1.0 GB free.", "Make room [now].")])
    assert text.split() == ["warning", "disk", "1.0", "GB", "free.", "Make", "room", "[now]."]


def test_the_shops_own_thresholds_are_shown(home: Home) -> None:
    with duckdb.connect(str(home.published)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.shop_rhythm as select *, 151 as repeat_count,"
            " 2 as repeat_buyer_count from (values ('loyal_min_orders', 'orders', 23, 'setting'),"
            " ('overdue_min_days', 'days', 180, 'floor')) as t"
            "(threshold, unit, threshold_value, basis)"
        )
    assert _find(home, "thresholds").sentence == (
        "overdue_min_days 180: fixed, because 151 repeats by 2 buyers are too few to tell."
        " loyal_min_orders 23: set under [models] in the settings."
    )


@pytest.mark.parametrize(("days", "status"), [(0, "ok"), (7, "warning"), (21, "failed")])
def test_a_request_to_be_forgotten_that_stays_open_is_told_by_its_age(
    home: Home, days: int, status: str
) -> None:
    with open_store(home) as store, store.write() as connection:
        person = Erasable(("c1",), (("email", "a@example.com"),))
        request(connection, person, reason="asked", at=NOW - timedelta(days=days))
    (check,) = home_health.erasures(home, NOW)
    assert check.status == status
    assert "Requests to be forgotten not completed: 1, since 2026-0" in check.sentence
    assert "example.com" not in check.sentence


def test_nobody_waits_to_be_forgotten(home: Home) -> None:
    (check,) = home_health.erasures(home, NOW)
    assert check.status == "ok"


@pytest.mark.parametrize(
    ("held", "status", "words"),
    [
        ({"files", "network"}, "ok", "without network and other files"),
        ({"network"}, "warning", "cannot give up other files here"),
        (set(), "warning", "cannot give up other files and the network here"),
    ],
)
def test_what_a_question_cannot_give_up_is_told(
    home: Home, monkeypatch: pytest.MonkeyPatch, held: set[str], status: str, words: str
) -> None:
    monkeypatch.setattr("orchestration.health.doctor.confinable", lambda: held)
    check = _find(home, "sql")
    assert check.status == status
    assert words in check.sentence
    assert bool(check.hint) is (status == "warning")


def test_only_a_destination_that_judges_without_sending_is_tried(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that sends messages is none: trying it would be writing to somebody."""
    with served.serving(create_google, google_ads_checks.Served) as shop:
        served.give_keys(shop.fake, monkeypatch)
        options = google_ads_checks.options_of(shop.address)
        sender = {"account_sid": f"AC{'0' * 32}", "sender": "+447700900000"}
        settings = Settings(
            destinations={
                "google": Destination(kind="google_ads", options=options),
                "texts": Destination(kind="sms", options=sender),
            }
        )
        found = [c for c in diagnose(home, settings, connect=True, now=NOW) if "connect" in c.name]
        sources = ("connect klaviyo", "connect shopify")
        assert [(c.name, c.status, c.sentence) for c in found if c.name not in sources] == [
            ("connect google", "ok", "Would take members; nothing was sent.")
        ]
        assert not shop.fake.jobs
        shop.fake.is_revoked = True
        assert _find(home, "connect google", settings, connect=True).status == "failed"
