"""What the destination `onsite` must do, each as a function that fails where it does not.

They run twice (`test_onsite`): on the destination as it is, and on one with a planted defect.
"""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingestion import config
from orchestration.destinations import open_destination
from orchestration.destinations.base import Audience, Batch, Identifiers, Row
from orchestration.destinations.feed_file import FeedReader, VisitorRecord
from orchestration.destinations.onsite import OnsiteDestination, micros
from orchestration.home.layout import Home
from tests.orchestration.destinations.checking import Checks

NOW = datetime(2026, 6, 1, 12)
COLUMNS = ("customer_id", "login", "device", "segment", "reason", "context", "devices", "stage")
PERSONAL = "Zoë Quill of Exeter Road"


@dataclass(frozen=True)
class Site:
    """A home, and the destination as the settings would open it."""

    home: Home

    @property
    def destination(self) -> OnsiteDestination:
        """Opened anew each time, as each sync does."""
        opened = open_destination("site", config.Destination(kind="onsite"), self.home)
        assert isinstance(opened, OnsiteDestination)
        return opened

    def find(self, kind: str, value: str) -> VisitorRecord:
        """What the feed has by an identifier."""
        reader = FeedReader(self.destination.path)
        try:
            return reader.find(kind, value)
        finally:
            reader.close()

    def segments(self, kind: str, value: str) -> list[str]:
        """The segments told by an identifier."""
        return sorted(entry.segment for entry in self.find(kind, value).entries)

    def deliver(self, *rows: Row, segment: str = "vip", at: datetime = NOW) -> None:
        """Deliver a batch, all of which must arrive."""
        outcomes = self.destination.deliver(Batch("run1", segment, 1, at, COLUMNS, rows))
        assert {each.key: each.status for each in outcomes} == {
            row.key: "delivered" for row in rows
        }

    def finish(self, members: Iterable[Mapping[str, Any]], *, at: datetime = NOW) -> None:
        """Close the sync of `vip`."""
        self.destination.finish(Audience("run1", "vip", at, COLUMNS, members))


CHECKS = Checks[Site]()
check = CHECKS.add


def row(number: int, operation: str = "added", version: int = 1, **more: Any) -> Row:
    """A person with a login and two browsers."""
    payload = {
        "customer_id": f"c{number}",
        "login": f"login-{number}",
        "device": f"browser-{number}a",
        "segment": "vip",
        "reason": f"{PERSONAL} looked at ties",
        "context": json.dumps({"said": PERSONAL}),
        "devices": json.dumps({f"browser-{number}a": "mobile", f"browser-{number}b": None}),
        "stage": "purchase",
        **more,
    }
    key = f"key-{number}-{operation}-{version}"
    return Row(key, f"c{number}", version, operation, payload)  # type: ignore[arg-type]


@check
def a_person_is_found_by_everything_they_come_by(site: Site) -> None:
    site.deliver(row(1), row(2))
    for kind, value in (("customer_id", "c1"), ("login", "login-1"), ("device", "browser-1b")):
        assert site.segments(kind, value) == ["vip"]
    (entry,) = site.find("device", "browser-1a").entries
    assert (entry.customer_id, entry.stage, entry.device_type) == ("c1", "purchase", "mobile")
    assert entry.written_us == micros(NOW)
    assert site.find("device", "browser-2b").entries[0].device_type is None


@check
def a_browser_has_nothing_that_is_for_the_person(site: Site) -> None:
    own, visit = [{"product_id": "goes with what they bought"}], [{"product_id": "p1"}]
    shown = {"person": own, "visits": {"browser-1a": visit}}
    site.deliver(row(1, recommendations=json.dumps(shown)))
    wanted = {
        **{("customer_id", "c1"): own, ("login", "login-1"): own},
        **{("device", "browser-1a"): visit, ("device", "browser-1b"): None},
    }
    for key, products in wanted.items():
        (entry,) = site.find(*key).entries
        assert json.loads(entry.recommendations or "null") == products


@check
def an_identifier_of_another_type_is_another(site: Site) -> None:
    site.deliver(row(1, login="browser-2a"), row(2))
    assert site.find("login", "browser-2a").entries[0].customer_id == "c1"
    assert site.find("device", "browser-2a").entries[0].customer_id == "c2"
    assert not site.segments("login", "browser-1a")


@check
def who_is_removed_is_gone(site: Site) -> None:
    site.deliver(row(1), row(2))
    site.deliver(row(1), segment="loyal")
    site.deliver(row(1, "removed", 2))
    for kind, value in (("customer_id", "c1"), ("login", "login-1"), ("device", "browser-1b")):
        assert site.segments(kind, value) == ["loyal"]
    assert site.segments("device", "browser-2a") == ["vip"]


@check
def a_browser_that_is_no_longer_theirs_tells_nothing(site: Site) -> None:
    site.deliver(row(1))
    site.deliver(row(1, "updated", 2, devices=json.dumps({"browser-1a": "tablet"}), login=None))
    assert not site.segments("device", "browser-1b")
    assert not site.segments("login", "login-1")
    assert site.find("device", "browser-1a").entries[0].device_type == "tablet"


@check
def a_merged_id_leaves_with_the_one_that_stays(site: Site) -> None:
    site.deliver(row(1))
    moved = row(9, "updated", 2, devices=row(1).payload["devices"])
    site.deliver(replace(moved, previous=row(1).payload))
    assert not site.segments("customer_id", "c1")
    assert [each.customer_id for each in site.find("device", "browser-1a").entries] == ["c9"]


@check
def of_two_rows_of_a_batch_the_newer_counts(site: Site) -> None:
    site.deliver(row(1, "removed", 2), row(1, "added", 1), row(2, "added", 2), row(2, "removed", 1))
    assert not site.segments("customer_id", "c1")
    assert site.segments("customer_id", "c2") == ["vip"]


@check
def at_the_end_members_alone_are_there_and_all_of_them(site: Site) -> None:
    site.deliver(row(1), row(2))
    site.deliver(row(2), segment="loyal")
    site.finish([row(1).payload, row(3).payload], at=NOW + timedelta(days=1))
    assert set(site.destination.members_of("vip")) == {"c1", "c3"}
    assert site.segments("device", "browser-3a") == ["vip"]
    assert site.segments("device", "browser-2a") == ["loyal"]
    assert site.find("device", "nobody's").refreshed == {"vip": micros(NOW + timedelta(days=1))}


@check
def a_batch_is_there_as_a_whole_or_not_at_all(site: Site) -> None:
    site.deliver(row(1))
    broken = row(2, version=3, devices="no JSON")
    try:
        site.deliver(row(1, "removed", 2), broken)
    except ValueError:
        pass
    else:
        raise AssertionError("the row was taken")
    assert site.segments("customer_id", "c1") == ["vip"]


@check
def nothing_personal_is_in_the_file(site: Site) -> None:
    rows = [row(1, login="zoe@example.com"), row(2, first_name=PERSONAL)]
    site.deliver(*rows)
    site.finish([each.payload for each in rows])
    site.destination.show_refusals({("login", "quill@example.com"): frozenset({"ads"})})
    files = [path for path in site.destination.path.parent.iterdir() if path.is_file()]
    content = b"".join(path.read_bytes() for path in files)
    for personal in ("Quill", "Exeter", "Zo", "example.com", "login-2", "browser-1a", "ties"):
        assert personal.encode() not in content
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@check
def the_erased_leave_nothing(site: Site) -> None:
    site.deliver(row(4711), row(2))
    site.deliver(row(4711), segment="loyal")
    refusals = {("device", each): frozenset({"ads"}) for each in ("browser-4711a", "browser-2a")}
    site.destination.show_refusals(refusals)
    reader = FeedReader(site.destination.path)  # `serve` has the file open all the time
    assert reader.find("device", "browser-4711a").refused
    people = [
        Identifiers("one", {"email": ("zoe@example.com",), "device": ("browser-4711a",)}),
        Identifiers("two", {"customer_id": ("c7",)}),
    ]
    for _ in range(2):
        said = {each.key: each.status for each in site.destination.erase(people)}
        assert said == {"one": "delivered", "two": "delivered"}
    assert not site.segments("customer_id", "c4711") and not site.segments("login", "login-4711")
    assert not site.find("device", "browser-4711a").refused
    assert site.segments("customer_id", "c2") == ["vip"]
    assert site.find("device", "browser-2a").refused == {"ads"}
    folder = site.destination.path.parent
    assert b"c4711" not in b"".join(each.read_bytes() for each in folder.glob("site.sqlite*"))
    reader.close()


@check
def refusals_are_those_of_now(site: Site) -> None:
    said = {("device", "one"): frozenset({"ads", "sell_share"}), ("login", "two"): frozenset("x")}
    site.destination.show_refusals(said)
    site.destination.show_refusals({("device", "one"): frozenset({"ads"})})
    assert site.find("device", "one").refused == {"ads"}
    assert not site.find("login", "two").refused
    assert not site.find("login", "one").refused


@check
def a_reader_sees_one_moment_while_a_batch_is_written(site: Site) -> None:
    site.deliver(row(1))
    reader = FeedReader(site.destination.path)
    assert reader.find("device", "browser-1a").entries
    with closing(sqlite3.connect(site.destination.path, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        writer.execute("delete from entries")
        assert reader.find("device", "browser-1a").entries
        writer.execute("commit")
    assert not reader.find("device", "browser-1a").entries
    reader.close()


@check
def a_file_in_the_place_of_another_is_read(site: Site) -> None:
    site.deliver(row(1))
    reader = FeedReader(site.destination.path)
    assert reader.find("device", "browser-1a").entries
    for path in site.destination.path.parent.glob("site.sqlite*"):
        path.unlink()
    site.deliver(row(2))
    assert not reader.find("device", "browser-1a").entries
    assert reader.find("device", "browser-2a").entries
    reader.close()


def empty_site(folder: Path) -> Site:
    """A home without a feed."""
    return Site(Home(folder / "home").create())
