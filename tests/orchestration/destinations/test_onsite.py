"""The destination `onsite`, planted defects each of which a check finds, and bad files."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ingestion import config
from ingestion.errors import RegularsError, UsageError
from orchestration.destinations import feed_file, onsite, open_destination
from orchestration.destinations.base import Audience, Batch, RetryLaterError
from orchestration.destinations.feed_file import (
    Digests,
    Entry,
    FeedFileError,
    FeedReader,
    FeedWriter,
    OfKey,
)
from orchestration.destinations.onsite import OnsiteDestination
from orchestration.home.layout import Home
from tests.orchestration.destinations.defects import Defect, Patch, must_find, replaced
from tests.orchestration.destinations.onsite_checks import (
    CHECKS,
    COLUMNS,
    NOW,
    Site,
    empty_site,
    row,
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return empty_site(tmp_path)


@CHECKS.each()
def test_it_does_what_it_must(site: Site, check: Callable[[Site], None]) -> None:
    check(site)


def _nothing(*_: Any, **__: Any) -> set[str]:
    return set()


def _of_every_segment(take_out: Callable[..., None]) -> Callable[..., None]:
    return lambda self, people, _segment=None: take_out(self, people)


def _verbatim(_: Digests, __: str, value: str) -> bytes:
    return value.encode()


def _with_its_words(add: Callable[..., None]) -> Callable[..., None]:
    def added(self: FeedWriter, entry: Entry, keys: Any) -> None:
        add(self, Entry(entry.segment, entry.customer_id, "Quill", None, entry.written_us), keys)

    return added


def _first_browser(payload: Any) -> dict[tuple[str, str], OfKey]:
    return {
        ("customer_id", payload["customer_id"]): OfKey(),
        ("device", payload["device"]): OfKey("mobile"),
    }


def _of_person_for_all(payload: Any) -> dict[tuple[str, str], OfKey]:
    keys = _keys_of(payload)
    own = keys["customer_id", payload["customer_id"]].recommendations
    return {key: each._replace(recommendations=own) for key, each in keys.items()}


def _committing_each(feed: FeedWriter, batch: Batch, each: Any) -> None:
    _write(feed, batch, each)
    feed._connection.execute("commit")
    feed._connection.execute("begin immediate")


def _only_adds(writer: FeedWriter, said: Any) -> None:
    for key, purposes in said.items():
        writer._connection.execute(
            "insert or ignore into refusals values (?, ?)",
            [writer._digests.of(*key), json.dumps(sorted(purposes))],
        )


_write, _keys_of = onsite._write, onsite.keys_of
# What goes wrong in a defective destination, how it is planted, and which check must notice.
DEFECTS: dict[str, tuple[Patch, str]] = {
    "only the first browser is written": (
        replaced(onsite, "keys_of", _first_browser),
        "a_person_is_found_by_everything_they_come_by",
    ),
    "what is for the person is shown by a browser": (
        replaced(onsite, "keys_of", _of_person_for_all),
        "a_browser_has_nothing_that_is_for_the_person",
    ),
    "the type of an identifier is left out": (
        replaced(Digests, "of", _verbatim),
        "an_identifier_of_another_type_is_another",
    ),
    "identifiers stand there as they are": (
        replaced(Digests, "of", lambda _, kind, value: f"{kind}:{value}".encode()),
        "nothing_personal_is_in_the_file",
    ),
    "removals are skipped": (
        replaced(FeedWriter, "take_out", _nothing),
        "who_is_removed_is_gone",
    ),
    "a removal is one from every segment": (
        replaced(FeedWriter, "take_out", _of_every_segment(FeedWriter.take_out)),
        "who_is_removed_is_gone",
    ),
    "an update adds to what is there": (
        replaced(FeedWriter, "take_out", _nothing),
        "a_browser_that_is_no_longer_theirs_tells_nothing",
    ),
    "merged ids stay": (
        replaced(onsite, "merged_ids", _nothing),
        "a_merged_id_leaves_with_the_one_that_stays",
    ),
    "whoever is no member is not looked for": (
        replaced(FeedWriter, "members", _nothing),
        "at_the_end_members_alone_are_there_and_all_of_them",
    ),
    "a sync that ended is not noted": (
        replaced(FeedWriter, "refresh", _nothing),
        "at_the_end_members_alone_are_there_and_all_of_them",
    ),
    "each row is a transaction of its own": (
        replaced(onsite, "_write", _committing_each),
        "a_batch_is_there_as_a_whole_or_not_at_all",
    ),
    "words about a person are written": (
        replaced(FeedWriter, "add", _with_its_words(FeedWriter.add)),
        "nothing_personal_is_in_the_file",
    ),
    "everybody may read the file": (
        replaced(feed_file, "OWNER_ONLY", 0o644),
        "nothing_personal_is_in_the_file",
    ),
    "an erasure looks for ids alone": (
        replaced(FeedWriter, "people_of", _nothing),
        "the_erased_leave_nothing",
    ),
    "what was deleted stays beside the file": (
        replaced(onsite, "forget_the_past", lambda _: True),
        "the_erased_leave_nothing",
    ),
    "a refusal that was taken back stays": (
        replaced(FeedWriter, "show", _only_adds),
        "refusals_are_those_of_now",
    ),
}


@CHECKS.each_defect(DEFECTS)
def test_a_planted_defect_is_noticed(
    site: Site, monkeypatch: pytest.MonkeyPatch, defect: Defect[Site]
) -> None:
    must_find(defect, site, monkeypatch)


def test_a_file_that_another_process_holds_is_for_later(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.deliver(row(1))
    monkeypatch.setattr(feed_file, "BUSY_SECONDS", 0.01)
    with closing(sqlite3.connect(site.destination.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(RetryLaterError):
            site.deliver(row(2))


@pytest.mark.parametrize("content", [b"no database" * 200, b"SQLite format 3\x00" + b"x" * 5000])
def test_a_damaged_file_is_said_and_never_read(site: Site, content: bytes) -> None:
    site.destination.path.parent.mkdir()
    site.destination.path.write_bytes(content)
    with pytest.raises(FeedFileError):
        site.find("device", "browser-1a")
    with pytest.raises(RegularsError, match="cannot be written") as caught:
        site.deliver(row(1))
    assert "delete it" in caught.value.hint


def test_a_file_of_a_newer_version_is_left_alone(site: Site) -> None:
    site.deliver(row(1))
    with closing(sqlite3.connect(site.destination.path)) as connection:
        connection.execute("pragma user_version = 99")
    before = site.destination.path.read_bytes()
    with pytest.raises(RegularsError, match="cannot be written") as caught:
        site.deliver(row(2))
    assert "newer version" in caught.value.hint
    with pytest.raises(FeedFileError) as unread:
        site.find("device", "browser-1a")
    assert unread.value.reason == "newer_version"
    assert site.destination.path.read_bytes() == before


def test_a_file_of_the_version_before_is_read_and_becomes_one_of_this(site: Site) -> None:
    """As it was before there was anything to show: answered at once, and taken over by a sync."""
    site.deliver(row(1))
    with closing(sqlite3.connect(site.destination.path)) as connection:
        connection.execute("alter table entries drop column recommendations")
        connection.execute("pragma user_version = 1")
    before = site.find("device", "browser-1a")
    assert [each.recommendations for each in before.entries] == [None]
    site.deliver(row(2, recommendations='{"visits": {"browser-2a": [{"product_id": "p1"}]}}'))
    assert site.find("device", "browser-1a") == before
    (entry,) = site.find("device", "browser-2a").entries
    assert entry.recommendations == '[{"product_id": "p1"}]'


def test_a_newer_version_is_noticed_by_who_reads_already(site: Site) -> None:
    site.deliver(row(1))
    reader = FeedReader(site.destination.path)
    reader.find("device", "browser-1a")
    with closing(sqlite3.connect(site.destination.path)) as connection:
        connection.execute("pragma user_version = 99")
    with pytest.raises(FeedFileError):
        reader.find("device", "browser-1a")
    reader.close()


def test_nobody_is_known_where_there_is_no_file(site: Site) -> None:
    with pytest.raises(FeedFileError) as caught:
        site.find("device", "browser-1a")
    assert caught.value.reason == "missing"
    assert not list(site.destination.members_of("vip"))
    assert not site.destination.path.exists()


def test_an_identifier_of_any_signs_is_one(site: Site) -> None:
    odd = ["\ud800", "a\0b", "'; drop table entries; --", "😀" * 500, ""]
    for number, login in enumerate(odd):
        site.deliver(row(number, login=login, devices="{}"), segment=f"s{number}")
    assert [site.segments("login", login) for login in odd[:-1]] == [["s0"], ["s1"], ["s2"], ["s3"]]
    assert not site.segments("login", "")


def test_who_refused_while_the_audience_was_read_is_not_in_it(site: Site) -> None:
    """`members` raises or ends where the gate does; nothing of it stands then."""

    def members() -> Any:
        yield row(2).payload
        raise RetryLaterError("gone")

    site.deliver(row(1))
    with pytest.raises(RetryLaterError):
        site.destination.finish(Audience("run1", "vip", NOW, COLUMNS, members()))
    assert site.segments("customer_id", "c1") == ["vip"]
    assert not site.segments("customer_id", "c2")


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ["https://shop.example/path"]},
        {"origins": ["*"]},
        {"content": [{"segment": "vip", "slots": {"hero": "<b>"}}]},
        {"content": [{"slots": {}}]},
        {"secret_env": "lower case"},
        {"columns": ["first_name"]},
    ],
)
def test_options_that_cannot_be_are_named(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        open_destination("site", config.Destination(kind="onsite", options=options), Home(tmp_path))


@pytest.mark.parametrize("name", ["../up", "a b", "é", ""])
def test_a_name_that_is_no_part_of_an_address_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="address"):
        open_destination(name, config.Destination(kind="onsite"), Home(tmp_path))


def test_it_says_what_members_would_be_shown(tmp_path: Path) -> None:
    content = [{"segment": "vip", "landing_page": "club", "slots": {"hero": "thanks"}}]
    chosen = config.Destination(kind="onsite", options={"content": content})
    opened = open_destination("site", chosen, Home(tmp_path))
    assert isinstance(opened, OnsiteDestination)
    assert "hero: thanks, landing page: club" in opened.preview("vip")
    assert "no slot" in opened.preview("loyal")
    assert opened.stays_in(tmp_path) and not opened.stays_in(tmp_path / "elsewhere")
