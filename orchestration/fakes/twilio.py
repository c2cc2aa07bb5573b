"""Twilio's Messages API: one account, its messages and whoever replied STOP.

Rules: `RULES`, shown in docs/fakes.md. A message is queued, sent after `job_seconds` and delivered
after twice that; what lies in `landlines` is never delivered.
POST /_reply (`from`, `body`) is a person's reply: STOP and its like opt out, START opts in again.
Not here: media, scheduling, Messaging Services' pools, prices, Advanced Opt-Out's own words.
"""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor

ACCOUNT = "AC" + "0" * 32
TOKEN = "faketoken"  # noqa: S105 - of a fake
SENDER = "+15005550006"
SERVICE = "MG" + "0" * 32
STOP = ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT")
START = ("START", "UNSTOP", "YES")
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages"
_ERRORS = "https://www.twilio.com/docs/api/errors/"
_MESSAGES = "https://www.twilio.com/docs/messaging/api/message-resource"
_SEND = "POST /2010-04-01/Accounts/{AccountSid}/Messages.json"
_READ = "GET /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
RULES = Rules((
    Rule("key", "every call", "header Authorization", "account and token", "401 20003",
         _ERRORS + "20003"),
    Rule("known", "every call", "ids in the address", "what there is", "404 20404",
         _ERRORS + "20404"),
    Rule("at_once", "every call", "calls under way", 100, "429 20429", _ERRORS + "20429"),
    Rule("to", _SEND, "To", "a number in E.164", "400 21211", _ERRORS + "21211"),
    Rule("mobile", _SEND, "To", "a number that takes messages", "400 21614", _ERRORS + "21614"),
    Rule("country", _SEND, "To", "countries that the account has enabled", "400 21408",
         _ERRORS + "21408"),
    Rule("from", _SEND, "From or MessagingServiceSid", "one of them", "400 21603",
         _ERRORS + "21603"),
    Rule("own_sender", _SEND, "From or MessagingServiceSid", "the account's own", "400 21606",
         _ERRORS + "21606"),
    Rule("body", _SEND, "Body", "not empty", "400 21602", _ERRORS + "21602"),
    Rule("body_letters", _SEND, "Body", 1600, "400 21617", _ERRORS + "21617"),
    Rule("opted_out", _SEND, "To and the sender", "nobody who replied STOP", "400 21610",
         _ERRORS + "21610"),
    Rule("queued", _SEND, "the same message twice", "each", "201; it is sent twice", _MESSAGES),
    Rule("status", _READ, "status", "queued, sent, delivered, undelivered, failed",
         "200; it changes as time goes on", _MESSAGES),
    Rule("landline", _READ, "error_code", "numbers that carriers do not reach",
         "200; undelivered with 30006", _ERRORS + "30006"),
    Rule("page", "GET /2010-04-01/Accounts/{AccountSid}/Messages.json", "PageSize", 1000,
         "400 20001", _MESSAGES),
    Rule("delete", "DELETE /2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json", "the message",
         "one at its end", "204; gone", _MESSAGES),
    Rule("stop_words", "a reply", "its words", ", ".join(STOP), "the person is opted out",
         "https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out"),
))  # fmt: skip


@dataclass
class Text:
    """One message."""

    sid: str
    to: str
    sender: str
    body: str
    created: datetime


class Twilio(Vendor):
    """One account."""

    name = "twilio"
    rules = RULES
    credentials: Mapping[str, str] = {"TWILIO_AUTH_TOKEN": TOKEN}

    def begin_anew(self, seed: int) -> None:
        """Another account without messages."""
        super().begin_anew(seed)
        self.texts: dict[str, Text] = {}
        self.opted_out: set[str] = set()
        self.landlines: set[str] = set()
        self.no_mobiles: set[str] = set()
        self.closed: tuple[str, ...] = ("+7",)  # beginnings of numbers of countries not enabled
        self.job_seconds = 2.0

    def routes(self) -> list[Route]:
        """One for each call."""
        acts: list[tuple[str, str, Callable[..., tuple[int, Any]]]] = [
            ("POST", PATH + ".json", self._send),
            ("GET", PATH + ".json", self._list),
            ("GET", PATH + "/{sid}.json", self._read),
            ("DELETE", PATH + "/{sid}.json", self._delete),
        ]
        routes = [Route(path, self._endpoint(act), methods=[how]) for how, path, act in acts]
        return [*routes, Route("/_reply", self._reply, methods=["POST"])]

    def state(self) -> Mapping[str, Any]:
        """What the account holds, as counts."""
        with self._lock:
            return {
                "messages": dict(Counter(self._status(each)[0] for each in self.texts.values())),
                "people": len({each.to for each in self.texts.values()}),
                "opted_out": len(self.opted_out),
                "refused": dict(self.refused),
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over who refused text messages in the pretend shop."""
        for each in profiles:
            number = each.attributes.get("phone_number")
            marketing = (each.subscriptions.get("sms") or {}).get("marketing") or {}
            if number and marketing.get("consent") == "UNSUBSCRIBED":
                self.opted_out.add(number)

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day."""
        status = int(fault.kind)
        code = {401: 20003, 403: 20003, 404: 20404, 429: 20429}.get(status, 20500)
        return _problem(status, code, fault.retry_after)

    def _endpoint(self, act: Callable[..., tuple[int, Any]]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
            with self._lock:
                try:
                    if not _has_key(request.headers.get("authorization", "")):
                        raise RULES.refuse("key")
                    status, body = act(request, form)
                except RefusedError as error:
                    self.refused[error.rule.name] += 1
                    return _problem(error.status, int(error.code))
            return JSONResponse(body, status) if body is not None else Response(status_code=status)

        return answer

    async def _reply(self, request: Request) -> Response:
        content = await request.json()
        words = str(content["body"]).strip().upper()
        with self._lock:
            if words in STOP:
                self.opted_out.add(content["from"])
            elif words in START:
                self.opted_out.discard(content["from"])
        return JSONResponse({"opted_out": content["from"] in self.opted_out})

    def _send(self, _: Request, form: Mapping[str, str]) -> tuple[int, Any]:
        to, body = form.get("To", ""), form.get("Body", "")
        sender = form.get("MessagingServiceSid") or form.get("From") or ""
        for name, is_kept in (
            ("to", re.fullmatch(r"\+[1-9]\d{6,14}", to)),
            ("from", sender),
            ("own_sender", sender in (SENDER, SERVICE)),
            ("body", body.strip()),
            ("body_letters", len(body) <= RULES.number("body_letters")),
            ("country", not to.startswith(self.closed)),
            ("mobile", to not in self.no_mobiles),
            ("opted_out", to not in self.opted_out),
        ):
            if not is_kept:
                raise RULES.refuse(name)
        sid = f"SM{self._dice.getrandbits(128):032x}"
        self.texts[sid] = Text(sid, to, sender, body, self._clock())
        return 201, self._shown(self.texts[sid])

    def _list(self, request: Request, _: Mapping[str, str]) -> tuple[int, Any]:
        query = request.query_params
        size, page = int(query.get("PageSize", "50")), int(query.get("Page", "0"))
        if not 1 <= size <= RULES.number("page"):
            raise RULES.refuse("page")
        rows = [
            each
            for each in self.texts.values()
            if query.get("To", each.to) == each.to and query.get("From", each.sender) == each.sender
        ]
        shown = rows[page * size : (page + 1) * size]
        has_more = len(rows) > (page + 1) * size
        following = str(
            request.url.include_query_params(Page=page + 1).replace(scheme="", netloc="")
        )
        link = following.removeprefix("//") if has_more else None
        return 200, {"messages": [self._shown(each) for each in shown], "next_page_uri": link}

    def _read(self, request: Request, _: Mapping[str, str]) -> tuple[int, Any]:
        return 200, self._shown(self._known(request))

    def _delete(self, request: Request, _: Mapping[str, str]) -> tuple[int, Any]:
        del self.texts[self._known(request).sid]
        return 204, None

    def _known(self, request: Request) -> Text:
        text = self.texts.get(request.path_params["sid"])
        if text is None:
            raise RULES.refuse("known")
        return text

    def _status(self, text: Text) -> tuple[str, int | None]:
        passed = self._clock() - text.created
        if passed < timedelta(seconds=self.job_seconds):
            return "queued", None
        if text.to in self.landlines:
            return "undelivered", 30006
        is_there = passed >= timedelta(seconds=2 * self.job_seconds)
        return ("delivered" if is_there else "sent"), None

    def _shown(self, text: Text) -> dict[str, Any]:
        status, error = self._status(text)
        moment = format_datetime(text.created)
        return {
            "sid": text.sid,
            "account_sid": ACCOUNT,
            "to": text.to,
            "from": text.sender if text.sender != SERVICE else None,
            "messaging_service_sid": SERVICE if text.sender == SERVICE else None,
            "body": text.body,
            "status": status,
            "error_code": error,
            "num_segments": "1",
            "price": None,
            "date_created": moment,
            "date_updated": moment,
        }


def create(seed: int, clock: Clock) -> Twilio:
    """An account without messages."""
    return Twilio(seed, clock)


def _has_key(header: str) -> bool:
    kind, _, code = header.partition(" ")
    try:
        return kind == "Basic" and base64.b64decode(code).decode() == f"{ACCOUNT}:{TOKEN}"
    except ValueError:
        return False


def _problem(status: int, code: int, headers: Mapping[str, str] | None = None) -> Response:
    body = {"code": code, "message": "Refused.", "more_info": f"{_ERRORS}{code}", "status": status}
    return JSONResponse(body, status, dict(headers or {}))
