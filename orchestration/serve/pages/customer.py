"""A customer: who somebody is and why we say so, what they are worth, and what may be sent to them;
their statement, everything held about them, and forgetting them.

Belongs here: the search, the page, and its forms. Does not belong here: finding somebody and the
words about them (orchestration/who), what may be sent and what forgetting does
(orchestration/activation).

A form does what `regulars export-subject` and `regulars forget` do, but waits for no run that is at
work: somebody is refused from the first moment, and the next run erases them first.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from ingestion.errors import BusyError, UsageError
from orchestration.activation.forgetting import carry_out_all, request_erasure
from orchestration.activation.person_now import explain_now
from orchestration.activation.statement_now import statement_now
from orchestration.home.retention import delete_old_exports
from orchestration.ops.store import open_store
from orchestration.run.run import clock
from orchestration.serve.pages.page import (
    Asked,
    Change,
    Document,
    ElsewhereError,
    Form,
    Page,
    View,
)
from orchestration.serve.webhooks.unsubscribe import link_for
from orchestration.who.evidence import Explanation
from orchestration.who.explain import explain_from
from orchestration.who.predicted import intent, may_use, next_steps, value
from orchestration.who.preferences import lines
from orchestration.who.statement.page import page as statement_page
from orchestration.who.subject import Subject, count_rows, export_subject, find_subject

SHOWN = 25
EXPORT, FORGET = "/customer/export-subject", "/customer/forget"
YES = "forget"  # to be written by whoever wants it


def explanation_of(asked: Asked, who: str) -> Explanation:
    """Everything known of somebody, with what may be sent to them now.

    A masked copy knows people under other ids than the operational store, so it is asked alone.

    Raises:
        NotFoundError: nobody is known by it.
        AmbiguousError: several people are.
    """
    if asked.is_masked:
        return explain_from(asked.connection, who, asked.settings.shop.default_country)
    return explain_now(asked.home, who, at=asked.now, connection=asked.connection)


def search(asked: Asked) -> Mapping[str, object]:
    """The page to search on; who is known has an address of their own, without the value."""
    who = asked.parameters.get("who", "").strip()
    if who:
        person = explanation_of(asked, who)
        if person.is_published:
            raise ElsewhereError(f"/customer/{quote(person.customer_id, safe='')}")
        return {"person": person, **_words(person)}
    return {"person": None, "best": asked.rows("best_customers")}


def read(asked: Asked) -> Mapping[str, object]:
    """One customer, by their id."""
    person = explanation_of(asked, f"customer_id:{asked.parameters['customer_id']}")
    return {"person": person, "export": EXPORT, **_words(person)}


def read_statement(asked: Asked) -> Document:
    """What is known about them, in words for them: `regulars explain --for-customer --html`."""
    who = _named(asked.parameters["customer_id"], asked.is_masked)
    written = statement_now(asked.home, who, link_for, asked.now)
    return Document(statement_page(written).encode(), "text/html")


def read_forget(asked: Asked) -> Mapping[str, object]:
    """What forgetting them erases, before anybody says yes."""
    who = _named(asked.parameters["customer_id"], asked.is_masked)
    subject = find_subject(asked.home, who)
    return {
        "subject": subject,
        "rows": count_rows(asked.home, subject),
        "forget": FORGET,
        "yes": YES,
    }


def export(change: Change) -> Document:
    """Everything held about somebody, as a file."""
    subject = _subject(change)
    days = change.settings.privacy.subject_export_days
    delete_old_exports(change.home, days=days, at=clock())
    path = export_subject(change.home, subject, at=clock()).path
    return Document(path.read_bytes(), "application/json", path.name)


def forget(change: Change) -> Mapping[str, object]:
    """Refuse somebody from now on, and erase them; beside a run the next one does so.

    Raises:
        UsageError: nobody wrote that they want it.
    """
    if change.fields["sure"].strip().lower() != YES:
        raise UsageError(
            "Nobody was forgotten: it was not confirmed.", f"Go back and write `{YES}`."
        )
    subject = _subject(change)
    with open_store(change.home) as store:
        request_erasure(change.home, store, subject.ids, subject.keys, change.fields["reason"])
        try:
            receipts = carry_out_all(change.home, store, change.settings, 0)
        except BusyError:
            receipts = None
    return {"receipts": receipts, "erasures": change.home.erasures}


def _subject(change: Change) -> Subject:
    return find_subject(change.home, _named(change.fields["customer_id"], change.is_masked))


def _named(customer_id: str, is_masked: bool) -> str:
    """How the operational store is asked about them.

    Raises:
        UsageError: the ids of a masked copy are no customer's.
    """
    if is_masked:
        raise UsageError(
            "These pages are masked, and this is about a person.",
            "`regulars serve` without --masked has it.",
        )
    return f"customer_id:{customer_id}"


def _words(person: Explanation) -> dict[str, object]:
    currency = str(person.person.get("currency") or "")
    return {
        "value": list(value(person.predicted, person.clv, currency)) if person.rfm else [],
        "intent": list(intent(person.predicted)) if person.is_published else [],
        "preferences": list(lines(person.preferences)),
        "next_steps": list(next_steps(person.predicted, person.as_of)),
        "may_use": may_use(person.predicted.level) if person.is_published else "",
        "shown": SHOWN,
    }


PAGE = Page(
    "A customer",
    "/customer",
    (
        View("/customer", "customer_search.html.j2", search),
        View("/customer/{customer_id}", "customer.html.j2", read),
        View("/customer/{customer_id}/statement", "customer.html.j2", read_statement),
        View("/customer/{customer_id}/forget", "forget.html.j2", read_forget),
    ),
    (
        Form(EXPORT, "customer.html.j2", "export-subject", ("customer_id",), export),
        Form(FORGET, "forgotten.html.j2", "forget", ("customer_id", "reason", "sure"), forget),
    ),
)
