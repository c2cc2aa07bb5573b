"""The application behind the approval page: plans as they are now, and a yes to exactly one.

    GET  /          every plan: counts, why people are held back, new profiles, masked people
    POST /approve   segment, destination, plan_hash and the form's own secret

An approval does what `regulars sync SEGMENT DESTINATION --approve HASH` does: the plan is made
again, and where its hash is another nothing is sent and the answer is 409. Only one is carried out
at a time. Nobody reaches this without the guard: it judges address, origin and who asks; the secret
of the form, which no other page can read, is judged here as well.
"""

from __future__ import annotations

import hmac
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from ingestion.errors import BusyError, RegularsError, UsageError
from orchestration.activation.authority import Approval, ApprovalError
from orchestration.activation.delivery import (
    Delivery,
    Planned,
    plan_all,
    sync_all,
    who_is_planned,
)
from orchestration.home import lock
from orchestration.home.layout import Home
from orchestration.report.build import TEMPLATES as REPORT
from orchestration.words import pages
from orchestration.words.codes import REASONS, reasons_in_words

APPROVE = "/approve"
PEOPLE_SHOWN = 20  # of each plan
FIELDS = ("segment", "destination", "plan_hash", "secret")
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " base-uri 'none'",
}
_TEMPLATES = Path(__file__).parent / "templates"
_HASH = re.compile(r"[0-9a-f]{16}")
_STATUS = {ApprovalError: 409, BusyError: 503, UsageError: 400}


@dataclass(frozen=True)
class Shown:
    """One plan as the page shows it. `new_profiles`: None where nobody knows how many."""

    delivery: Delivery
    held_back: str
    people: Sequence[Planned]
    more: int
    makes_profiles: bool
    new_profiles: int | None


class Approvals:
    """The page of one home.

    Args:
        home: whose.
        by: who approves, for the record: the page lets in one person of this machine.
    """

    def __init__(self, home: Home, by: str) -> None:
        """Make the secret that each form carries."""
        self._home = home
        self._by = by
        self._secret = secrets.token_urlsafe(32)
        self._sending = threading.Lock()
        self._pages = pages.environment(_TEMPLATES)

    def app(self) -> Starlette:
        """The application, to be put behind `PageGuard`."""
        return Starlette(
            routes=[
                Route("/", self._show, methods=["GET"]),
                Route("/style.css", _style, methods=["GET"]),
                Route(APPROVE, self._approve, methods=["POST"]),
            ]
        )

    def _show(self, _: Request) -> Response:
        try:
            shown = _plans(self._home)
        except RegularsError as error:
            return self._sentence(error)
        return self._page(
            "plans.html.j2",
            200,
            plans=[each for each in shown if each.delivery.changes],
            others=[each for each in shown if not each.delivery.changes],
            secret=self._secret,
            approve=APPROVE,
            reasons=REASONS,
        )

    async def _approve(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._carry_out, body)

    def _carry_out(self, body: bytes) -> Response:
        """Send exactly the plan that the form names."""
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = dict(pairs)
        if sorted(name for name, _ in pairs) != sorted(FIELDS) or not hmac.compare_digest(
            fields["secret"].encode(), self._secret.encode()
        ):
            return self._refusal(403, "This form is not of this page.", "Open the plans again.")
        if not _HASH.fullmatch(fields["plan_hash"]):
            return self._refusal(400, "This is no plan's hash.", "Open the plans again.")
        if not self._sending.acquire(blocking=False):
            return self._refusal(503, "Another approval is being sent.", "Wait until it has been.")
        try:
            with lock.hold(self._home.lock):
                approval = Approval(fields["plan_hash"], self._by)
                synced = sync_all(self._home, fields["segment"], fields["destination"], approval)
            synced.raise_failures()
        except RegularsError as error:
            return self._sentence(error)
        finally:
            self._sending.release()
        done = [Delivery.sent(report) for report in synced.reports]
        return self._page("sent.html.j2", 200, sent=done)

    def _sentence(self, error: RegularsError) -> Response:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        return self._refusal(status, error.message, error.hint)

    def _refusal(self, status: int, sentence: str, hint: str) -> Response:
        return self._page("refused.html.j2", status, sentence=sentence, hint=hint)

    def _page(self, template: str, status: int, **values: object) -> Response:
        return HTMLResponse(self._pages.get_template(template).render(values), status, HEADERS)


def _style(_: Request) -> Response:
    return PlainTextResponse((REPORT / "style.css").read_text("utf-8"), media_type="text/css")


def _plans(home: Home) -> list[Shown]:
    planned = plan_all(home, None, None)
    people: dict[tuple[str, str], list[Planned]] = defaultdict(list)
    for each in who_is_planned(home, planned.plans):
        if each.state != "has it":
            people[each.target.segment, each.target.destination].append(each)
    shown = []
    for plan in planned.plans:
        own = people[plan.target.segment, plan.target.destination]
        without = planned.new_profiles.get(plan.target.destination, frozenset())
        added = {each.customer_id for each in plan.changes if each.operation == "added"}
        shown.append(
            Shown(
                Delivery.planned(plan),
                reasons_in_words(plan.held_back_counts),
                own[:PEOPLE_SHOWN],
                max(len(own) - PEOPLE_SHOWN, 0),
                plan.target.destination in planned.new_profiles,
                None if without is None else len(added & without),
            )
        )
    return shown
