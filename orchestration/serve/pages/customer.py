"""A customer: who somebody is and why we say so, what they are worth, and what may be sent to them.

Belongs here: the search and the page. Does not belong here: finding somebody and the words about
them (orchestration/who), what may be sent (orchestration/activation).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from orchestration.activation.person_now import explain_now
from orchestration.serve.pages.page import Asked, ElsewhereError, Page, View
from orchestration.who.evidence import Explanation
from orchestration.who.explain import explain_from
from orchestration.who.predicted import intent, may_use, next_steps, value
from orchestration.who.preferences import lines

SHOWN = 25


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
    return {"person": person, **_words(person)}


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
    ),
)
