"""Google's Data Manager API for Customer Match: one ad account, its lists, requests, access tokens.

Rules: `RULES`, shown in docs/fakes.md. Requests are read as Google's own client describes them, so
that a field which there is not is refused. They are done later, of two the later one perhaps first.
A list has accounts of Google's; an identifier leads to one, and several may lead to the same
(`accounts`). Unless told otherwise all members are in the European Economic Area.
Not here: events, mobile ids, PAIR ids, encryption, making lists, licences, insights, other
products.
"""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orchestration.fakes.faults import Fault
from orchestration.fakes.rules import RefusedError, Rule, Rules
from orchestration.fakes.server import Clock
from orchestration.fakes.shop import ShopProfile
from orchestration.fakes.vendor import Vendor, done_by, routes_of

ACCOUNT = "1234567890"
LIST = "9001"
REFRESH_TOKEN = "fake-refresh-token"  # noqa: S105 - of a fake
KEY = {
    "type": "authorized_user",
    "client_id": "fake",
    "client_secret": "fake",
    "refresh_token": REFRESH_TOKEN,
}
TOKEN_SECONDS = 3600
_API = "https://developers.google.com/data-manager/api/"
_REASONS = _API + "reference/rest/v1/ErrorReason"
_MEMBERS = _API + "devguides/audiences/send-audience-members"
_LIMITS = _API + "devguides/limits"
_STATUS = _API + "reference/rest/v1/requestStatus/retrieve"
_TOKEN = "https://developers.google.com/identity/protocols/oauth2/service-account"  # noqa: S105
_EDIT = "POST /v1/audienceMembers:ingest, :remove"
_ADD = "POST /v1/audienceMembers:ingest"
_ASK = "GET /v1/requestStatus:retrieve"
_READ = "GET /v1/accountTypes/GOOGLE_ADS/accounts/{account}/userLists/{list}"
RULES = Rules((
    Rule("grant", "POST /token", "grant_type", "a key that is known", "400 invalid_grant", _TOKEN),
    Rule("token", "every call", "header Authorization", "Bearer and a token of the last hour",
         "401 UNAUTHENTICATED", _TOKEN),
    Rule("shape", "every call", "the body", "fields that there are, of their types",
         "400 INVALID_ARGUMENT", _REASONS),
    Rule("quota", "every call", "calls in a minute", 300, "429 RESOURCE_EXHAUSTED", _LIMITS),
    Rule("rows", _EDIT, "audienceMembers", 10_000, "400 TOO_MANY_AUDIENCE_MEMBERS", _REASONS),
    Rule("identifiers", _EDIT, "userIdentifiers of a member", 10,
         "400 TOO_MANY_USER_IDENTIFIERS", _REASONS),
    Rule("destinations", _EDIT, "destinations", 10, "400 TOO_MANY_DESTINATIONS", _REASONS),
    Rule("nobody", _EDIT, "audienceMembers, userIdentifiers of a member", "one at least",
         "400 NO_IDENTIFIERS_PROVIDED", _REASONS),
    Rule("account", "every call", "operatingAccount", "one that the key may change",
         "403 PERMISSION_DENIED", _REASONS),
    Rule("list", "every call", "productDestinationId", "a list of the account",
         "400 INVALID_USER_LIST_ID", _REASONS),
    Rule("encoding", _EDIT, "encoding", "HEX or BASE64", "400 REQUIRED_FIELD_MISSING", _MEMBERS),
    Rule("hashed", _EDIT, "emailAddress, phoneNumber, givenName, familyName",
         "SHA-256 in hex", "400 INVALID_SHA256_FORMAT", _REASONS),
    Rule("region", _EDIT, "regionCode of an address", "two letters, not hashed",
         "400 INVALID_REGION_CODE", _REASONS),
    Rule("postal_code", _EDIT, "postalCode of an address", "as it is written, not hashed",
         "400 INVALID_POSTAL_CODE", _REASONS),
    Rule("terms", _ADD, "termsOfService.customerMatchTermsOfServiceStatus", "ACCEPTED",
         "400 TERMS_AND_CONDITIONS_NOT_SIGNED", _REASONS),
    Rule("validate_only", _EDIT, "validateOnly", "true", "200; judged and not done", _MEMBERS),
    Rule("later", _EDIT, "requestStatus", "PROCESSING at first", "200; applied later", _STATUS),
    Rule("consent", _ADD, "adUserData and adPersonalization of a member",
         "CONSENT_GRANTED, both; missing is none",
         "200; left out and counted in errorInfo", _MEMBERS),
    Rule("request", _ASK, "requestId", "of a request that was accepted", "400 INVALID_REQUEST_ID",
         _REASONS),
    Rule("counts", _ASK, "recordCount, errorInfo, uploadMatchRateRange", "of the request",
         "200; never who", _STATUS),
    Rule("duration", _ADD, "days since a member was last sent", 540, "200; no member any more",
         "https://developers.google.com/ads/blog/posts/2025/02/update-to-customer-match-membership"),
    Rule("small", _READ, "members of a list", 100, "200; no sizes told below", _MEMBERS),
))  # fmt: skip
_HASH = re.compile(r"[0-9a-fA-F]{64}")
_NAMES = ("givenName", "familyName")
_ERROR = "PROCESSING_ERROR_REASON_"
_BOTH = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}

Body = Mapping[str, Any]
Act = Callable[[Request, bytes], Body]


@dataclass
class Job:
    """A request that was accepted: what it does, when it is due, and what came of it."""

    id: str
    verb: str
    list_id: str
    due: datetime
    members: list[Body]
    consents: list[Body]
    errors: Counter[str] = field(default_factory=Counter)
    is_done: bool = False


@dataclass
class UserList:
    """A Customer Match list: when each account of Google's was last sent."""

    id: str
    name: str
    members: dict[str, datetime] = field(default_factory=dict)


class Google(Vendor):
    """One ad account."""

    name = "google"
    rules = RULES
    credentials: Mapping[str, str] = {"GOOGLE_ADS_CREDENTIALS": json.dumps(KEY)}

    def begin_anew(self, seed: int) -> None:
        """Another account with one list."""
        super().begin_anew(seed)
        self.lists = {LIST: UserList(LIST, "Customers")}
        self.jobs: dict[str, Job] = {}
        self.accounts: dict[str, str] = {}
        self.unmatched: set[str] = set()
        self.is_idle = False
        self.is_revoked = False
        self.in_eea = True
        self.job_seconds = 0.2
        self._tokens: dict[str, datetime] = {}
        self._recent: deque[datetime] = deque()

    def put(self, list_id: str, name: str) -> UserList:
        """A list that somebody made by hand."""
        self.lists[list_id] = UserList(list_id, name)
        return self.lists[list_id]

    def of(self, list_id: str = LIST) -> set[str]:
        """Whom a list has, as far as its requests are done."""
        self.settle()
        return set(self.lists[list_id].members)

    def settle(self) -> None:
        """Do what is due by now, and drop whom a list has had for too long."""
        now = self._clock()
        for job in done_by(now, self.jobs.values()):
            if job.list_id in self.lists:
                self._apply(job)
        oldest = now - timedelta(days=RULES.number("duration"))
        for each in self.lists.values():
            each.members = {who: at for who, at in each.members.items() if at > oldest}

    def routes(self) -> list[Route]:
        """One for each call."""
        one = "/v1/accountTypes/GOOGLE_ADS/accounts/{account}/userLists/{list}"
        acts: list[tuple[str, str, Act]] = [
            ("POST", "/v1/audienceMembers:ingest", self._ingest),
            ("POST", "/v1/audienceMembers:remove", self._remove),
            ("GET", "/v1/requestStatus:retrieve", self._status),
            ("GET", one, self._read),
        ]
        return routes_of([("POST", "/token", self._token), *acts], self._endpoint)

    def state(self) -> Mapping[str, Any]:
        """What the account holds, as counts."""
        with self._lock:
            self.settle()
            errors: Counter[str] = Counter()
            for job in self.jobs.values():
                errors += job.errors
            return {
                "lists": {each.name: len(each.members) for each in self.lists.values()},
                "open_requests": sum(not job.is_done for job in self.jobs.values()),
                "errors": dict(errors),
                **self.counts,
            }

    def begin_with(self, profiles: Iterable[ShopProfile]) -> None:
        """Nothing: an ad account knows nobody of the shop before they are sent."""

    def trouble(self, fault: Fault) -> Response:
        """The answer of a bad day."""
        codes = {
            "401": "UNAUTHENTICATED", "403": "PERMISSION_DENIED", "404": "NOT_FOUND",
            "429": "RESOURCE_EXHAUSTED", "503": "UNAVAILABLE",
        }  # fmt: skip
        status = int(fault.kind)
        return _problem(status, codes[fault.kind], headers=fault.retry_after)

    def _endpoint(self, call: str, act: Act) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            raw = await request.body()
            with self._lock:
                self.calls[call] += 1
                self.settle()
                try:
                    if act != self._token:
                        self._admit(request)
                    body = act(request, raw)
                except RefusedError as error:
                    self.refused[error.rule.name] += 1
                    if error.code == "invalid_grant":
                        return _answer({"error": error.code}, error.status)
                    return _problem(error.status, error.code, error.pointer)
                return _answer(body)

        return answer

    def _admit(self, request: Request) -> None:
        now = self._clock()
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        ends = self._tokens.get(token)
        if self.is_revoked or ends is None or ends <= now:
            raise RULES.refuse("token")
        while self._recent and self._recent[0] <= now - timedelta(minutes=1):
            self._recent.popleft()
        if len(self._recent) >= RULES.number("quota"):
            raise RULES.refuse("quota")
        self._recent.append(now)

    def _token(self, _: Request, raw: bytes) -> Body:
        form = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
        is_user = form.get("grant_type") == "refresh_token"
        is_known = form.get("refresh_token") == REFRESH_TOKEN if is_user else "assertion" in form
        if self.is_revoked or not is_known:
            raise RULES.refuse("grant")
        token = f"ya29.fake-{len(self._tokens)}"
        self._tokens[token] = self._clock() + timedelta(seconds=TOKEN_SECONDS)
        return {"access_token": token, "expires_in": TOKEN_SECONDS, "token_type": "Bearer"}

    def _ingest(self, _: Request, raw: bytes) -> Body:
        body = _parsed("IngestAudienceMembersRequest", raw)
        terms = body.get("termsOfService", {}).get("customerMatchTermsOfServiceStatus")
        if terms != "ACCEPTED":
            raise RULES.refuse("terms")
        return self._accept("add", body)

    def _remove(self, _: Request, raw: bytes) -> Body:
        return self._accept("remove", _parsed("RemoveAudienceMembersRequest", raw))

    def _accept(self, verb: str, body: Body) -> Body:
        destinations = body.get("destinations", [])
        if len(destinations) > RULES.number("destinations"):
            raise RULES.refuse("destinations")
        [destination] = destinations or [{}]
        if destination.get("operatingAccount", {}).get("accountId") != ACCOUNT:
            raise RULES.refuse("account")
        list_id = destination.get("productDestinationId", "")
        if list_id not in self.lists:
            raise RULES.refuse("list")
        members = body.get("audienceMembers", [])
        _judge(body, members)
        if body.get("validateOnly"):
            return {}
        request_id = f"req-{len(self.jobs) + 1:06d}"
        share = self._dice.uniform(1, 2)
        due = self._clock() + timedelta(seconds=self.job_seconds * share)
        consents = [each.get("consent") or body.get("consent") or {} for each in members]
        self.jobs[request_id] = Job(request_id, verb, list_id, due, members, consents)
        return {"requestId": request_id}

    def _apply(self, job: Job) -> None:
        held = self.lists[job.list_id].members
        for member, consent in zip(job.members, job.consents, strict=True):
            is_denied = "CONSENT_DENIED" in consent.values()
            if job.verb == "add" and (is_denied or (self.in_eea and consent != _BOTH)):
                job.errors["DENIED_CONSENT" if is_denied else "UNKNOWN_CONSENT"] += 1
                continue
            for identifier in _identifiers(member):
                account = self.accounts.get(identifier, identifier)
                if self.is_idle or identifier in self.unmatched:
                    continue
                if job.verb == "add":
                    held[account] = job.due
                else:
                    held.pop(account, None)

    def _status(self, request: Request, _: bytes) -> Body:
        job = self.jobs.get(request.query_params.get("requestId", ""))
        if job is None:
            raise RULES.refuse("request")
        failed = sum(job.errors.values())
        state = "SUCCESS" if not failed else "FAILED"
        if 0 < failed < len(job.members):
            state = "PARTIAL_SUCCESS"
        kind = {"add": "Ingestion", "remove": "Removal"}[job.verb]
        count: dict[str, Any] = {"recordCount": str(len(job.members))}
        if job.verb == "add" and job.is_done:
            count["uploadMatchRateRange"] = _range(self._rate(job.members))
        status: dict[str, Any] = {
            "requestStatus": state if job.is_done else "PROCESSING",
            f"audienceMembers{kind}Status": {f"userData{kind}Status": count},
        }
        if job.errors and job.is_done:
            counts = job.errors.items()
            status["errorInfo"] = {
                "errorCounts": [{"reason": _ERROR + r, "recordCount": str(n)} for r, n in counts]
            }
        return {"requestStatusPerDestination": [status]}

    def _read(self, request: Request, _: bytes) -> Body:
        if request.path_params["account"] != ACCOUNT:
            raise RULES.refuse("account")
        each = self.lists.get(request.path_params["list"])
        if each is None:
            raise RULES.refuse("list")
        size = len(each.members) if len(each.members) >= RULES.number("small") else 0
        sent = [m for j in self.jobs.values() if j.list_id == each.id for m in j.members]
        networks = ("displayNetwork", "searchNetwork", "youtube", "gmail")
        return {
            "name": f"accountTypes/GOOGLE_ADS/accounts/{ACCOUNT}/userLists/{each.id}",
            "id": each.id,
            "displayName": each.name,
            "membershipStatus": "OPEN",
            "membershipDuration": f"{RULES.number('duration') * 86_400}s",
            "sizeInfo": {f"{network}MembersCount": str(size) for network in networks},
            "ingestedUserListInfo": {
                "uploadKeyTypes": ["CONTACT_ID"],
                "contactIdInfo": {"matchRatePercentage": round(100 * self._rate(sent))},
            },
        }

    def _rate(self, members: Sequence[Body]) -> float:
        """The share of members who lead to an account of Google's."""
        matched = sum(bool(set(_identifiers(each)) - self.unmatched) for each in members)
        return matched / len(members) if members else 0.0


def create(seed: int, clock: Clock) -> Google:
    """An account with one list."""
    return Google(seed, clock)


@cache
def _messages() -> Any:
    from google.ads import datamanager_v1  # noqa: PLC0415 - a quarter of a second

    return datamanager_v1


def _parsed(message: str, raw: bytes) -> Body:
    """A body as Google's own description of the message reads it, with the names of its values."""
    from google.protobuf import json_format  # noqa: PLC0415

    kind = getattr(_messages(), message).pb()
    try:
        body: Body = json_format.MessageToDict(json_format.Parse(raw, kind()))
    except json_format.ParseError:
        raise RULES.refuse("shape") from None
    return body


def _judge(body: Body, members: Sequence[Body]) -> None:
    """Refuse what breaks a rule, naming the first member that does."""
    if len(members) > RULES.number("rows"):
        raise RULES.refuse("rows")
    if not members:
        raise RULES.refuse("nobody")
    if body.get("encoding") not in ("HEX", "BASE64"):
        raise RULES.refuse("encoding")
    for number, member in enumerate(members):
        field = f"audience_members.audience_members[{number}].user_data.user_identifiers"
        identifiers = member.get("userData", {}).get("userIdentifiers", [])
        if len(identifiers) > RULES.number("identifiers"):
            raise RULES.refuse("identifiers", field)
        if not identifiers or not all(identifiers):
            raise RULES.refuse("nobody", field)
        for each in identifiers:
            _judge_identifier(each, field)


def _judge_identifier(identifier: Body, field: str) -> None:
    address = identifier.get("address", {})
    hashes = [identifier.get("emailAddress"), identifier.get("phoneNumber")]
    hashes += [address.get(name, "") for name in _NAMES if address]
    if any(each is not None and not _HASH.fullmatch(each) for each in hashes):
        raise RULES.refuse("hashed", field)
    if address and not re.fullmatch(r"[A-Z]{2}", address.get("regionCode", "")):
        raise RULES.refuse("region", field)
    if address and not 0 < len(address.get("postalCode", "")) < 20:
        raise RULES.refuse("postal_code", field)


def _identifiers(member: Body) -> list[str]:
    """What a member says of a person, each as one text."""
    return [
        "|".join(each["address"][name] for name in (*_NAMES, "regionCode", "postalCode"))
        if "address" in each
        else each.get("emailAddress") or each.get("phoneNumber")
        for each in member["userData"]["userIdentifiers"]
    ]


def _range(share: float) -> str:
    percent = round(100 * share)
    if percent < 20:
        return "MATCH_RATE_RANGE_LESS_THAN_20"
    upper = max(30, -(-percent // 10) * 10)
    return f"MATCH_RATE_RANGE_{20 if upper == 30 else upper - 9}_TO_{upper}"


def _answer(body: Body, status: int = 200) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")


def _problem(
    status: int, code: str, field: str = "", headers: Mapping[str, str] | None = None
) -> Response:
    names = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED"}
    is_member = field.startswith("audience_members")
    reason = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": code}
    details: list[Body] = [{**reason, "reason": "INVALID_ARGUMENT" if is_member else code}]
    if is_member:
        kind = "type.googleapis.com/google.rpc.BadRequest"
        violation = {"field": field, "reason": code, "description": "Malformed."}
        details.append({"@type": kind, "fieldViolations": [violation]})
    error = {"code": status, "status": names.get(status, code), "message": "No."}
    content = json.dumps({"error": {**error, "details": details}})
    return Response(content, status, headers, media_type="application/json")
