"""What is degraded while runs go on: in rows that come in, and in rows that go out.

Belongs here: the rules, which are pure, and their words in counts. Does not belong here: reading
the facts (orchestration/ops/degraded_facts.py) and sending notices (notify.py).

- `quarantine`: of what a source gave on its last day with rows, more than `quarantine_share` and at
  least `quarantine_rows` went to quarantine; over once it is at most half of that share.
- `no_rows`: a source that gave rows on 14 of the last 28 days gives none for twice as many days as
  its longest pause in them; over once it gives some.
- `dead_letters`: a destination refused rows; over once none is refused and none waits.
- `destination_down`: rows wait, and nothing arrived for `destination_hours`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal

from ingestion.config import Degraded
from orchestration.ops.degraded_facts import LOOKS_BACK, Facts, KnownDegradation, Queue, SourceDay

Kind = Literal["quarantine", "no_rows", "dead_letters", "destination_down"]
USUAL_DAYS = 14  # with rows, of the 28 that are looked at
PAUSES = 2  # how many times its longest pause a source may give nothing
AGAIN_AFTER = timedelta(days=1)  # further refused rows are told of at most this often

OVER: dict[str, str] = {
    "quarantine": "`{subject}` gives usable rows again",
    "no_rows": "`{subject}` gives rows again",
    "dead_letters": "`{subject}` has no refused rows any more",
    "destination_down": "`{subject}` takes rows again, or none waits for it",
}


@dataclass(frozen=True)
class Degradation:
    """One thing that is degraded: how, which source or destination, of how many rows or days."""

    kind: Kind
    subject: str
    count: int
    sentence: str

    @property
    def key(self) -> tuple[str, str]:
        """What is degraded, and how."""
        return self.kind, self.subject


@dataclass(frozen=True)
class News:
    """What people do not know yet, and the record of what they know once they are told.

    `begun`: degraded since they were last told. `over`: what they were told of and is not so now.
    """

    begun: tuple[Degradation, ...]
    over: tuple[KnownDegradation, ...]
    notices: tuple[KnownDegradation, ...]


def degradations(
    facts: Facts, limits: Degraded, told_keys: Collection[tuple[str, str]] = ()
) -> list[Degradation]:
    """Everything that is degraded, in order of kind and name.

    Args:
        facts: of the sources and destinations that are switched on.
        limits: from where on something is degraded.
        told_keys: of what people were told of: that ends a little later than it begins, so that
            nobody is told every day anew.
    """
    current = [
        each
        for name, days in facts.sources.items()
        for each in _source(name, days, limits, told_keys)
    ]
    current += [
        each
        for name, queue in facts.queues.items()
        for each in _destination(name, queue, facts.at, limits, told_keys)
    ]
    return sorted(current, key=lambda each: each.key)


def news(
    facts: Facts, current: Sequence[Degradation], known_before: Iterable[KnownDegradation]
) -> News:
    """What is to be told, and what is then known.

    Of a source or destination that is switched off, nothing is told any more.
    """
    switched_on = {*facts.sources, *facts.queues}
    known = {each.key: each for each in known_before if each.subject in switched_on}
    begun = [each for each in current if _is_news(each, known.get(each.key), facts.at)]
    still = {each.key for each in current}
    after = [
        KnownDegradation(each.kind, each.subject, facts.at.isoformat(), each.count)
        if each in begun
        else _lowered(known[each.key], each, facts)
        for each in current
    ]
    over = [each for key, each in known.items() if key not in still]
    return News(tuple(begun), tuple(over), tuple(after))


def over_sentence(notice: KnownDegradation) -> str:
    """That something is not degraded any more."""
    words = OVER[notice.kind].format(subject=notice.subject)
    return f"{words}; told as degraded at {datetime.fromisoformat(notice.at):%Y-%m-%d %H:%M} UTC."


def _is_news(each: Degradation, known: KnownDegradation | None, at: datetime) -> bool:
    if known is None:
        return True
    return (
        each.kind == "dead_letters"
        and each.count > known.count
        and at - datetime.fromisoformat(known.at) >= AGAIN_AFTER
    )


def _lowered(known: KnownDegradation, each: Degradation, facts: Facts) -> KnownDegradation:
    """What was told, less refused rows that are gone for good, so that those after them are new.

    While rows wait, refused ones may be among them, to be tried again.
    """
    if each.kind != "dead_letters" or facts.queues[each.subject].waiting:
        return known
    return replace(known, count=min(known.count, each.count))


def _source(
    name: str, days: Sequence[SourceDay], limits: Degraded, told_keys: Collection[tuple[str, str]]
) -> Iterator[Degradation]:
    with_rows = [each for each in days if each.received]
    yield from _rejected(name, with_rows, limits, is_told=("quarantine", name) in told_keys)
    yield from _silent(name, days, with_rows, is_told=("no_rows", name) in told_keys)


def _rejected(
    name: str, with_rows: Sequence[SourceDay], limits: Degraded, *, is_told: bool
) -> Iterator[Degradation]:
    if not with_rows:
        if is_told:  # nothing newer says that it is over
            sentence = f"`{name}` gave no rows since many of them went to quarantine."
            yield Degradation("quarantine", name, 0, sentence)
        return
    last = with_rows[-1]
    share = limits.quarantine_share / (2 if is_told else 1)
    if last.quarantined >= limits.quarantine_rows and last.quarantined > share * last.received:
        yield Degradation(
            "quarantine",
            name,
            last.quarantined,
            f"Of {last.received:,} rows that `{name}` gave on {last.day}, {last.quarantined:,}"
            f" ({last.quarantined / last.received:.1%}) went to quarantine.",
        )


def _silent(
    name: str, days: Sequence[SourceDay], with_rows: Sequence[SourceDay], *, is_told: bool
) -> Iterator[Degradation]:
    if not with_rows:
        silent, longest = LOOKS_BACK.days, 0
    else:
        silent = (days[-1].day - with_rows[-1].day).days
        longest = max(((b.day - a.day).days for a, b in pairwise(with_rows)), default=0)
    is_unusual = len(with_rows) >= USUAL_DAYS and silent >= PAUSES * longest
    if silent and (is_told or is_unusual):
        sentence = f"`{name}` gave no rows for {silent} days, where it usually gives some."
        yield Degradation("no_rows", name, silent, sentence)


def _destination(
    name: str, queue: Queue, at: datetime, limits: Degraded, told_keys: Collection[tuple[str, str]]
) -> Iterator[Degradation]:
    if queue.refused or (queue.waiting and ("dead_letters", name) in told_keys):
        yield Degradation(
            "dead_letters",
            name,
            queue.refused,
            f"Rows that `{name}` refused: {queue.refused:,}; rows that wait: {queue.waiting:,}.",
        )
    late = timedelta(hours=limits.destination_hours)
    if queue.waiting and queue.since is not None and at - queue.since > late:
        yield Degradation(
            "destination_down",
            name,
            queue.waiting,
            f"`{name}` took nothing since {queue.since:%Y-%m-%d %H:%M} UTC;"
            f" rows that wait: {queue.waiting:,}.",
        )
