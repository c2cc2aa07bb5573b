"""Klaviyo's fake: the HTTP calls, and every rule of `calls` enforced before anything is done.

Belongs here: what is checked, what is answered. Does not belong here: the state (`account`), the
tables of calls and rules (`calls`), filters and pages (`filters`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingestion.demo.throttle import Throttle
from orchestration.fakes.faults import Fault
from orchestration.fakes.klaviyo import resources
from orchestration.fakes.klaviyo.account import Account, Job, Profile
from orchestration.fakes.klaviyo.calls import CALLS, MEDIA_TYPE, RULES, Call
from orchestration.fakes.klaviyo.filters import (
    SUPPRESSED_AT,
    BadRequestError,
    clauses,
    holds,
    page,
)
from orchestration.fakes.rules import RefusedError
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor

API_KEY = "pk_fake"
RETIRED = date(2024, 10, 15)  # the revisions before this one; each lives two years
_TROUBLES = {
    "401": "not_authenticated",
    "403": "permission_denied",
    "404": "not_found",
    "429": "throttled",
    "503": "unavailable",
}
Body = Any
Answer = tuple[int, Body]
Act = Callable[[Request, Body], Answer]


class Klaviyo(Vendor):
    """One account behind Klaviyo's API."""

    name = "klaviyo"
    rules = RULES
    credentials: Mapping[str, str] = {"KLAVIYO_API_KEY": API_KEY}

    def begin_anew(self, seed: int) -> None:
        """Another account without content, with a key that may do everything."""
        super().begin_anew(seed)
        self.account = Account(seed, self._clock)
        self.account.add_list("NEWS01", "Newsletter")
        self.scopes = frozenset(scope for call in CALLS.values() for scope in call.scopes)
        self.has_throttles = True
        self._throttles = {
            call.name: Throttle(call.burst, call.steady, lambda: self._clock().timestamp())
            for call in CALLS.values()
        }

    def routes(self) -> list[Route]:
        """One for each call."""
        act: dict[str, Act] = {
            "profiles": self._profiles,
            "lists": self._lists,
            "list": self._list,
            "members": self._members,
            "add_to_list": self._add_to_list,
            "remove_from_list": self._remove_from_list,
            "import": self._import,
            "jobs": self._jobs,
            "job": self._job,
            "import_errors": self._import_errors,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "suppress": self._suppress,
            "events": self._events,
            "delete": self._delete,
        }
        return [
            Route(call.path, self._endpoint(call, act[name]), methods=[call.method])
            for name, call in CALLS.items()
        ]

    def state(self) -> Mapping[str, Any]:
        """What the account holds, as counts."""
        with self._lock:
            self.account.settle()
            return resources.state(self.account) | {
                **self.counts,
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Take over the people of a pretend shop, with what they permitted and refused."""
        for each in profiles:
            self.account.take_over(each)

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day."""
        status, code = int(fault.kind), _TROUBLES[fault.kind]
        return _response(status, resources.error(status, code, "/data"), fault.retry_after)

    def _endpoint(self, call: Call, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            with self._lock:
                self.calls[call.name] += 1
                self.account.settle()
                wait = self._throttles[call.name].wait() if self.has_throttles else 0
                if wait:
                    return self._refused(RULES.refuse("throttle"), {"Retry-After": str(wait)})
                try:
                    self._check(call, request, raw)
                    return _response(*act(request, _read(call, raw)))
                except RefusedError as error:
                    return self._refused(error)
                except BadRequestError:
                    return self._refused(RULES.refuse("filter"))
                except (KeyError, TypeError, AttributeError, ValueError):
                    return self._refused(RULES.refuse("shape"))

        return answer

    def _refused(self, error: RefusedError, headers: Mapping[str, str] | None = None) -> Response:
        self.refused[error.rule.name] += 1
        body = resources.error(error.status, error.code, error.pointer)
        return _response(error.status, body, headers)

    def _check(self, call: Call, request: Request, raw: bytes) -> None:
        if request.headers.get("authorization") != f"Klaviyo-API-Key {API_KEY}":
            raise RULES.refuse("key")
        if not call.scopes <= self.scopes:
            raise RULES.refuse("scope")
        if not _is_alive(request.headers.get("revision", "")):
            raise RULES.refuse("revision")
        if call.method != "GET" and request.headers.get("content-type") != MEDIA_TYPE:
            raise RULES.refuse("media_type")
        for rule, name in (("import_bytes", "import"), ("event_bytes", "events")):
            if call.name == name and len(raw) > RULES.number(rule):
                raise RULES.refuse(rule)

    # Reading

    def _profiles(self, request: Request, _: Body) -> Answer:
        return self._people(request, "profiles", list(self.account.profiles.values()))

    def _members(self, request: Request, _: Body) -> Answer:
        list_id = self._known_list(request)
        on_it = [p for p in self.account.profiles.values() if list_id in p.lists]
        return self._people(request, "members", on_it, list_id)

    def _people(
        self, request: Request, call: str, rows: list[Profile], list_id: str = ""
    ) -> Answer:
        for clause in clauses(call, request.query_params.get("filter", "")):
            read = _moment if clause.field in resources.MOMENTS else resources.matching
            rows = [
                row
                for row in rows
                if holds(clause, resources.values_of(row, clause.field, list_id), read)
            ]
        rows.sort(key=lambda row: (_sort_key(row, request, list_id), row.id))
        if request.query_params.get("sort", "").startswith("-"):
            rows.reverse()
        has_subscriptions = "subscriptions" in request.query_params.get(
            "additional-fields[profile]", ""
        )
        fields = request.query_params.get("fields[profile]", "")
        return self._paged(
            request,
            rows,
            lambda row: resources.profile(
                row, fields, list_id, with_subscriptions=has_subscriptions
            ),
            20,
        )

    def _lists(self, request: Request, _: Body) -> Answer:
        clauses("lists", request.query_params.get("filter", ""))
        rows = sorted(self.account.lists.items())
        return self._paged(request, rows, lambda row: resources.list_(*row), 10)

    def _list(self, request: Request, _: Body) -> Answer:
        list_id = self._known_list(request)
        return 200, {"data": resources.list_(list_id, self.account.lists[list_id])}

    def _jobs(self, request: Request, _: Body) -> Answer:
        now = self.account.clock()
        rows = list(self.account.jobs.values())
        for clause in clauses("jobs", request.query_params.get("filter", "")):
            rows = [row for row in rows if holds(clause, [row.status(now)], str)]
        is_backwards = request.query_params.get("sort") == "-created_at"
        rows.sort(key=lambda row: (row.created, row.id), reverse=is_backwards)
        return self._paged(request, rows, lambda row: resources.job(row, now), 20)

    def _job(self, request: Request, _: Body) -> Answer:
        job = self._known_job(request, "job_id")
        return 200, {"data": resources.job(job, self.account.clock())}

    def _import_errors(self, request: Request, _: Body) -> Answer:
        job = self._known_job(request, "id")
        numbered = list(enumerate(job.errors))
        return self._paged(
            request,
            numbered,
            lambda row: resources.import_error(job, *row),
            RULES.number("errors_page"),
        )

    def _paged(
        self, request: Request, rows: Sequence[Any], show: Callable[[Any], Body], usual: int
    ) -> Answer:
        query = request.query_params
        size = query.get("page[size]", str(usual))
        page_rows, cursor = page(
            rows, size, query.get("page[cursor]", ""), RULES.number("page_size")
        )
        links = {"self": str(request.url)}
        if cursor:
            links["next"] = str(request.url.include_query_params(**{"page[cursor]": cursor}))
        return 200, {"data": [show(row) for row in page_rows], "links": links}

    # Writing

    def _import(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "profile-bulk-import-job")
        profiles = _within("import_rows", data["attributes"]["profiles"]["data"])
        for number, each in enumerate(profiles):
            if len(json.dumps(each, ensure_ascii=False).encode()) > RULES.number("profile_bytes"):
                pointer = f"/data/attributes/profiles/data/{number}"
                raise RULES.refuse("profile_bytes", pointer)
        related = (data.get("relationships") or {}).get("lists") or {}
        lists = [each["id"] for each in related.get("data") or []]
        if not set(lists) <= self.account.lists.keys():
            raise RULES.refuse("known", "/data/relationships/lists")
        job = self.account.begin_import(profiles, lists)
        return 202, {"data": resources.job(job, self.account.clock())}

    def _add_to_list(self, request: Request, body: Body) -> Answer:
        list_id = self._known_list(request)
        self.account.add_to_list(list_id, self._by_id(_within("list_rows", body["data"])))
        return 204, None

    def _remove_from_list(self, request: Request, body: Body) -> Answer:
        list_id = self._known_list(request)
        for profile in self._by_id(_within("list_removal_rows", body["data"])):
            profile.lists.pop(list_id, None)
        return 204, None

    def _subscribe(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "profile-subscription-bulk-create-job")
        profiles = _within("subscribe_rows", data["attributes"]["profiles"]["data"])
        is_historical = bool(data["attributes"].get("historical_import"))
        if is_historical and not all("consented_at" in json.dumps(each) for each in profiles):
            raise RULES.refuse("historical", "/data/attributes/historical_import")
        self.account.subscribe(profiles, self._related_list(data), is_historical=is_historical)
        return 202, None

    def _unsubscribe(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "profile-subscription-bulk-delete-job")
        profiles = _within("unsubscribe_rows", data["attributes"]["profiles"]["data"])
        self.account.unsubscribe(profiles, self._related_list(data))
        return 202, None

    def _suppress(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "profile-suppression-bulk-create-job")
        profiles = _within("suppress_rows", data["attributes"]["profiles"]["data"])
        self.account.suppress([each["attributes"]["email"] for each in profiles])
        return 202, {"data": resources.suppression_job(len(profiles), self.account.clock())}

    def _events(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "event-bulk-create-job")
        created = data["attributes"]["events-bulk-create"]["data"]
        events = [(each["attributes"], event["attributes"])
                for each in created for event in each["attributes"]["events"]["data"]]  # fmt: skip
        _within("event_rows", events)
        for common, event in events:
            profile = self.account.upsert(common["profile"]["data"])
            metric = event["metric"]["data"]["attributes"]["name"]
            at = str(event.get("time", self.account.clock().isoformat(timespec="seconds")))
            backfill = {"backfill": bool(common.get("backfill"))}
            self.account.record(metric, profile, event.get("unique_id") or at, event | backfill)
        return 202, None

    def _delete(self, _: Request, body: Body) -> Answer:
        data = _typed(body, "data-privacy-deletion-job")
        profile = data["attributes"]["profile"]["data"]
        identifiers = [profile.get("id"), *profile["attributes"].values()]
        if len([value for value in identifiers if value]) != RULES.number("delete_one"):
            raise RULES.refuse("delete_one", "/data/attributes/profile/data")
        self.account.delete_later(profile)
        return 202, None

    def _known_list(self, request: Request) -> str:
        list_id: str = request.path_params["id"]
        if list_id not in self.account.lists:
            raise RULES.refuse("known", "")
        return list_id

    def _known_job(self, request: Request, parameter: str) -> Job:
        job = self.account.jobs.get(request.path_params[parameter])
        if job is None:
            raise RULES.refuse("known", "")
        return job

    def _related_list(self, data: Body) -> str:
        resource = ((data.get("relationships") or {}).get("list") or {}).get("data") or {}
        list_id = str(resource.get("id") or "")
        if list_id and list_id not in self.account.lists:
            raise RULES.refuse("known", "/data/relationships/list")
        return list_id

    def _by_id(self, references: Sequence[Body]) -> list[Profile]:
        profiles = [self.account.find("id", each["id"]) for each in references]
        if not all(profiles):
            raise RULES.refuse("known", "/data")
        return [each for each in profiles if each]


def _read(call: Call, raw: bytes) -> Body:
    return json.loads(raw) if call.method != "GET" else None


def _typed(body: Body, kind: str) -> Body:
    if body["data"]["type"] != kind:
        raise RULES.refuse("shape", "/data/type")
    return body["data"]


def _within(rule: str, rows: Body) -> list[Body]:
    """The rows, if there are some and no more than the rule allows."""
    if not isinstance(rows, list) or not rows:
        raise RULES.refuse("shape")
    if len(rows) > RULES.number(rule):
        raise RULES.refuse(rule)
    return rows


def _sort_key(row: Profile, request: Request, list_id: str) -> Any:
    name = request.query_params.get("sort", "").lstrip("-")
    if name not in ("", "id", "email", *resources.MOMENTS):
        raise BadRequestError
    if name in ("", "email"):
        return (row.attributes.get("email") or "") if name else row.created
    values = resources.values_of(row, name, list_id)
    never = datetime.min.replace(tzinfo=UTC) if name == SUPPRESSED_AT else ""
    return max(values, default=never)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequestError from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_alive(revision: str) -> bool:
    try:
        return date.fromisoformat(revision) >= RETIRED
    except ValueError:
        return False


def _response(status: int, body: Body, headers: Mapping[str, str] | None = None) -> Response:
    content = b"" if body is None else json.dumps(body).encode()
    return Response(content, status, headers, media_type=MEDIA_TYPE if content else None)
