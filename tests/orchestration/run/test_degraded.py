"""What is degraded: the rules, and that people hear once that it begins and once that it ends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from ingestion.config import Degraded, Destination, Notify, Settings
from orchestration.home.layout import Home
from orchestration.ops import runs, schema
from orchestration.ops.degraded_facts import (
    Facts,
    KnownDegradation,
    Queue,
    SourceDay,
    read_facts,
    read_told,
)
from orchestration.ops.store import Store, append, open_store, to_micros
from orchestration.run import degraded_notices
from orchestration.run.degraded import degradations, news, over_sentence
from orchestration.run.degraded_notices import tell_what_is_degraded, what_is_degraded
from orchestration.run.notify import DegradedNotice

DAY = timedelta(days=1)
AT = datetime(2026, 6, 30, 5)
LIMITS = Degraded()


def days(*received: int, quarantined: int = 0) -> list[SourceDay]:
    """A source's days up to today; `quarantined` of the last one that gave rows."""
    last = max((n for n, rows in enumerate(received) if rows), default=-1)
    first = AT.date() - (len(received) - 1) * DAY
    return [
        SourceDay(first + n * DAY, rows, quarantined if n == last else 0)
        for n, rows in enumerate(received)
    ]


def found(
    source: list[SourceDay] | None = None,
    queue: Queue | None = None,
    *told: str,
    limits: Degraded = LIMITS,
) -> list[str]:
    """The kinds of what is degraded of `orders`, or of `crm`."""
    facts = Facts(AT, {"orders": source or []}, {"crm": queue or Queue()})
    keys = {(kind, subject) for kind in told for subject in ("orders", "crm")}
    return [each.kind for each in degradations(facts, limits, keys)]


@pytest.mark.parametrize(
    ("received", "quarantined", "told", "kinds"),
    [
        ((), 0, (), []),
        ((1000,), 20, (), []),  # just the share
        ((1000,), 21, (), ["quarantine"]),
        ((1000, 0), 21, (), ["quarantine"]),  # a day without rows says nothing new
        ((1000, 1000), 0, ("quarantine",), []),
        ((1000,), 20, ("quarantine",), ["quarantine"]),  # over at half of the share
        ((2000,), 20, ("quarantine",), []),
        ((30,), 19, (), []),  # a small source: a few rows are no share
        ((0, 0), 0, ("quarantine",), ["quarantine"]),  # nothing says that it is over
    ],
)
def test_rows_in_quarantine(received, quarantined, told, kinds) -> None:
    assert found(days(*received, quarantined=quarantined), None, *told) == kinds


@pytest.mark.parametrize(
    ("received", "told", "kinds"),
    [
        ([5] * 20, (), []),
        ([5] * 20 + [0], (), []),  # one day may be late
        ([5] * 20 + [0, 0], (), ["no_rows"]),
        ([5] * 13 + [0, 0], (), []),  # it does not usually give some
        ([5, 5, 5, 5, 5, 0, 0] * 4, (), []),  # closed at weekends
        ([5, 5, 5, 5, 5, 0, 0] * 3 + [5] + [0] * 5, (), []),
        ([5, 5, 5, 5, 5, 0, 0] * 3 + [5] + [0] * 6, (), ["no_rows"]),
        ([5] * 8 + [0] * 20, ("no_rows",), ["no_rows"]),  # long silent: it is not usual any more
        ([0] * 28, ("no_rows",), ["no_rows"]),
        ([0] * 28 + [1], ("no_rows",), []),
    ],
)
def test_a_source_that_gives_no_rows(received, told, kinds) -> None:
    assert found(days(*received), None, *told) == kinds


@pytest.mark.parametrize(
    ("queue", "told", "kinds"),
    [
        (Queue(), (), []),
        (Queue(5, 0, AT - DAY), (), []),
        (Queue(5, 0, AT - 25 * timedelta(hours=1)), (), ["destination_down"]),
        (Queue(5, 0, None), (), []),  # queued, and never begun
        (Queue(0, 3), (), ["dead_letters"]),
        (Queue(3, 0, AT), (), []),
        (Queue(3, 0, AT), ("dead_letters",), ["dead_letters"]),  # to be tried again, not accepted
        (Queue(0, 0), ("dead_letters", "destination_down"), []),
    ],
)
def test_destinations(queue, told, kinds) -> None:
    assert found(None, queue, *told) == kinds


def test_the_limits_are_the_settings() -> None:
    strict = Degraded(quarantine_share=0.001, quarantine_rows=1, destination_hours=1)
    queue = Queue(1, 0, AT - timedelta(hours=2))
    assert found(days(500, quarantined=1), queue, limits=strict) == [
        "destination_down",
        "quarantine",
    ]


@pytest.mark.parametrize(
    ("known", "refused", "begun"),
    [
        (KnownDegradation("dead_letters", "crm", (AT - DAY).isoformat(), 3), 3, []),
        (KnownDegradation("dead_letters", "crm", (AT - DAY).isoformat(), 3), 4, [4]),
        (KnownDegradation("dead_letters", "crm", AT.isoformat(), 3), 4, []),  # at most once a day
    ],
)
def test_further_refused_rows_are_news(known, refused, begun) -> None:
    facts = Facts(AT, {}, {"crm": Queue(0, refused)})
    new = news(facts, degradations(facts, LIMITS, {known.key}), [known])
    assert [each.count for each in new.begun] == begun
    assert not new.over


def test_refused_rows_that_are_gone_do_not_hide_later_ones() -> None:
    known = KnownDegradation("dead_letters", "crm", (AT - DAY).isoformat(), 9)
    fewer = Facts(AT, {}, {"crm": Queue(0, 2)})
    told = news(fewer, degradations(fewer, LIMITS, {known.key}), [known]).notices
    assert [each.count for each in told] == [2]
    trying = Facts(AT, {}, {"crm": Queue(9, 0, AT)})
    told = news(trying, degradations(trying, LIMITS, {known.key}), [known]).notices
    assert [each.count for each in told] == [9], "they wait to be tried again"


def test_of_what_is_switched_off_nothing_is_told() -> None:
    known = KnownDegradation("destination_down", "crm", AT.isoformat(), 9)
    new = news(Facts(AT, {}, {}), [], [known])
    assert (new.begun, new.over, new.notices) == ((), (), ())


def test_a_notice_says_counts_and_names_alone() -> None:
    queue = Queue(1234, 0, AT - 2 * DAY)
    facts = Facts(AT, {}, {"crm": queue})
    begun = tuple(degradations(facts, LIMITS))
    notice = DegradedNotice(
        "run1", AT, begun, (KnownDegradation("no_rows", "orders", AT.isoformat(), 2),)
    )
    said = notice.to_json()
    assert (said["event"], said["degraded"][0]["count"]) == ("run_degraded", 1234)
    sentences = [said["degraded"][0]["sentence"], said["over"][0]["sentence"]]
    assert sentences == [
        "`crm` took nothing since 2026-06-28 05:00 UTC; rows that wait: 1,234.",
        "`orders` gives rows again; told as degraded at 2026-06-30 05:00 UTC.",
    ]
    assert all(sentence in notice.to_text() for sentence in sentences)
    assert DegradedNotice("run1", AT, (), notice.over).to_json()["event"] == "run_recovered"


# A month in a real store -------------------------------------------------------------------------
FIRST = datetime(2026, 6, 1, 5)
SETTINGS = Settings(
    destinations={"crm": Destination(kind="file"), "mail": Destination(kind="file")},
    notify=Notify(webhook_url_env="HOOK"),
)
WHO = "canary@example.org"


class Month:
    """Runs of consecutive days of a small shop, each with what it read and delivered."""

    def __init__(self, store: Store) -> None:
        self.store, self.day = store, 0

    @property
    def at(self) -> datetime:
        """The moment of the day's run."""
        return FIRST + self.day * DAY

    def run(self, orders: int = 40, bad: int = 0, down: frozenset[str] = frozenset()) -> None:
        """One day: read, sync to each destination, tell."""
        run = runs.Run(f"{self.at:%Y%m%dT%H%M%SZ}-{self.day:04d}", self.at, "test")
        runs.start_run(self.store, run, started_at=self.at)
        counts = runs.SourceCounts("orders", "order_lines", orders, orders - bad, bad)
        runs.record_source_counts(self.store, run.run_id, [counts])
        for name in ("crm", "mail"):
            self.sync(name, arrives=name not in down)
        tell_what_is_degraded(
            self.store,
            SETTINGS,
            run_id=run.run_id,
            at=self.at + timedelta(minutes=10),
            as_of=self.at,
            say=lambda _text: None,
        )
        self.day += 1

    def sync(self, name: str, *, arrives: bool) -> None:
        """Three people change each day; what waited says something else now, so it is anew."""
        at, key = to_micros(self.at), f"{name}{self.day}"
        waiting = schema.outbox.c.state == "pending"
        with self.store.write() as connection:
            mine = waiting & (schema.outbox.c.destination == name)
            connection.execute(schema.outbox.update().where(mine).values(state="superseded"))
            append(connection, schema.sync_runs, [_sync_row(key, name, at)])
            rows = [_row(f"{key}-{n}", key, name, at, self.day * 9 + n) for n in range(3)]
            append(connection, schema.outbox, rows)
            if arrives:
                own = schema.outbox.c.sync_run_id == key
                connection.execute(schema.outbox.update().where(own).values(state="sent"))
                append(connection, schema.deliveries, [_delivery(row, at) for row in rows])
                done = schema.sync_runs.c.destination == name
                connection.execute(schema.sync_runs.update().where(done).values(status="done"))


def _sync_row(key: str, name: str, at: int) -> dict[str, object]:
    return {
        "sync_run_id": key, "segment": "vip", "destination": name, "channel": "email",
        "purpose": "marketing", "run_id": "run", "plan_hash": "hash", "status": "incomplete",
        "started_at": at,
    }  # fmt: skip


def _row(key: str, sync_run: str, name: str, at: int, version: int) -> dict[str, object]:
    return {
        "idempotency_key": key, "sync_run_id": sync_run, "destination": name, "segment": "vip",
        "customer_id": f"c{key}", "version": version, "operation": "updated", "channel": "email",
        "purpose": "marketing", "content_hash": "hash", "payload": json.dumps({"email": WHO}),
        "state": "pending", "batch": 0, "last_error": "http_503", "created_at": at,
        "updated_at": at,
    }  # fmt: skip


def _delivery(row: dict[str, object], at: int) -> dict[str, object]:
    shared = ("sync_run_id", "segment", "destination", "customer_id", "version", "operation")
    more = ("channel", "purpose", "content_hash")
    return {
        "delivery_id": row["idempotency_key"], "delivered_at": at, "outcome": "sent",
        **{name: row[name] for name in (*shared, *more)},
    }  # fmt: skip


@pytest.fixture
def month(tmp_path) -> Iterator[Month]:
    with open_store(Home(tmp_path / "home").create()) as store:
        yield Month(store)


@pytest.fixture
def notices(monkeypatch) -> list[DegradedNotice]:
    """What left, each by the one way that the settings have."""
    sent: list[DegradedNotice] = []

    def send(_settings: Settings, notice: DegradedNotice) -> dict[str, str]:
        sent.append(notice)
        return {"webhook": "sent"}

    monkeypatch.setattr(degraded_notices, "send_notice", send)
    return sent


def test_clean_days_are_told_of_to_nobody(month, notices) -> None:
    for day in range(30):
        month.run(orders=0 if day % 7 == 6 else 400 + day, bad=day % 5)
    assert notices == []
    assert read_told(month.store) == ()


@pytest.mark.parametrize("broken", [range(12, 14), range(12, 20)])
def test_an_outage_is_one_notice_and_one_all_clear(month, notices, broken) -> None:
    """However long: on the first day it is not late yet, on later ones people know."""
    for day in range(30):
        month.run(down=frozenset({"crm"} if day in broken else ()))
    begun, over = notices
    assert [(each.kind, each.subject) for each in begun.begun] == [("destination_down", "crm")]
    assert (begun.as_of, begun.over) == (FIRST + 13 * DAY, ())
    assert [(each.kind, each.subject) for each in over.over] == [("destination_down", "crm")]
    assert (over.as_of, over.begun) == (FIRST + broken.stop * DAY, ())
    assert WHO not in json.dumps([each.to_json() for each in notices])
    assert WHO not in over.to_text() + begun.to_text()


def test_two_things_of_one_run_are_one_notice(month, notices) -> None:
    for day in range(30):
        month.run(
            orders=0 if day in (20, 21) else 4000,
            bad=900 if day == 25 else 0,
            down=frozenset({"crm", "mail"} if day in (20, 21) else ()),
        )
    assert [len(each.begun) for each in notices] == [3, 0, 1, 0]
    assert [len(each.over) for each in notices] == [0, 3, 0, 1]


def test_a_notice_that_nobody_took_is_sent_again(month, monkeypatch) -> None:
    tried: list[DegradedNotice] = []
    answers = iter(["ConnectError", "sent"])

    def send(_settings: Settings, notice: DegradedNotice) -> dict[str, str]:
        tried.append(notice)
        return {"webhook": next(answers)}

    monkeypatch.setattr(degraded_notices, "send_notice", send)
    for _ in range(4):
        month.run(orders=1000, bad=500)
    assert [len(each.begun) for each in tried] == [1, 1]


def test_without_a_way_it_is_known_once_all_the_same(month) -> None:
    silent = SETTINGS.model_copy(update={"notify": Notify()})
    said: list[str] = []
    month.run(orders=1000, bad=500)
    for _ in range(2):
        tell_what_is_degraded(
            month.store, silent, run_id="run", at=month.at, as_of=month.at, say=said.append
        )
    assert [each.kind for each in read_told(month.store)] == ["quarantine"]
    assert said == []


def test_what_is_degraded_is_asked_without_telling(month, notices) -> None:
    month.run(orders=1000, bad=500)
    current = what_is_degraded(month.store, SETTINGS, at=month.at, as_of=month.at)
    assert [each.sentence for each in current] == [
        "Of 1,000 rows that `orders` gave on 2026-06-01, 500 (50.0%) went to quarantine."
    ]
    assert len(notices) == 1


def test_runs_of_one_day_are_added_up_and_those_after_the_moment_are_not(month) -> None:
    for number, hours in enumerate((0, 3, 30)):
        run = runs.Run(f"run{number}", FIRST + hours * timedelta(hours=1), "test")
        runs.start_run(month.store, run, started_at=AT)
        counts = runs.SourceCounts("orders", "order_lines", 10, 9, 1)
        runs.record_source_counts(month.store, run.run_id, [counts])
    facts = read_facts(
        month.store,
        at=AT,
        as_of=FIRST + timedelta(hours=12),
        sources=["orders", "web"],
        destinations=["crm"],
    )
    assert facts.sources == {"orders": [SourceDay(date(2026, 6, 1), 20, 2)], "web": []}
    assert facts.queues == {"crm": Queue()}


def test_an_all_clear_says_since_when_it_was_known() -> None:
    told = KnownDegradation("quarantine", "orders", "2026-06-03T05:10:00", 9)
    assert over_sentence(told) == (
        "`orders` gives usable rows again; told as degraded at 2026-06-03 05:10 UTC."
    )
