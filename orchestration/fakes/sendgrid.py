"""SendGrid: contacts and lists of Marketing Campaigns, jobs, suppressions and unsubscribe groups.

Rules: `RULES`, shown in docs/fakes.md. Jobs are done later, of two the later one perhaps first. Who
is suppressed stays on lists: SendGrid only does not write to them.
Not here: campaigns, automations, segments, imports of files, exports, contacts known only by
another identifier than their email, files of errors.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor, done_by, routes_of

API_KEY = "SG.fake"
GROUP = 42
_DOCS = "https://www.twilio.com/docs/sendgrid/api-reference/"
_PUT, _DELETE = "PUT /v3/marketing/contacts", "DELETE /v3/marketing/contacts"
_JOB = "GET /v3/marketing/contacts/imports/{id}"
_SEARCH = "POST /v3/marketing/contacts/search/emails"
_LISTS, _LEAVE = "GET /v3/marketing/lists", "DELETE /v3/marketing/lists/{id}/contacts"
_UNSUBSCRIBES = "GET /v3/suppression/unsubscribes"
_UPSERT_PAGE = _DOCS + "contacts/add-or-update-a-contact"
_FIELDS_PAGE = _DOCS + "custom-fields/create-custom-field-definition"
RULES = Rules((
    Rule("key", "every call", "header Authorization", "Bearer and the key", "401 unauthorized",
         _DOCS + "how-to-use-the-sendgrid-v3-api/authentication"),
    Rule("known", "every call", "ids in the address", "what there is", "404 not_found",
         _DOCS + "how-to-use-the-sendgrid-v3-api/responses"),
    Rule("shape", "every call", "the body and the query", "the call's schema", "400 bad_request",
         _DOCS + "how-to-use-the-sendgrid-v3-api/responses"),
    Rule("throttle", "every call", "X-RateLimit-Remaining", "not 0",
         "429; X-RateLimit-Reset says when", _DOCS + "how-to-use-the-sendgrid-v3-api/rate-limits"),
    Rule("rows", _PUT, "contacts", 30_000, "400 too_many_contacts", _UPSERT_PAGE,
         "up to 30,000 contacts, or 6MB of data, whichever is lower"),
    Rule("bytes", _PUT, "the body", 6_000_000, "413 too_large", _UPSERT_PAGE,
         "up to 30,000 contacts, or 6MB of data, whichever is lower"),
    Rule("later", _PUT, "job_id", "of the job", "202; applied later", _UPSERT_PAGE,
         "the response will not contain immediate feedback"),
    Rule("email", _PUT, "contacts[].email", "an address of at most 254 characters",
         "400 invalid_email", _UPSERT_PAGE, "This is required to be a valid email."),
    Rule("longest", _PUT, "first_name, last_name, city, country", "50, 50, 60, 50 characters",
         "400 too_long", _UPSERT_PAGE, "The contact's family name."),
    Rule("list", _PUT, "list_ids", "lists that there are", "400 no_such_list", _UPSERT_PAGE,
         "An array of List ID strings that this contact will be added to."),
    Rule("fields", _PUT, "custom_fields", "ids of fields that there are", "400 no_such_field",
         _UPSERT_PAGE, "custom fields need to have been already created"),
    Rule("identifiers", _PUT, "contacts that exist", "all of their identifiers",
         "202; not updated, and the job has errors", _UPSERT_PAGE,
         "In order to update a contact, all of its existing identifiers must be present."),
    Rule("omitted", _PUT, "fields that are left out", "each", "202; stay as they were",
         _UPSERT_PAGE, "Any fields omitted from the request will remain as they were."),
    Rule("lower_case", _PUT, "contacts[].email", "in any case", "202; kept in lower case",
         _UPSERT_PAGE, "The email field will be changed to all lower-case."),
    Rule("states", _JOB, "status", "pending, completed, errored, failed", "200; never who",
         _DOCS + "contacts/import-contacts-status",
         "Errored means finished with some errors."),
    Rule("search", _SEARCH, "emails", 100, "400 too_many_emails",
         _DOCS + "contacts/get-contacts-by-emails", "retrieve up to 100 contacts"),
    Rule("searched", _SEARCH, "emails", "addresses of at most 100 characters", "400 invalid_email",
         _DOCS + "contacts/get-contacts-by-emails",
         "A `400` status code is returned if any searched addresses are invalid."),
    Rule("nobody", _SEARCH, "emails", "one that is known", "404 no_contact",
         _DOCS + "contacts/get-contacts-by-emails",
         "This endpoint returns a `404` status code when no contacts are found"),
    Rule("alternate", _SEARCH, "emails", "an alternate email of a contact", "200; found by it",
         _DOCS + "contacts/get-contacts-by-emails", "including any `alternate_emails`"),
    Rule("leave", _LEAVE, "contact_ids", "of the list", "202; off the list later, not deleted",
         _DOCS + "lists/remove-contacts-from-a-list", "The contacts will not be deleted."),
    Rule("delete", _DELETE, "ids", "of contacts", "202; deleted later",
         _DOCS + "contacts/delete-contacts", "Deletion jobs are processed asynchronously."),
    Rule("list_page", _LISTS, "page_size", 1_000, "400 page_size", _DOCS + "lists/get-all-lists",
         "returns 1000 max"),
    Rule("list_name", "POST /v3/marketing/lists", "name", 100, "400 name_taken_or_too_long",
         _DOCS + "lists/create-list", "Your name for your list"),
    Rule("suppression_page", _UNSUBSCRIBES, "limit", 500, "400 limit",
         _DOCS + "suppressions-global-suppressions/retrieve-all-global-suppressions",
         "The maximum page size for this endpoint is 500 items per page."),
    Rule("field_name", "POST /v3/marketing/field_definitions", "name",
         "letters, digits and underscores, 100 at most", "400 field_name", _FIELDS_PAGE),
))  # fmt: skip
IDENTIFIERS = ("phone_number_id", "external_id", "anonymous_id")
LONGEST = {"first_name": 50, "last_name": 50, "city": 60, "country": 50}
KINDS = ("unsubscribes", "spam_reports", "bounces", "invalid_emails")
_EMAIL = re.compile(r"[^@\s\"',;<>]+@[^@\s\"',;<>]+\.[^@\s\"',;<>]+")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")

Body = Any
Answer = tuple[int, Body]
Act = Callable[[Request, Body], Answer]


@dataclass
class Contact:
    """One contact; `fields` are custom ones by id."""

    id: str
    email: str
    reserved_fields: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, str] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)


@dataclass
class Job:
    """Something that is done later."""

    id: str
    kind: str
    due: datetime
    act: Callable[[], int]
    requested: int
    errored: int = 0
    is_done: bool = False


class SendGrid(Vendor):
    """One account."""

    name = "sendgrid"
    rules = RULES
    credentials: Mapping[str, str] = {"SENDGRID_API_KEY": API_KEY}

    def begin_anew(self, seed: int) -> None:
        """Another account without contacts."""
        super().begin_anew(seed)
        self.contacts: dict[str, Contact] = {}
        self._emails: dict[str, Contact] = {}
        self._alternates: dict[str, Contact] = {}
        self.lists: dict[str, str] = {}
        self.fields: dict[str, str] = {}
        self.jobs: dict[str, Job] = {}
        self.suppressed: dict[str, dict[str, datetime]] = {kind: {} for kind in KINDS}
        self.groups: dict[int, dict[str, datetime]] = {GROUP: {}}
        self.is_idle = False
        self.job_seconds = 0.2

    def put(self, email: str, **fields: Any) -> Contact:
        """Make or change a contact."""
        known = self._by_email(email)
        contact = known or Contact(self._new_id(), email.lower())
        self.contacts[contact.id] = contact
        self._say(contact, fields)
        return contact

    def _say(self, contact: Contact, fields: Mapping[str, Any]) -> None:
        contact.reserved_fields |= fields
        self._emails[contact.email] = contact
        for each in fields.get("alternate_emails", ()):
            self._alternates[each] = contact

    def put_list(self, name: str) -> str:
        """Make a list; its id."""
        list_id = self._new_id()
        self.lists[list_id] = name
        return list_id

    def put_field(self, name: str) -> str:
        """Make a custom field; its id."""
        field_id = f"e{len(self.fields) + 1}_T"
        self.fields[field_id] = name
        return field_id

    def suppress(self, email: str, kind: str = "unsubscribes", group: int = 0) -> None:
        """Let somebody be suppressed now, everywhere or in a group."""
        where = self.groups[group] if group else self.suppressed[kind]
        where[email.lower()] = self._clock()

    def of(self, name: str) -> set[str]:
        """The addresses on a list, as far as its jobs are done."""
        self.settle()
        ids = {list_id for list_id, known in self.lists.items() if known == name}
        return {each.email for each in self.contacts.values() if each.lists & ids}

    def settle(self) -> None:
        """Do what is due by now, in the order in which it falls due."""
        for job in done_by(self._clock(), self.jobs.values()):
            if not self.is_idle:
                job.errored = job.act()

    def routes(self) -> list[Route]:
        """One for each call."""
        contacts, lists = "/v3/marketing/contacts", "/v3/marketing/lists"
        fields = "/v3/marketing/field_definitions"
        acts: list[tuple[str, str, Act]] = [
            ("PUT", contacts, self._upsert),
            ("DELETE", contacts, self._delete),
            ("GET", contacts + "/imports/{id}", self._job),
            ("POST", contacts + "/search/emails", self._search),
            ("GET", lists, self._all_lists),
            ("POST", lists, self._add_list),
            ("GET", lists + "/{id}", self._one_list),
            ("GET", lists + "/{id}/contacts/count", self._count),
            ("DELETE", lists + "/{id}/contacts", self._leave),
            ("GET", fields, self._all_fields),
            ("POST", fields, self._add_field),
            ("GET", "/v3/asm/suppressions", self._in_groups),
            *(("GET", f"/v3/suppression/{kind}", self._suppressions(kind)) for kind in KINDS),
        ]
        return routes_of(acts, self._endpoint)

    def state(self) -> Mapping[str, Any]:
        """What the account holds, as counts."""
        with self._lock:
            self.settle()
            return {
                "contacts": len(self.contacts),
                "lists": {name: len(self.of(name)) for name in sorted(self.lists.values())},
                "suppressed": {kind: len(each) for kind, each in self.suppressed.items()},
                "open_jobs": sum(not job.is_done for job in self.jobs.values()),
                **self.counts,
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over who is on the pretend shop's list, with what they refused."""
        kinds = {"HARD_BOUNCE": "bounces", "SPAM_COMPLAINT": "spam_reports"}
        for each in profiles:
            email, marketing = (
                each.attributes.get("email"),
                each.subscriptions["email"]["marketing"],
            )
            if not (email and each.joined_at):
                continue
            self.put(email)
            reasons = {suppression["reason"] for suppression in marketing.get("suppression") or []}
            for reason in reasons | ({"UNSUBSCRIBE"} & {marketing["consent"][:11]}):
                self.suppress(email, kinds.get(reason, "unsubscribes"))

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day; a throttle says the moment at which it ends."""
        headers = {}
        if fault.kind == "429":
            headers["X-RateLimit-Reset"] = str(int(self._clock().timestamp()) + fault.wait)
        elif fault.kind == "503":
            headers["Retry-After"] = str(fault.wait)
        return _problem(int(fault.kind), "fault", headers=headers)

    def _endpoint(self, call: str, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            with self._lock:
                self.calls[call] += 1
                self.settle()
                try:
                    if request.headers.get("authorization") != f"Bearer {API_KEY}":
                        raise RULES.refuse("key")
                    if len(raw) > RULES.number("bytes"):
                        raise RULES.refuse("bytes")
                    status, body = act(request, json.loads(raw) if raw else {})
                except RefusedError as error:
                    return self._refusal(error)
                except (KeyError, TypeError, AttributeError, ValueError):
                    return self._refusal(RULES.refuse("shape"))
                return Response(json.dumps(body), status, media_type="application/json")

        return answer

    def _refusal(self, error: RefusedError) -> Response:
        self.refused[error.rule.name] += 1
        return _problem(error.status, error.code, error.pointer.removeprefix("/data"))

    def _upsert(self, _: Request, body: Body) -> Answer:
        contacts, lists = body["contacts"], body.get("list_ids", [])
        if not 1 <= len(contacts) <= RULES.number("rows"):
            raise RULES.refuse("rows")
        if not set(lists) <= self.lists.keys():
            raise RULES.refuse("list", "list_ids")
        for number, each in enumerate(contacts):
            _judge(each, f"contacts[{number}]")
            if not set(each.get("custom_fields", {})) <= self.fields.keys():
                raise RULES.refuse("fields", f"contacts[{number}].custom_fields")
        return 202, {
            "job_id": self._begin("upsert", lambda: self._write(contacts, lists), contacts)
        }

    def _write(self, contacts: list[Body], lists: list[str]) -> int:
        """Do an upsert; how many contacts had an error."""
        errors = 0
        for content in contacts:
            contact = self._by_email(content["email"], alternates=False)
            if contact and any(
                contact.reserved_fields.get(n) != content.get(n) for n in IDENTIFIERS
            ):
                errors += 1
                continue
            contact = contact or self.put(content["email"])
            plain = {n: v for n, v in content.items() if n not in ("email", "custom_fields")}
            self._say(contact, plain)
            contact.fields |= content.get("custom_fields", {})
            contact.lists |= set(lists) & self.lists.keys()
        return errors

    def _delete(self, request: Request, _: Body) -> Answer:
        ids = request.query_params["ids"].split(",")

        def act() -> int:
            for contact in filter(None, (self.contacts.pop(each, None) for each in ids)):
                self._emails.pop(contact.email, None)
                for email in contact.reserved_fields.get("alternate_emails", ()):
                    self._alternates.pop(email, None)
            return 0

        return 202, {"job_id": self._begin("delete", act, ids)}

    def _leave(self, request: Request, _: Body) -> Answer:
        list_id = self._known_list(request)
        ids = request.query_params["contact_ids"].split(",")

        def act() -> int:
            for each in ids:
                if each in self.contacts:
                    self.contacts[each].lists.discard(list_id)
            return 0

        return 202, {"job_id": self._begin("remove", act, ids)}

    def _begin(self, kind: str, act: Callable[[], int], rows: list[Any]) -> str:
        due = self._clock() + timedelta(seconds=self.job_seconds * self._dice.uniform(1, 2))
        job = Job(self._new_id(), kind, due, act, len(rows))
        self.jobs[job.id] = job
        return job.id

    def _job(self, request: Request, _: Body) -> Answer:
        job = self.jobs.get(request.path_params["id"])
        if job is None:
            raise RULES.refuse("known")
        status = "completed" if not job.errored else "errored"
        if job.errored == job.requested:
            status = "failed"
        counts = {"requested_count": job.requested, "errored_count": job.errored}
        body = {"id": job.id, "job_type": job.kind, "results": counts}
        return 200, {**body, "status": status if job.is_done else "pending"}

    def _search(self, _: Request, body: Body) -> Answer:
        emails = [each for each in body["emails"] if each]
        if len(emails) > RULES.number("search"):
            raise RULES.refuse("search")
        if not all(len(each) <= 100 and _EMAIL.fullmatch(each) for each in emails):
            raise RULES.refuse("searched")
        contacts = {each.lower(): self._by_email(each) for each in emails}
        if not any(contacts.values()):
            raise RULES.refuse("nobody")
        missing = {"error": "contact not found"}
        shown = {e: {"contact": self._shown(c)} if c else missing for e, c in contacts.items()}
        return 200, {"result": shown}

    def _shown(self, contact: Contact) -> Body:
        fields = {self.fields[key]: value for key, value in contact.fields.items()}
        blank = dict.fromkeys(("first_name", "last_name", *IDENTIFIERS), "")
        own = {"id": contact.id, "email": contact.email, "list_ids": sorted(contact.lists)}
        moments = dict.fromkeys(("created_at", "updated_at"), self._clock().isoformat())
        more = {"segment_ids": [], "custom_fields": fields}
        return {**blank, **contact.reserved_fields, **own, **moments, **more}

    def _all_lists(self, request: Request, _: Body) -> Answer:
        size = int(request.query_params.get("page_size", "100"))
        if not 1 <= size <= RULES.number("list_page"):
            raise RULES.refuse("list_page")
        start = int(request.query_params.get("page_token", "0"))
        rows = [{"id": key, "name": name} for key, name in self.lists.items()]
        following = f"https://api.sendgrid.com/v3/marketing/lists?page_token={start + size}"
        metadata = {"next": following} if start + size < len(rows) else {}
        return 200, {"result": rows[start : start + size], "_metadata": metadata}

    def _add_list(self, _: Request, body: Body) -> Answer:
        name = body["name"]
        if not 1 <= len(name) <= RULES.number("list_name") or name in self.lists.values():
            raise RULES.refuse("list_name")
        return 201, {"id": self.put_list(name), "name": name, "contact_count": 0}

    def _one_list(self, request: Request, _: Body) -> Answer:
        list_id = self._known_list(request)
        name = self.lists[list_id]
        return 200, {"id": list_id, "name": name, "contact_count": len(self.of(name))}

    def _count(self, request: Request, _: Body) -> Answer:
        count = len(self.of(self.lists[self._known_list(request)]))
        return 200, {"contact_count": count, "billable_count": count}

    def _known_list(self, request: Request) -> str:
        list_id = str(request.path_params["id"])
        if list_id not in self.lists:
            raise RULES.refuse("known")
        return list_id

    def _all_fields(self, _: Request, __: Body) -> Answer:
        rows = [{"id": k, "name": n, "field_type": "Text"} for k, n in self.fields.items()]
        return 200, {"custom_fields": rows, "reserved_fields": []}

    def _add_field(self, _: Request, body: Body) -> Answer:
        if not _NAME.fullmatch(body["name"]) or body["name"] in self.fields.values():
            raise RULES.refuse("field_name")
        return 200, {"id": self.put_field(body["name"]), "name": body["name"]}

    def _in_groups(self, _: Request, __: Body) -> Answer:
        return 200, [
            {"email": email, "group_id": group, "group_name": "", "created_at": int(at.timestamp())}
            for group, members in self.groups.items()
            for email, at in members.items()
        ]

    def _suppressions(self, kind: str) -> Act:
        def act(request: Request, _: Body) -> Answer:
            query = request.query_params
            limit, offset = int(query.get("limit", "500")), int(query.get("offset", "0"))
            if not 1 <= limit <= RULES.number("suppression_page"):
                raise RULES.refuse("suppression_page")
            start = int(query.get("start_time", "0"))
            rows = [
                {"email": email, "created": int(at.timestamp()), "reason": "", "ip": ""}
                for email, at in self.suppressed[kind].items()
                if at.timestamp() >= start
            ]
            return 200, rows[offset : offset + limit]

        return act

    def _by_email(self, email: str, *, alternates: bool = True) -> Contact | None:
        wanted = email.lower()
        known = self._emails.get(wanted)
        return self._alternates.get(wanted) if known is None and alternates else known

    def _new_id(self) -> str:
        return str(uuid.UUID(int=self._dice.getrandbits(128), version=4))


def create(seed: int, clock: Clock) -> SendGrid:
    """An account without contacts."""
    return SendGrid(seed, clock)


def _judge(contact: Body, field: str) -> None:
    email = contact["email"]
    if len(email) > 254 or not _EMAIL.fullmatch(email):
        raise RULES.refuse("email", f"{field}.email")
    for name, longest in LONGEST.items():
        if len(contact.get(name, "")) > longest:
            raise RULES.refuse("longest", f"{field}.{name}")


def _problem(
    status: int, code: str, where: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    content = json.dumps({"errors": [{"message": code, "field": where, "error_id": code}]})
    return Response(content, status, headers, media_type="application/json")
