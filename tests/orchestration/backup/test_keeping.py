"""Which backups stay: the newest always, few in all, and over weeks enough of the old ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.backup.keeping import Rule, to_keep

START = datetime(2026, 1, 1)
MOMENTS = st.sets(
    st.integers(0, 400 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    max_size=60,
)
RULES = st.builds(Rule, st.integers(0, 30), st.integers(1, 10), st.integers(0, 6))


@settings(max_examples=300, deadline=None)
@given(MOMENTS, RULES)
def test_what_stays_is_there_is_few_and_has_the_newest(moments: set[datetime], rule: Rule) -> None:
    kept = to_keep(moments, rule)
    assert kept <= moments
    assert len(kept) <= rule.hourly + rule.daily + rule.weekly
    assert not moments or max(moments) in kept


@settings(max_examples=300, deadline=None)
@given(MOMENTS, RULES)
def test_asked_again_it_keeps_the_same(moments: set[datetime], rule: Rule) -> None:
    kept = to_keep(moments, rule)
    assert to_keep(kept, rule) == kept


@settings(max_examples=200, deadline=None)
@given(MOMENTS, RULES)
def test_the_last_days_and_weeks_have_their_newest(moments: set[datetime], rule: Rule) -> None:
    kept = to_keep(moments, rule)
    for day in sorted({moment.date() for moment in moments})[-rule.daily :]:
        assert max(moment for moment in moments if moment.date() == day) in kept
    weeks = sorted({moment.isocalendar()[:2] for moment in moments}, reverse=True)
    for week in weeks[: rule.weekly]:
        assert max(moment for moment in moments if moment.isocalendar()[:2] == week) in kept


@settings(max_examples=200, deadline=None)
@given(MOMENTS, RULES, st.integers(1, 20))
def test_a_rule_that_keeps_more_keeps_all_that_one_does(
    moments: set[datetime], rule: Rule, more: int
) -> None:
    wider = Rule(rule.hourly + more, rule.daily + more, rule.weekly + more)
    assert to_keep(moments, rule) <= to_keep(moments, wider)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 59), st.integers(1, 13), st.integers(90, 100))
def test_deleted_as_they_are_made_seven_days_and_four_weeks_are_left(
    minute: int, hours: int, days_of_it: int
) -> None:
    """What is deleted on the way is not missed later."""
    there: set[datetime] = set()
    last = START + timedelta(days=days_of_it)
    moment = START + timedelta(minutes=minute)
    while moment < last:
        there = to_keep({*there, moment}, Rule(0, 7, 4))
        moment += timedelta(hours=hours)
    days = {moment.date() for moment in there}
    assert {(last - timedelta(days=back)).date() for back in range(1, 8)} <= days
    assert len({moment.isocalendar()[:2] for moment in there}) == 4
    assert len(there) <= 7 + 3  # the newest stands for its day and its week
    assert timedelta(days=14) <= last - min(there) <= timedelta(days=28)
