"""Klaviyo: profiles with their subscriptions, events, campaigns, lists with their members, flows.

What: GET /api/profiles (`additional-fields[profile]=subscriptions`), /api/events (with metric and
the profile's email, phone and external id), /api/campaigns (asked for each channel: email, SMS,
mobile push), /api/lists, /api/lists/{id}/profiles (who is on it and since when), /api/flows;
revision 2026-07-15.
Auth: a private key with profiles:read, events:read, metrics:read, campaigns:read, lists:read and,
for the names of flows, flows:read (else they are left out and the run says so), from the variable
that `api_key_env` names.
Paging: JSON:API cursors (`links.next`), oldest change first. Klaviyo gives no totals, so the end
is checked from the other side: the newest row must have been seen, else the pull goes on from the
last one seen. A repeated cursor, a short page with a next one, or errors in a 200 are asked for
again and then fail the run.
Limits: 429 is waited out as Retry-After says (ingestion/apis/http.py).
Lateness: each run asks again for the last `lateness_hours` before the newest row it has; rows that
have not changed are duplicates. Events can only be asked for by the time at which they happened,
whenever Klaviyo took them in, so every `look_back_every_days` a pull of them begins
`look_back_days` earlier. A row dated after the run never moves the cursor. Members are asked for
by when they joined, from the beginning of each list; who leaves one is among the events.
Replies: of a text that a person sent to the shop it is only kept whether it asks to stop.
Names of metrics: https://help.klaviyo.com/hc/en-us/articles/360036974872 (email),
https://help.klaviyo.com/hc/en-us/articles/360035345572 (SMS) and the topics of system webhooks
(https://developers.klaviyo.com/en/reference/webhooks). No page of Klaviyo's that we could read has
those of accounts in which SMS is called Text Message ("Unsubscribed from Text Messaging
Marketing"); they stand in public code that reads such accounts. Case does not count.
Bad day: a profile or event without id or time goes to quarantine; a page that cannot be trusted
fails the source, and nothing of it is loaded.
Data flow: Klaviyo -> raw_klaviyo.{profiles,events,campaigns,lists,list_members,flows}
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qs, quote, urlsplit

from pydantic import Field

from ingestion.apis.connection import Check, credential, credential_check
from ingestion.apis.http import ApiClient
from ingestion.apis.paging import Cursor, LookBack, PageError, parsed, retried_page
from ingestion.apis.source import ApiSource, Page, Pull, left_out_if_denied
from ingestion.config import ApiSettings
from ingestion.duckdb import literal
from ingestion.errors import AccessDeniedError, RegularsError, SourceError
from ingestion.landing.fields import Column, TableSpec
from ingestion.landing.replies import OPT_OUT, VERDICT

Row = dict[str, Any]


class KlaviyoSettings(ApiSettings):
    """`[sources.klaviyo]`: the variable that holds the private key, and the API's revision.

    `look_back_days`: how far back events are asked for again, every `look_back_every_days`.
    """

    base_url: str = "https://a.klaviyo.com"
    api_key_env: str = "KLAVIYO_API_KEY"
    revision: str = "2026-07-15"
    look_back_days: Annotated[int, Field(ge=0)] = 30
    look_back_every_days: Annotated[int, Field(ge=1)] = 7


# What a person wrote to the shop, and where it stands: only whether it asks to stop is kept.
FROM_PEOPLE = ("sent sms", "sent text message", "sent whatsapp")
TEXTS = ("Message Body", "Body", "message_body")
NOTHING_SAID = 5  # how often an empty answer is asked for again before it is believed
BEGINNING = "1990-01-01"  # before any list was begun


@dataclass(frozen=True)
class Endpoint:
    """How one collection is asked for.

    Args:
        path: its address.
        time_field: the time it is filtered and sorted by.
        since: filter operator for that time.
        page_size: the most it allows.
        params: what else every request carries.
        filters: filters that always apply.
        scope: what the key needs.
        is_optional: a key without its scope leaves it out.
        looks_back: its time says nothing of when Klaviyo took a row in.
        channels: Klaviyo's and our name of each channel, where a channel must be named to ask.
        is_of_each_list: it is asked for once for each list, whose id stands in its address.
    """

    path: str
    time_field: str
    since: str
    page_size: int
    scope: str
    params: tuple[tuple[str, str], ...] = ()
    filters: str = ""
    channels: tuple[tuple[str, str], ...] = ()
    looks_back: bool = False
    is_optional: bool = False
    is_of_each_list: bool = False


ENDPOINTS = {
    "profiles": Endpoint(
        "/api/profiles",
        "updated",
        "greater-than",
        100,
        "profiles:read",
        (("additional-fields[profile]", "subscriptions"),),
    ),
    "events": Endpoint(
        "/api/events",
        "datetime",
        "greater-or-equal",
        1000,
        "events:read",
        (
            ("include", "metric,profile"),
            ("fields[profile]", "email,phone_number,external_id"),
            ("fields[metric]", "name"),
            ("fields[event]", "datetime,event_properties,timestamp,uuid"),
        ),
        looks_back=True,
    ),
    "campaigns": Endpoint(
        "/api/campaigns",
        "updated_at",
        "greater-or-equal",
        100,
        "campaigns:read",
        filters="equals(messages.channel,'email')",
        channels=(("email", "email"), ("sms", "sms"), ("mobile_push", "push")),
    ),
    "lists": Endpoint("/api/lists", "updated", "greater-than", 10, "lists:read"),
    "list_members": Endpoint(
        "/api/lists/{list_id}/profiles",
        "joined_group_at",
        "greater-or-equal",
        100,
        "lists:read",
        (("fields[profile]", "joined_group_at"),),
        is_of_each_list=True,
    ),
    "flows": Endpoint(
        "/api/flows", "updated", "greater-or-equal", 50, "flows:read", is_optional=True
    ),
}

PROFILES = TableSpec(
    name="profiles",
    description="One row per version of a profile.",
    columns=(
        Column("profile_id", required=True),
        Column("email"),
        Column("phone_number"),
        Column("external_id"),
        Column("anonymous_id"),
        Column("first_name"),
        Column("last_name"),
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp", required=True),
        Column("payload", "json"),
    ),
)
EVENTS = TableSpec(
    name="events",
    description="One row per version of an event.",
    columns=(
        Column("event_id", required=True),
        Column("metric_name", required=True),
        Column("profile_id"),
        Column("email"),
        Column("phone_number"),
        Column("external_id"),
        Column("occurred_at", "timestamp", required=True),
        Column("payload", "json"),
        Column("text", reduced=VERDICT, stored=False, is_content=True),
    ),
    derived=(("is_opt_out_reply", "boolean", f"coalesce(text, '') = {literal(OPT_OUT)}"),),
)
CAMPAIGNS = TableSpec(
    name="campaigns",
    description="One row per version of a campaign.",
    columns=(
        Column("campaign_id", required=True),
        Column("name"),
        Column("status"),
        Column("send_time", "timestamp"),
        Column("channel"),
        Column("payload", "json"),
    ),
)
LISTS = TableSpec(
    name="lists",
    description="One row per version of a list.",
    columns=(
        Column("list_id", required=True),
        Column("name"),
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp"),
        Column("payload", "json"),
    ),
)
LIST_MEMBERS = TableSpec(
    name="list_members",
    description="One row per time that a profile joined a list.",
    columns=(
        Column("list_id", required=True),
        Column("profile_id", required=True),
        Column("joined_at", "timestamp"),
    ),
)
FLOWS = TableSpec(
    name="flows",
    description="One row per version of a flow.",
    columns=(
        Column("flow_id", required=True),
        Column("name"),
        Column("status"),
        Column("trigger_type"),
        Column("created_at", "timestamp"),
        Column("updated_at", "timestamp"),
        Column("payload", "json"),
    ),
)


def open_client(settings: KlaviyoSettings) -> ApiClient:
    """A client with the key and the revision."""
    key = credential("klaviyo", settings.api_key_env)
    headers = {
        "Authorization": f"Klaviyo-API-Key {key}",
        "revision": settings.revision,
        "Accept": "application/vnd.api+json",
    }
    return ApiClient(
        "klaviyo", settings.base_url, lambda: headers, credentials=settings.api_key_env
    )


def pull(request: Pull[KlaviyoSettings]) -> Iterator[Page]:
    """Every page of one table that is new or may have changed."""
    endpoint = ENDPOINTS[request.table]
    with left_out_if_denied(request, is_optional=endpoint.is_optional):
        yield from _pull(request, endpoint)


def _pull(request: Pull[KlaviyoSettings], endpoint: Endpoint) -> Iterator[Page]:
    settings = request.settings
    with open_client(settings) as client:
        for asked, more, state in _askings(client, endpoint, request):
            cursor = _cursor(endpoint, settings, request.as_of, state)
            for resources, included in _all_pages(client, asked, cursor):
                rows = [_ROWS[request.table](item, included) for item in resources]
                yield asked.path, [row | more for row in rows]
            cursor.save()


def _cursor(endpoint: Endpoint, settings: KlaviyoSettings, as_of: datetime, state: Row) -> Cursor:
    every, how_far = settings.look_back_every_days, settings.look_back_days
    look_back = LookBack(timedelta(days=every), timedelta(days=how_far))
    return Cursor(
        state,
        BEGINNING if endpoint.is_of_each_list else settings.start_date,
        settings.lateness_hours,
        as_of,
        look_back=look_back if endpoint.looks_back else None,
    )


def _askings(
    client: ApiClient, endpoint: Endpoint, request: Pull[KlaviyoSettings]
) -> Iterator[tuple[Endpoint, dict[str, str], Row]]:
    """How often a collection is asked for: each time with what its rows have beside their own
    facts and a memory of its own. The first channel has the memory of before there were several."""
    state = request.state
    if endpoint.is_of_each_list:
        for list_id in _list_ids(client, request.as_of):
            own = state.setdefault("lists", {}).setdefault(list_id, {})
            path = endpoint.path.format(list_id=quote(list_id, safe=""))
            yield replace(endpoint, path=path), {"list_id": list_id}, own
    elif not endpoint.channels:
        yield endpoint, {}, state
    for position, (theirs, ours) in enumerate(endpoint.channels):
        own = state.setdefault("channels", {}).setdefault(ours, {}) if position else state
        chosen = f"equals(messages.channel,'{theirs}')"
        yield replace(endpoint, filters=chosen), {"channel": ours}, own


def _list_ids(client: ApiClient, as_of: datetime) -> list[str]:
    """Every list there is."""
    cursor = Cursor({}, BEGINNING, 0, as_of)
    pages = _all_pages(client, ENDPOINTS["lists"], cursor)
    return sorted({item["id"] for resources, _ in pages for item in resources})


Resources = list[Row]
Included = dict[tuple[str, str], Row]


def _all_pages(
    client: ApiClient, endpoint: Endpoint, cursor: Cursor
) -> Iterator[tuple[Resources, Included]]:
    """All pages since the cursor, until the newest row that Klaviyo has was among them.

    Only the ids of the newest moment are remembered, so a backfill of millions stays small.
    """
    newest_seen: datetime | None = None
    ids_then: set[str] = set()
    since = cursor.since
    while True:
        before = (newest_seen, len(ids_then))
        for resources, included in _pages(client, endpoint, since):
            for item in resources:
                moment = parsed(_time(endpoint, item))
                cursor.saw(moment)
                if moment and (newest_seen is None or moment > newest_seen):
                    newest_seen, ids_then = moment, set()
                if moment == newest_seen:
                    ids_then.add(item["id"])
            yield resources, included
        newest = _newest(client, endpoint, since, seen_any=bool(ids_then))
        if newest is None or newest["id"] in ids_then:
            return
        moment = parsed(_time(endpoint, newest))
        if moment is None or (newest_seen and moment < newest_seen):
            return  # what was newest has been deleted meanwhile
        if (newest_seen, len(ids_then)) == before:
            raise SourceError(
                f"klaviyo: {endpoint.path} ended before its newest row, and again when asked.",
                "Run again; nothing of it was loaded.",
            )
        since = newest_seen or since


def _pages(
    client: ApiClient, endpoint: Endpoint, since: datetime
) -> Iterator[tuple[Resources, Included]]:
    """Follow `links.next` from the first page to the last."""
    params: dict[str, str] | None = _params(endpoint, since, endpoint.time_field)
    url = endpoint.path
    visited = {""}
    while True:
        body, following = retried_page(
            lambda url=url, params=params: _checked(  # type: ignore[misc]
                client.json("GET", url, params=params), endpoint.page_size, visited
            ),
            f"klaviyo: {endpoint.path}",
            client,
        )
        included = {(item["type"], item["id"]): item for item in body.get("included", [])}
        yield body["data"], included
        if not following:
            return
        visited.add(_cursor_of(following))
        url, params = following, None


def _checked(body: Any, page_size: int, visited: set[str]) -> tuple[Row, str]:
    """The page and the address of the next one.

    Raises:
        PageError: the page cannot be trusted.
    """
    if not isinstance(body, dict) or "errors" in body or not isinstance(body.get("data"), list):
        raise PageError("an error in an answer that says 200")
    following = (body.get("links") or {}).get("next") or ""
    if following and len(body["data"]) < page_size:
        raise PageError("a short page that says there are more")
    if following and _cursor_of(following) in visited:
        raise PageError("the same page cursor again")
    if any(not isinstance(item, dict) or "id" not in item for item in body["data"]):
        raise PageError("an object without id")
    return body, following


def _newest(
    client: ApiClient, endpoint: Endpoint, since: datetime, *, seen_any: bool
) -> Row | None:
    """The newest row, asked for from the other end; None where there really is nothing.

    After rows were seen, an answer without any contradicts itself and fails the source. Nothing
    at all is only believed after it was said several times.
    """
    params = _params(endpoint, since, f"-{endpoint.time_field}") | {"page[size]": "1"}

    def ask() -> list[Row]:
        body, _ = _checked(client.json("GET", endpoint.path, params=params), 1, set())
        if seen_any and not body["data"]:
            raise PageError("no newest row after it had given rows")
        rows: list[Row] = body["data"]
        return rows

    for _ in range(1 if seen_any else NOTHING_SAID):
        rows = retried_page(ask, f"klaviyo: {endpoint.path}", client)
        if rows:
            return rows[0]
    return None


def _params(endpoint: Endpoint, since: datetime, sort: str) -> dict[str, str]:
    # `greater-than` leaves out the very moment, so it is asked from one second before.
    moment = since - timedelta(seconds=1) if endpoint.since == "greater-than" else since
    clauses = f"{endpoint.since}({endpoint.time_field},{moment:%Y-%m-%dT%H:%M:%SZ})"
    if endpoint.filters:
        clauses = f"{endpoint.filters},{clauses}"
    return {
        "filter": clauses,
        "sort": sort,
        "page[size]": str(endpoint.page_size),
        **dict(endpoint.params),
    }


def _cursor_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("page[cursor]", [""])[0]


def _time(endpoint: Endpoint, item: Row) -> str | None:
    attributes = item.get("attributes") or {}
    value = attributes.get(endpoint.time_field)
    return value if isinstance(value, str) else None


def _copied(item: Row, key: str, *names: str, **renamed: str) -> Row:
    """The id, some attributes (`ours="theirs"` where the name is another), and all as payload."""
    attributes = item.get("attributes") or {}
    sources = {name: name for name in names} | renamed
    copied = {ours: attributes.get(theirs) for ours, theirs in sources.items()}
    return {key: item["id"], **copied, "payload": {"attributes": attributes}}


def _profile(item: Row, _included: Included) -> Row:
    names = ("email", "phone_number", "external_id", "anonymous_id", "first_name", "last_name")
    return _copied(item, "profile_id", *names, created_at="created", updated_at="updated")


def _event(item: Row, included: Included) -> Row:
    attributes = dict(item.get("attributes") or {})
    profile = included.get(("profile", _related(item, "profile")), {})
    metric = included.get(("metric", _related(item, "metric")), {})
    person = profile.get("attributes") or {}
    metric_name = (metric.get("attributes") or {}).get("name")
    text = None
    if str(metric_name).lower() in FROM_PEOPLE:
        properties = dict(attributes.get("event_properties") or {})
        text = " ".join(str(properties.pop(name)) for name in TEXTS if name in properties)
        attributes["event_properties"] = properties
    return {
        "event_id": item["id"],
        "metric_name": metric_name,
        "text": text,
        "profile_id": _related(item, "profile") or None,
        **{name: person.get(name) for name in ("email", "phone_number", "external_id")},
        "occurred_at": attributes.get("datetime") or attributes.get("timestamp"),
        "payload": {"attributes": attributes},
    }


def _campaign(item: Row, _included: Included) -> Row:
    return _copied(item, "campaign_id", "name", "status", "send_time")


def _list(item: Row, _included: Included) -> Row:
    return _copied(item, "list_id", "name", created_at="created", updated_at="updated")


def _member(item: Row, _included: Included) -> Row:
    joined = (item.get("attributes") or {}).get("joined_group_at")
    return {"profile_id": item["id"], "joined_at": joined}


def _flow(item: Row, _included: Included) -> Row:
    names = ("name", "status", "trigger_type")
    return _copied(item, "flow_id", *names, created_at="created", updated_at="updated")


def _related(item: Row, name: str) -> str:
    relation = (item.get("relationships") or {}).get(name) or {}
    return str((relation.get("data") or {}).get("id", ""))


_ROWS = {
    "profiles": _profile,
    "events": _event,
    "campaigns": _campaign,
    "lists": _list,
    "list_members": _member,
    "flows": _flow,
}


def check_connection(own: KlaviyoSettings) -> list[Check]:
    """Whether the key is set, is accepted, and may read each collection."""
    checks = [credential_check("klaviyo", own.api_key_env)]
    if checks[0].status != "ok":
        return checks
    with open_client(own) as client:
        client.attempts = 2
        for name, endpoint in ENDPOINTS.items():
            if endpoint.is_of_each_list:
                continue  # what the key needs for it is what lists and profiles need
            params = {"page[size]": "1"}
            if endpoint.filters:
                params["filter"] = endpoint.filters
            try:
                client.json("GET", endpoint.path, params=params)
                checks.append(Check(f"klaviyo {name}", "ok", f"Readable ({endpoint.scope})."))
            except AccessDeniedError as error:
                if endpoint.is_optional:
                    sentence = f"Left out, for want of {endpoint.scope}."
                    checks.append(Check(f"klaviyo {name}", "ok", sentence))
                else:
                    checks.append(_unreadable(name, endpoint, error))
            except RegularsError as error:
                checks.append(_unreadable(name, endpoint, error))
    return checks


def _unreadable(name: str, endpoint: Endpoint, error: RegularsError) -> Check:
    hint = f"The key needs the scope {endpoint.scope}. {error.hint}".strip()
    return Check(f"klaviyo {name}", "failed", error.message, hint)


SOURCE = ApiSource(
    "klaviyo",
    "Profiles, events, campaigns and flows of every channel, and lists with their members.",
    (PROFILES, EVENTS, CAMPAIGNS, LISTS, LIST_MEMBERS, FLOWS),
    KlaviyoSettings,
    pull,
    check_connection,
)
