"""Mailchimp Marketing 3.0: one list, its members, and static segments, which are its tags.

Rules: `RULES`, shown in docs/fakes.md. A member is known by the MD5 of the lower-case address.
Not here: campaigns, automations, merge fields, interests, batches of operations, several lists.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor, routes_of

API_KEY = "fake0123456789-us1"
LIST_ID = "list01"
PREFIX = "/3.0"
SECONDS = 0.002  # that an answer takes, so that calls can be under way at once
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional")
_DOCS = "https://mailchimp.com/developer/marketing/docs/"
_API = "https://mailchimp.com/developer/marketing/api/"
_LIMITS = (
    "https://raw.githubusercontent.com/api-evangelist/mailchimp/refs/heads/main/rate-limits/"
    "mailchimp-rate-limits.yml"
)
_SEGMENT = "POST /lists/{list_id}/segments/{segment_id}"
_BATCH = "POST /lists/{list_id}"
_MEMBER = "GET /lists/{list_id}/members/{subscriber_hash}"
_FORGET = "POST /lists/{list_id}/members/{subscriber_hash}/actions/delete-permanent"
RULES = Rules((
    Rule("key", "every call", "header Authorization", "the key", "401 api_key_invalid",
         _DOCS + "fundamentals/"),
    Rule("at_once", "every call", "calls under way", 10, "429 too_many_requests", _LIMITS),
    Rule("volume", "every call", "calls at high volume", "not said", "403 without a body", _LIMITS),
    Rule("known", "every call", "ids in the address", "what there is", "404 resource_not_found",
         _DOCS + "errors/"),
    Rule("shape", "every call", "the body and the query", "the call's schema",
         "400 invalid_resource", _DOCS + "errors/"),
    Rule("page", "GET /lists/{list_id}/members", "count", 1000, "400 invalid_resource",
         _API + "list-members/", "Maximum value is 1000"),
    Rule("segment_rows", _SEGMENT, "members_to_add, members_to_remove", 500,
         "400 invalid_resource", _API + "list-segments/", "A maximum of 500 members can be sent."),
    Rule("segment_ignores", _SEGMENT, "addresses that are not on the list", "each",
         "200; left out without a word", _API + "list-segments/",
         "Any emails provided that are not present on the list will be ignored."),
    Rule("segment_members", _SEGMENT.replace("POST", "GET") + "/members",
         "include_unsubscribed, include_cleaned", "true to see those",
         "200; left out else", _API + "list-segment-members/"),
    Rule("batch_rows", _BATCH, "members", 500, "400 invalid_resource", _API + "lists/",
         "Up to 500 members may be added or updated with each API call."),
    Rule("batch_errors", _BATCH, "members that cannot be taken", "each", "200; told in `errors`",
         _API + "lists/", "Batch subscribe or unsubscribe list members."),
    Rule("batch_subscribes", _BATCH, "status with update_existing", "each",
         "200; the status changes, a refusal too", _API + "lists/",
         "Whether this batch operation will change existing members' subscription status."),
    Rule("archive", "DELETE /lists/{list_id}/members/{subscriber_hash}", "the member", "one",
         "204; archived", _API + "list-members/", "Archive a list member."),
    Rule("delete_permanent", _FORGET, "the member", "one",
         "204; gone, and can never be imported again", _API + "list-members/",
         "This will make it impossible to re-import the list member."),
))  # fmt: skip

Body = Any
Answer = tuple[int, Body]
Act = Callable[[Request, Body], Answer]


def hash_of(email: str) -> str:
    """Mailchimp's name of a member."""
    return hashlib.md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


@dataclass
class Member:
    """One member of the list; `segments` are ids of static segments."""

    email: str
    status: str
    changed: datetime
    segments: set[int] = field(default_factory=set)


class Mailchimp(Vendor):
    """One account with one list."""

    name = "mailchimp"
    rules = RULES
    credentials: Mapping[str, str] = {"MAILCHIMP_API_KEY": API_KEY}

    def begin_anew(self, seed: int) -> None:
        """Another account with one list without members."""
        super().begin_anew(seed)
        self.members: dict[str, Member] = {}
        self.segments: dict[int, str] = {}
        self.forgotten: set[str] = set()
        self.is_idle = False
        self.seconds = SECONDS
        self.most_at_once = 0
        self._under_way = 0

    def put(self, email: str, status: str = "subscribed") -> Member:
        """Make or change a member."""
        member = self.members.setdefault(hash_of(email), Member(email, status, self._clock()))
        member.status, member.changed = status, self._clock()
        return member

    def of(self, name: str) -> set[str]:
        """The addresses in a static segment."""
        ids = {each for each, known in self.segments.items() if known == name}
        return {member.email for member in self.members.values() if member.segments & ids}

    def routes(self) -> list[Route]:
        """One for each call."""
        path = "/lists/{list_id}"
        member = path + "/members/{subscriber_hash}"
        acts: list[tuple[str, str, Act]] = [
            ("GET", path, self._list),
            ("POST", path, self._batch),
            ("GET", path + "/members", self._members),
            ("GET", member, self._member),
            ("DELETE", member, self._archive),
            ("POST", member + "/actions/delete-permanent", self._forget),
            ("GET", path + "/segments", self._segments),
            ("POST", path + "/segments", self._add_segment),
            ("POST", path + "/segments/{segment_id}", self._change_segment),
            ("GET", path + "/segments/{segment_id}/members", self._in_segment),
        ]
        return routes_of(acts, self._endpoint, [PREFIX])

    def state(self) -> Mapping[str, Any]:
        """What the list holds, as counts."""
        with self._lock:
            return {
                "members": dict(Counter(each.status for each in self.members.values())),
                "segments": {name: len(self.of(name)) for name in sorted(self.segments.values())},
                "forgotten": len(self.forgotten),
                **self.counts,
                "most_at_once": self.most_at_once,
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over who is on the pretend shop's list, with what they refused."""
        for each in profiles:
            email, marketing = (
                each.attributes.get("email"),
                each.subscriptions["email"]["marketing"],
            )
            reasons = {suppression["reason"] for suppression in marketing.get("suppression") or []}
            if email and each.joined_at:
                is_over = marketing["consent"] == "UNSUBSCRIBED" or reasons - {"HARD_BOUNCE"}
                cleaned = "cleaned" if reasons else "subscribed"
                self.put(email, "unsubscribed" if is_over else cleaned)

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day; a 403 has no words."""
        if fault.kind == "403":
            return Response(status_code=403)
        headers = {"Retry-After": str(fault.wait)} if fault.kind == "503" else {}
        return _problem(int(fault.kind), "fault", headers)

    def _endpoint(self, call: str, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            try:
                if self._under_way > RULES.number("at_once"):
                    return self._refused(RULES.refuse("at_once"))
                await asyncio.sleep(self.seconds)
                raw = await request.body()
                with self._lock:
                    self.calls[call] += 1
                    return self._answered(request, raw, act)
            finally:
                self._under_way -= 1

        return answer

    def _answered(self, request: Request, raw: bytes, act: Act) -> Response:
        try:
            if not _has_key(request.headers.get("authorization", "")):
                raise RULES.refuse("key")
            if request.path_params["list_id"] != LIST_ID:
                raise RULES.refuse("known")
            status, body = act(request, json.loads(raw) if raw else {})
        except RefusedError as error:
            return self._refused(error)
        except (KeyError, TypeError, AttributeError, ValueError):
            return self._refused(RULES.refuse("shape"))
        content = b"" if body is None else json.dumps(body).encode()
        return Response(content, status, media_type="application/json" if content else None)

    def _refused(self, error: RefusedError) -> Response:
        self.refused[error.rule.name] += 1
        return _problem(error.status, error.code)

    def _list(self, _: Request, __: Body) -> Answer:
        return 200, {"id": LIST_ID, "name": "Customers"}

    def _members(self, request: Request, _: Body) -> Answer:
        query = request.query_params
        rows = sorted(self.members.values(), key=lambda each: (each.changed, each.email))
        if query.get("status"):
            rows = [each for each in rows if each.status == query["status"]]
        if query.get("since_last_changed"):
            since = datetime.fromisoformat(query["since_last_changed"])
            rows = [each for each in rows if each.changed > since]
        shown = [self._shown(each) for each in _page(rows, query)]
        return 200, {"members": shown, "list_id": LIST_ID, "total_items": len(rows)}

    def _member(self, request: Request, _: Body) -> Answer:
        return 200, self._shown(self._known(request))

    def _archive(self, request: Request, _: Body) -> Answer:
        member = self._known(request)
        member.status, member.segments = "archived", set()
        return 204, None

    def _forget(self, request: Request, _: Body) -> Answer:
        member = self._known(request)
        del self.members[hash_of(member.email)]
        self.forgotten.add(hash_of(member.email))
        return 204, None

    def _segments(self, request: Request, _: Body) -> Answer:
        rows = sorted(self.segments.items())
        shown = [{"id": each, "name": name, "type": "static", "list_id": LIST_ID}
                 for each, name in _page(rows, request.query_params)]  # fmt: skip
        return 200, {"segments": shown, "list_id": LIST_ID, "total_items": len(rows)}

    def _add_segment(self, _: Request, body: Body) -> Answer:
        name = body["name"]
        if not name or name in self.segments.values():
            raise RULES.refuse("shape")
        number = len(self.segments) + 1
        self.segments[number] = name
        self._put_in(number, body["static_segment"])
        return 200, {"id": number, "name": name, "type": "static", "list_id": LIST_ID}

    def _change_segment(self, request: Request, body: Body) -> Answer:
        number = int(request.path_params["segment_id"])
        if number not in self.segments:
            raise RULES.refuse("known")
        add, remove = body.get("members_to_add") or [], body.get("members_to_remove") or []
        if max(len(add), len(remove)) > RULES.number("segment_rows"):
            raise RULES.refuse("segment_rows")
        wrong = [each for each in add if "@" not in each]
        added = [] if self.is_idle else self._put_in(number, add)
        removed = [] if self.is_idle else self._take_out(number, remove)
        errors = [{"email_addresses": wrong, "error": "Not valid."}] if wrong else []
        return 200, {
            "members_added": [self._shown(each) for each in added],
            "members_removed": [self._shown(each) for each in removed],
            "errors": errors,
            "total_added": len(added),
            "total_removed": len(removed),
            "error_count": len(wrong),
        }

    def _in_segment(self, request: Request, _: Body) -> Answer:
        number, query = int(request.path_params["segment_id"]), request.query_params
        if number not in self.segments:
            raise RULES.refuse("known")
        hidden = {s for s in ("unsubscribed", "cleaned") if query.get(f"include_{s}") != "true"}
        rows = [e for e in self.members.values() if number in e.segments and e.status not in hidden]
        rows.sort(key=lambda each: each.email)
        shown = [self._shown(each) for each in _page(rows, query)]
        return 200, {"members": shown, "total_items": len(rows)}

    def _batch(self, _: Request, body: Body) -> Answer:
        people = body["members"]
        if len(people) > RULES.number("batch_rows"):
            raise RULES.refuse("batch_rows")
        results = [self._take(each, update=bool(body.get("update_existing"))) for each in people]
        errors = [each for each in results if "error" in each]
        new = [each for each in results if each.get("is_new")]
        changed = [each for each in results if not each.get("is_new") and "error" not in each]
        return 200, {
            "new_members": new,
            "updated_members": changed,
            "errors": errors,
            "total_created": len(new),
            "total_updated": len(changed),
            "error_count": len(errors),
        }

    def _take(self, content: Body, *, update: bool) -> dict[str, Any]:
        email, status = content["email_address"], content["status"]
        wrong = "@" not in email or status not in STATUSES or hash_of(email) in self.forgotten
        if wrong:
            return {"email_address": email, "error": "Not valid.", "error_code": "ERROR_GENERIC"}
        is_new = hash_of(email) not in self.members
        if not is_new and not update:
            known = {"error": "It is there.", "error_code": "ERROR_CONTACT_EXISTS"}
            return {"email_address": email, **known}
        return {**self._shown(self.put(email, status)), "is_new": is_new}

    def _put_in(self, number: int, emails: Sequence[str]) -> list[Member]:
        members = [self.members[each] for each in map(hash_of, emails) if each in self.members]
        new = [each for each in members if number not in each.segments]
        for member in new:
            member.segments.add(number)
        return new

    def _take_out(self, number: int, emails: Sequence[str]) -> list[Member]:
        members = [self.members[each] for each in map(hash_of, emails) if each in self.members]
        known = [each for each in members if number in each.segments]
        for member in known:
            member.segments.discard(number)
        return known

    def _known(self, request: Request) -> Member:
        member = self.members.get(request.path_params["subscriber_hash"])
        if member is None:
            raise RULES.refuse("known")
        return member

    def _shown(self, member: Member) -> dict[str, Any]:
        tags = [{"id": each, "name": self.segments[each]} for each in sorted(member.segments)]
        return {
            "id": hash_of(member.email),
            "email_address": member.email,
            "status": member.status,
            "tags": tags,
            "tags_count": len(tags),
            "last_changed": member.changed.isoformat(),
            "list_id": LIST_ID,
        }


def create(seed: int, clock: Clock) -> Mailchimp:
    """An account with one list without members."""
    return Mailchimp(seed, clock)


def _has_key(header: str) -> bool:
    """Whether a header of basic authentication has the key as its password."""
    kind, _, code = header.partition(" ")
    try:
        return kind == "Basic" and base64.b64decode(code).decode().endswith(f":{API_KEY}")
    except ValueError:
        return False


def _page(rows: Sequence[Any], query: Mapping[str, str]) -> Sequence[Any]:
    count, offset = int(query.get("count", "10")), int(query.get("offset", "0"))
    if not 1 <= count <= RULES.number("page") or offset < 0:
        raise RULES.refuse("page")
    return rows[offset : offset + count]


def _problem(status: int, code: str, headers: Mapping[str, str] | None = None) -> Response:
    title = code.replace("_", " ").title()
    body = {"type": _DOCS + "errors/", "title": title, "status": status, "detail": title}
    content = json.dumps({**body, "instance": "fake"})
    return Response(content, status, headers, media_type="application/problem+json")
