"""What the pretend shop's page tells twice is equal, and its reach is what was delivered.

Belongs here: figures of one built page beside one another. Does not belong here: how they look.
"""

from __future__ import annotations

from ingestion.vocabulary import OF_THE_DAY, Reason
from orchestration.home.layout import Home
from orchestration.published.reader import open_published
from orchestration.report.figures import read_build
from orchestration.report.ledger import read_deliveries
from orchestration.report.segments import read_segments
from tests.end_to_end.conftest import DemoHome
from tests.orchestration.report.test_report import assert_equal_things_are_equal


def test_equal_things_are_equal(demo_home: DemoHome) -> None:
    with open_published(Home(demo_home.root)) as connection:
        assert_equal_things_are_equal(connection)


def test_reach_is_what_a_first_sync_delivers_also_to_the_anonymous(demo_home: DemoHome) -> None:
    home = Home(demo_home.root)
    with open_published(home) as connection:
        segments = {s.name: s for s in read_segments(connection, read_build(connection))}
        deliveries = read_deliveries(home, connection)
    assert deliveries
    for delivery in deliveries:
        segment = segments[delivery.segment]
        if not segment.is_few:
            of_the_day = {word: n for word, n in delivery.held if Reason(word) in OF_THE_DAY}
            accepted = [n for words, n in delivery.waiting if words.startswith("accepted")]
            added = dict(delivery.operations).get("added", 0) + sum(accepted)
            assert added + sum(of_the_day.values()) == segment.reachable
            assert dict(delivery.held) == dict(segment.unreachable) | of_the_day
