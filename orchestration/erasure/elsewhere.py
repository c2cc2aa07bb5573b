"""Asking destinations to erase a person who is forgotten, and what each answered.

Belongs here: the question to each destination that can erase, and its answer for the receipt. Does
not belong here: removing people from audiences (`activation.removal`), which every destination can.

A destination that has not confirmed is asked again by the next `forget` or run; until then the
identifiers that it knows the person by stay with the request. Asking twice does no harm.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

from ingestion.config import Settings
from ingestion.errors import RegularsError
from orchestration.destinations import check_destinations, open_destination
from orchestration.destinations.base import (
    Erases,
    Identifiers,
    Outcome,
    own_words,
    reason_of,
)
from orchestration.home.layout import Home
from orchestration.ops.tombstones import Erasable

# By destination: the status of its outcome, the reason, and its ticket where it gave one, as the
# receipt keeps them.
Answers = Mapping[str, Mapping[str, str]]
Ask = Callable[[Erasable, Answers], Answers]
FINAL = ("delivered", "rejected")
_PERSON = "person"
_WORDS = {
    "delivered": "has nothing of them any more",
    "accepted": "accepted to erase them; the next run asks whether it has",
    "rejected": "does not erase them ({reason}): do it there by hand",
}
_NOT_YET = "could not be asked to erase them ({reason}); the next run asks again"


def ask_to_erase(home: Home, settings: Settings, subject: Erasable, before: Answers) -> Answers:
    """Ask every destination that can erase and has not confirmed; all answers so far.

    Raises:
        UsageError: a destination's options are wrong, or the pretend shop would reach another's.
    """
    check_destinations(settings, home)
    answers = dict(before)
    for name, chosen in sorted(settings.destinations.items()):
        if not chosen.enabled or answers.get(name, {}).get("status") in FINAL:
            continue
        destination = open_destination(name, chosen, home)
        if isinstance(destination, Erases):
            ticket = answers.get(name, {}).get("ticket", "")
            outcome = _ask(destination, name, _identifiers(subject, ticket))
            answers[name] = _answer(outcome, outcome.ticket or ticket)
    return answers


def is_open(answers: Answers) -> bool:
    """Whether a destination has still to be asked, or asked again."""
    return any(answer["status"] not in FINAL for answer in answers.values())


def in_words(answers: Answers) -> list[tuple[str, str]]:
    """Each destination with what it answered, for a person."""
    return [
        (
            name,
            _WORDS.get(answer["status"], _NOT_YET).format(reason=answer["reason"] or "no reason"),
        )
        for name, answer in sorted(answers.items())
    ]


def _answer(outcome: Outcome, ticket: str) -> dict[str, str]:
    answer = {"status": outcome.status, "reason": outcome.reason}
    return {**answer, "ticket": ticket} if ticket and outcome.status not in FINAL else answer


def _ask(destination: Erases, name: str, person: Identifiers) -> Outcome:
    try:
        with own_words(name):
            outcomes = {outcome.key: outcome for outcome in destination.erase([person])}
    except RegularsError as error:
        return Outcome(_PERSON, "retry", reason_of(error))
    return outcomes.get(_PERSON) or Outcome(_PERSON, "retry", "no_answer")


def _identifiers(subject: Erasable, ticket: str) -> Identifiers:
    values: dict[str, list[str]] = defaultdict(list)
    for kind, value in subject.keys:
        values[kind].append(value)
    for customer_id in subject.ids:
        values["customer_id"].append(customer_id)
    return Identifiers(_PERSON, {kind: tuple(texts) for kind, texts in values.items()}, ticket)
