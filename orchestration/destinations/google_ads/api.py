"""Google's calls that the destination makes: its own client's REST transport, over our client.

`google-ads-datamanager` writes the requests and reads the answers. Its session is ours: no address
but the settings', no redirect, no unbounded body, no words of an answer in an error, no proxy, and
nothing is repeated without the outbox.

Belongs here: requests, their state, errors in our words. Does not belong here: what a segment
becomes (`destination`), the token (`credentials`), connections (`..http`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from ingestion.errors import RegularsError
from orchestration.destinations.base import RetryLaterError, vendors_code
from orchestration.destinations.http import Answer, AnswerError, HttpClient

_READABLE = (400, 404)
_HEX, _GRANTED, _ACCEPTED, _GOOGLE_ADS = 1, 1, 1, 1
_MEMBER = re.compile(r"audience_?members\[(\d+)\]", re.IGNORECASE)
_NO_LIST = frozenset({"invalid_user_list_id", "invalid_destination", "not_found"})
_NO_REQUEST = "invalid_request_id"
_DIGITS = re.compile(r"\d+")
_PREFIX = "processing_error_reason_"
_STATES: Mapping[int, State] = {1: "done", 2: "open", 3: "failed", 4: "partial"}

State = Literal["open", "done", "failed", "partial"]
Identifier = tuple[str, ...]  # email or phone and its hash; or address and its four parts


@dataclass(frozen=True, slots=True)
class Member:
    """One person as Google hears of them, and which of both consents they gave."""

    identifiers: tuple[Identifier, ...]
    has_ads_consent: bool = False
    has_personalised_ads_consent: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """How far a request is: how many members it had, and why some of them failed, as codes."""

    state: State
    rows: int
    reasons: frozenset[str]


class RefusedMembersError(AnswerError):
    """Google names members that it does not take; it took none of the request.

    Attributes:
        members: the code by the place in the request.
    """

    def __init__(self, name: str, members: Mapping[int, str]) -> None:
        """Keep them apart."""
        self.members = members
        super().__init__(name, 400)


class NoListError(AnswerError):
    """There is no such list in the account."""


class NoRequestError(AnswerError):
    """Google does not know the request, or no longer."""


class TermsError(AnswerError):
    """The account has not accepted the terms of Customer Match."""


class Api:
    """The calls.

    Args:
        name: the destination, for sentences.
        client: reaches the API.
        account: the ad account whose lists these are.
        manager: the account that the key belongs to, where that is another one.
    """

    def __init__(self, name: str, client: HttpClient, account: str, manager: str = "") -> None:
        """Nothing is reached."""
        self._name = name
        self._client = client
        self._account = account
        self._manager = manager

    @property
    def is_local(self) -> bool:
        """Whether it only speaks to this machine."""
        return self._client.is_local

    def add(self, list_id: str, members: Sequence[Member], *, only_validate: bool = False) -> str:
        """Hand over members to be added; the request's id.

        Raises:
            RefusedMembersError: some of them are not taken, and so none is.
            NoListError: there is no such list.
        """
        from google.ads import datamanager_v1 as google  # noqa: PLC0415

        request = google.IngestAudienceMembersRequest(
            {
                "destinations": [self._list(list_id)],
                "audience_members": [
                    {**_identified(each), "consent": _consent(each)} for each in members
                ],
                "encoding": _HEX,
                "terms_of_service": {"customer_match_terms_of_service_status": _ACCEPTED},
                "validate_only": only_validate,
            }
        )
        return self._id(self._transport.ingest_audience_members(request), only_validate)

    def remove(self, list_id: str, members: Sequence[Member]) -> str:
        """Hand over members to be removed; the request's id. Raises as `add`."""
        from google.ads import datamanager_v1 as google  # noqa: PLC0415

        request = google.RemoveAudienceMembersRequest(
            {
                "destinations": [self._list(list_id)],
                "audience_members": [_identified(each) for each in members],
                "encoding": _HEX,
            }
        )
        return self._id(self._transport.remove_audience_members(request), only_validate=False)

    def status(self, request_id: str) -> Status:
        """How far a request is.

        Raises:
            NoRequestError: Google does not know it.
        """
        from google.ads import datamanager_v1 as google  # noqa: PLC0415

        request = google.RetrieveRequestStatusRequest({"request_id": request_id})
        try:
            status = self._transport.retrieve_request_status(request)
        except NoListError as error:
            raise NoRequestError(self._name, error.status) from None
        if len(status.request_status_per_destination) != 1:
            raise RetryLaterError("unreadable_answer")
        each = status.request_status_per_destination[0]
        added = each.audience_members_ingestion_status.user_data_ingestion_status
        removed = each.audience_members_removal_status.user_data_removal_status
        return Status(
            _STATES.get(int(each.request_status), "open"),
            int(added.record_count or removed.record_count),
            frozenset(_reasons(each.error_info.error_counts)),
        )

    def size(self, list_id: str) -> tuple[int, int]:
        """How many people a list has on Search, and the percentage of those sent that matched.

        Both are 0 of a list that is too small.

        Raises:
            NoListError: there is no such list.
        """
        from google.ads import datamanager_v1 as google  # noqa: PLC0415
        from google.ads.datamanager_v1.services.user_list_service.transports import (  # noqa: PLC0415
            UserListServiceRestTransport,
        )

        name = f"accountTypes/GOOGLE_ADS/accounts/{self._account}/userLists/{list_id}"
        transport = self._over_our_client(UserListServiceRestTransport)
        user_list = transport.get_user_list(google.GetUserListRequest({"name": name}))
        matched = user_list.ingested_user_list_info.contact_id_info.match_rate_percentage
        return int(user_list.size_info.search_network_members_count), int(matched)

    @cached_property
    def _transport(self) -> Any:
        from google.ads.datamanager_v1.services.ingestion_service.transports import (  # noqa: PLC0415
            IngestionServiceRestTransport,
        )

        return self._over_our_client(IngestionServiceRestTransport)

    def _over_our_client(self, kind: Any) -> Any:
        """A transport of Google's whose session is ours."""
        from google.auth.credentials import AnonymousCredentials  # noqa: PLC0415

        host = self._client.base_url.rstrip("/")
        transport = kind(host=host, credentials=AnonymousCredentials())
        transport._session = _Session(self._name, self._client)
        return transport

    def _list(self, list_id: str) -> dict[str, Any]:
        own = {"account_id": self._account, "account_type": _GOOGLE_ADS}
        login = {"account_id": self._manager or self._account, "account_type": _GOOGLE_ADS}
        return {
            "operating_account": own,
            "login_account": login,
            "product_destination_id": list_id,
        }

    def _id(self, answer: Any, only_validate: bool) -> str:
        if not answer.request_id and not only_validate:
            raise RetryLaterError("unreadable_answer")
        return str(answer.request_id)


@dataclass(frozen=True)
class _Response:
    """An answer as Google's client reads one."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


class _Session:
    """What Google's client takes for a session of `requests`."""

    def __init__(self, name: str, client: HttpClient) -> None:
        self._name = name
        self._client = client

    def get(self, url: str, *, params: Any, **_: Any) -> _Response:
        return self._call("GET", url, params, None)

    def post(self, url: str, *, params: Any, data: str, **_: Any) -> _Response:
        return self._call("POST", url, params, data.encode())

    def _call(self, method: str, url: str, params: Any, content: bytes | None) -> _Response:
        headers = {"content-type": "application/json"} if content is not None else {}
        query = {name: str(value) for name, value in params}
        answer = self._client.call(
            method, url, content=content, params=query, headers=headers, accept=_READABLE
        )
        if answer.status in _READABLE:
            raise self._no(answer)
        if not isinstance(answer.json(), dict):
            raise RetryLaterError("unreadable_answer")
        return _Response(answer.status, dict(answer.headers), answer.body)

    def _no(self, answer: Answer) -> RegularsError:
        """What an error means, by its codes; its words repeat what was sent."""
        codes, members = _codes(answer)
        if members:
            return RefusedMembersError(self._name, members)
        if _NO_REQUEST in codes:
            return NoRequestError(self._name, answer.status)
        if codes & _NO_LIST or answer.status == 404:
            return NoListError(self._name, answer.status)
        if "terms_and_conditions_not_signed" in codes:
            return TermsError(
                self._name,
                answer.status,
                f"The account of the destination `{self._name}` has not accepted the terms of"
                " Customer Match.",
                "Accept them in Google Ads; the rows stay queued.",
            )
        named = f" ({', '.join(sorted(codes))})" if codes else ""
        message = f"The destination `{self._name}` answered {answer.status}{named}."
        return AnswerError(self._name, answer.status, message)


def _codes(answer: Answer) -> tuple[set[str], dict[int, str]]:
    """The codes of an error, and those of single members by their place."""
    codes: set[str] = set()
    members: dict[int, str] = {}
    try:
        details = answer.json()["error"].get("details") or []
        for detail in details:
            codes.add(_code(detail.get("reason")))
            for each in detail.get("fieldViolations") or []:
                position = _MEMBER.search(str(each.get("field") or ""))
                if position:
                    members[int(position[1])] = _code(each.get("reason"))
                else:
                    codes.add(_code(each.get("reason")))
    except (RegularsError, KeyError, TypeError, AttributeError):
        return set(), {}
    return codes - {"", "invalid_argument"}, members


def _code(reason: object) -> str:
    """Google's word for a reason, in lower case and without digits, which could be of a person."""
    return vendors_code(_DIGITS.sub("", str(reason or "").lower().removeprefix(_PREFIX)), "")


def _reasons(counts: Iterable[Any]) -> Iterable[str]:
    names = (getattr(each.reason, "name", "") for each in counts if each.record_count)
    return (_code(name) or "other" for name in names)


def _identified(member: Member) -> dict[str, Any]:
    identifiers = [_identifier(each) for each in member.identifiers]
    return {"user_data": {"user_identifiers": identifiers}}


def _identifier(identifier: Identifier) -> dict[str, Any]:
    kind, *values = identifier
    if kind == "address":
        names = ("given_name", "family_name", "region_code", "postal_code")
        return {"address": dict(zip(names, values, strict=True))}
    return {"email_address" if kind == "email" else "phone_number": values[0]}


def _consent(member: Member) -> dict[str, int]:
    """Only what was granted is said; Google takes what is missing for no consent."""
    consents = {
        "ad_user_data": member.has_ads_consent,
        "ad_personalization": member.has_personalised_ads_consent,
    }
    return {name: _GRANTED for name, is_granted in consents.items() if is_granted}
