"""The application behind `regulars serve`: every page with its addresses, drawn and answered.

    GET  /, /segments, /health …           the views of each page
    GET  /sql, /sql/NAME                   the queries behind the figures
    GET  /api/customers/IDENTIFIER         what `regulars explain --json` prints
    POST /plans/approve …                  the form of a page, with the form's own secret

Nobody reaches this without `Guard`, which judges address, origin and who asks, and lets an
editor alone change something; the secret of a form, which no other page can read, is judged here.
One change is made at a time, and `ops.commands` keeps who made it, and which a viewer was refused.
All is read from one build per request, and nothing is written but by what the command line calls as
well.

Belongs here: HTTP, and which pages there are. Does not belong here: what stands on a page.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from ingestion.config import Settings
from ingestion.errors import BusyError, RegularsError, UsageError
from orchestration.activation.authority import ApprovalError
from orchestration.home.layout import Home
from orchestration.ops.commands import PAGES as ON_PAGES
from orchestration.ops.commands import REFUSED, Command, record, recorded
from orchestration.ops.tombstones import masking_key
from orchestration.published.masked import masked_copy
from orchestration.published.reader import not_published
from orchestration.report.build import TEMPLATES as REPORT
from orchestration.report.build import drawing
from orchestration.run.run import clock
from orchestration.serve.guard import EDITOR, GRAPHQL, ROLE, VIEWER, is_dagsters
from orchestration.serve.pages import (
    customer,
    customers,
    health,
    plans,
    products,
    segments,
    sql,
    today,
    works,
)
from orchestration.serve.pages.builds import Builds
from orchestration.serve.pages.page import (
    Asked,
    Change,
    Document,
    ElsewhereError,
    Form,
    MissingError,
    Page,
    View,
)
from orchestration.who.explain import NotFoundError

# In the order of the menu.
PAGES: tuple[Page, ...] = (
    today.PAGE,
    plans.PAGE,
    segments.PAGE,
    customer.PAGE,
    customers.PAGE,
    works.PAGE,
    products.PAGE,
    health.PAGE,
    sql.PAGE,
)
TEMPLATES = Path(__file__).parent / "templates"
STYLES = (REPORT / "style.css", TEMPLATES / "pages.css")
SECRET = "secret"  # noqa: S105 - the name of the form's field
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self';"
    " base-uri 'none'",
}
_STATUS = {
    ApprovalError: 409,
    BusyError: 503,
    MissingError: 404,
    NotFoundError: 404,
    UsageError: 400,
}


class Site:
    """The pages of one home.

    Args:
        home: whose.
        settings: the shop's.
        by: who makes changes, for the record.
        is_masked: show the copy without personal data (docs/masked.md) instead.
        dagster: where Dagster's first page is, where it is behind the same guard.
    """

    def __init__(
        self,
        home: Home,
        settings: Settings,
        by: str = "",
        *,
        is_masked: bool = False,
        dagster: str = "",
    ) -> None:
        """Make the secret that each form carries; open nothing yet."""
        self._home = home
        self._settings = settings
        self._by = by
        self._is_masked = is_masked
        self._dagster = dagster
        self._secret = secrets.token_urlsafe(32)
        self._changing = threading.Lock()
        copy = (lambda: masked_copy(home, masking_key(home))) if is_masked else None
        self._builds = Builds(home, settings.shop.timezone, copy)
        self._drawing = cache(lambda currency: drawing(currency, TEMPLATES))
        self._forms = {form.path: form for page in PAGES for form in page.forms}

    def app(self) -> Starlette:
        """The application, to be put behind `Guard`."""
        views = [
            Route(view.path, self._answer_of(page, view), methods=["GET"])
            for page in PAGES
            for view in page.views
        ]
        changes = [Route(path, self._change, methods=["POST"]) for path in self._forms]
        return Starlette(
            routes=[
                *views,
                *changes,
                Route("/api/customers/{who:path}", self._customer_as_json, methods=["GET"]),
                Route("/style.css", _style, methods=["GET"]),
            ],
            exception_handlers={HTTPException: self._no_such_page},
        )

    @property
    def forms(self) -> frozenset[str]:
        """The addresses that take a form."""
        return frozenset(self._forms)

    def note_refusal(self, path: str) -> None:
        """Record that a viewer wanted to change something at a path."""
        form = self._forms.get(path)
        command = "Dagster" if path == GRAPHQL else form.command if form else path
        with suppress(RegularsError):  # it is refused all the same
            record(self._home, Command(command, self._by, VIEWER, ON_PAGES), REFUSED, clock())

    def close(self) -> None:
        """Give the files back, after the change that is being made."""
        with self._changing:
            self._builds.close()

    def _answer_of(self, page: Page, view: View) -> Callable[[Request], Response]:
        def answer(request: Request) -> Response:
            return self._asked(request, lambda asked: self._drawn(page, view, asked))

        return answer

    def _drawn(self, page: Page, view: View, asked: Asked) -> Response:
        values = view.read(asked)
        if isinstance(values, Document):
            return _document(values)
        return self._page(view.template, 200, values, asked, page)

    def _asked(self, request: Request, answer: Callable[[Asked], Response]) -> Response:
        """The answer from the build that is published now, or a sentence."""
        try:
            if not self._home.published.exists():
                error = not_published(self._home)
                return self._refusal(200, "Nothing to show yet", error.message, error.hint)
            with self._builds.reading() as (connection, build):
                asked = Asked(
                    connection,
                    build,
                    self._home,
                    self._settings,
                    {**request.query_params, **request.path_params},
                    self._is_masked,
                    request.scope.get(ROLE) == EDITOR,
                )
                return answer(asked)
        except ElsewhereError as elsewhere:
            return RedirectResponse(elsewhere.path, 303, HEADERS)
        except RegularsError as error:
            return self._sentence(error)
        except Exception as error:
            return self._broken(error)

    def _customer_as_json(self, request: Request) -> Response:
        def answer(asked: Asked) -> Response:
            text = customer.explanation_of(asked, request.path_params["who"]).to_json()
            return Response(text + "\n", 200, HEADERS, "application/json")

        return self._asked(request, answer)

    async def _change(self, request: Request) -> Response:
        body = await request.body()
        return await run_in_threadpool(self._carry_out, self._forms[request.url.path], body)

    def _carry_out(self, form: Form, body: bytes) -> Response:
        """Do what the form says, if it is a form of ours; one at a time."""
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        fields = dict(pairs)
        if sorted(name for name, _ in pairs) != sorted((*form.fields, SECRET)) or not _same(
            fields.pop(SECRET), self._secret
        ):
            return self._refusal(
                403, "Not done", "This form is not of this page.", "Open the page again."
            )
        if not self._changing.acquire(blocking=False):
            return self._refusal(
                503, "Not done", "Another change is being made.", "Wait until it has been."
            )
        about = " to ".join(fields[name] for name in form.about)
        command = Command(form.command, self._by, EDITOR, ON_PAGES, about)
        change = Change(self._home, self._settings, fields, self._by, self._is_masked)
        try:
            with recorded(self._home, command, clock):
                values = form.do(change)
        except RegularsError as error:
            return self._sentence(error)
        except Exception as error:
            return self._broken(error)
        finally:
            self._changing.release()
        if isinstance(values, Document):
            return _document(values)
        return self._page(form.template, 200, values)

    def _no_such_page(self, request: Request, error: Exception) -> Response:
        if is_dagsters(request.url.path):
            return self._refusal(
                404,
                "Dagster is not here",
                "These pages are served without Dagster.",
                "regulars dev serves both: end this with Ctrl-C and start that in its place.",
            )
        status = error.status_code if isinstance(error, HTTPException) else 500
        return self._refusal(
            status, "Not here", "There is no page at this address.", "The menu has them all."
        )

    def _sentence(self, error: RegularsError) -> Response:
        status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 500)
        return self._refusal(status, "Not done", error.message, error.hint)

    def _broken(self, error: Exception) -> Response:
        """The kind of an error that nobody foresaw; its text may carry a value."""
        if os.environ.get("REGULARS_TRACEBACK"):
            raise error
        return self._refusal(
            500,
            "Not shown",
            f"This could not be shown ({type(error).__name__}).",
            "A run of this version may mend it; REGULARS_TRACEBACK=1 regulars serve says where (it"
            " may quote rows).",
        )

    def _refusal(self, status: int, title: str, sentence: str, hint: str) -> Response:
        values = {"title": title, "sentence": sentence, "hint": hint}
        return self._page("refused.html.j2", status, values)

    def _page(
        self,
        template: str,
        status: int,
        values: Mapping[str, object],
        asked: Asked | None = None,
        here: Page | None = None,
    ) -> Response:
        environment = self._drawing(asked.build.currency if asked else "")
        shared: dict[str, Any] = {
            "shop_name": self._settings.shop.name,
            "pages": PAGES,
            "here": here,
            "asked": asked,
            "secret": self._secret,
            "dagster": self._dagster,
        }
        text = environment.get_template(template).render({**shared, **values})
        return HTMLResponse(text, status, HEADERS)


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _document(document: Document) -> Response:
    """The document; its own style, and nothing else, is let in."""
    headers = dict(HEADERS)
    if document.name:
        headers["Content-Disposition"] = f'attachment; filename="{document.name}"'
    else:
        styles = re.findall(rb"<style>(.*?)</style>", document.content, re.DOTALL)
        hashes = [base64.b64encode(hashlib.sha256(each).digest()).decode() for each in styles]
        allowed = " ".join(f"'sha256-{each}'" for each in hashes) or "'none'"
        headers["Content-Security-Policy"] = (
            f"default-src 'none'; style-src {allowed}; base-uri 'none'"
        )
    return Response(document.content, 200, headers, document.media_type)


def _style(_: Request) -> Response:
    text = "\n".join(path.read_text("utf-8") for path in STYLES)
    return PlainTextResponse(text, headers=HEADERS, media_type="text/css")
