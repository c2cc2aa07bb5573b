"""How Klaviyo writes what an account holds: JSON:API objects, and the counts of the state.

Belongs here: shapes. Does not belong here: HTTP, what calls do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orchestration.fakes.klaviyo.account import Account, Job, Marketing, Profile
from orchestration.fakes.klaviyo.filters import SUPPRESSED_AT

Object = dict[str, Any]
HOST = "https://a.klaviyo.com"
MOMENTS = ("created", "updated", "joined_group_at", SUPPRESSED_AT)


def profile(
    row: Profile, fields: str = "", list_id: str = "", *, with_subscriptions: bool = False
) -> Object:
    """A profile; of a list's members with the moment at which each joined."""
    names = ("email", "phone_number", "external_id", "first_name", "last_name", "organization")
    attributes: Object = {name: row.attributes.get(name) for name in (*names, "locale", "title")}
    attributes |= {
        "image": None,
        "created": row.created.isoformat(),
        "updated": row.updated.isoformat(),
        "last_event_date": None,
        "location": row.attributes.get("location") or {},
        "properties": row.properties,
    }
    if list_id:
        attributes["joined_group_at"] = row.lists[list_id].isoformat()
    if fields:
        attributes = {name: attributes[name] for name in fields.split(",") if name in attributes}
    if with_subscriptions:
        attributes["subscriptions"] = subscriptions(row)
    return {
        "type": "profile",
        "id": row.id,
        "attributes": attributes,
        "links": {"self": f"{HOST}/api/profiles/{row.id}/"},
    }


def subscriptions(row: Profile) -> Object:
    """What a profile may be sent."""
    return {
        "email": {
            "marketing": {
                "can_receive_email_marketing": not row.email.suppressions,
                **_consent(row.email),
                "method": None,
                "double_optin": False,
                "suppression": [
                    {"reason": reason, "timestamp": at.isoformat()}
                    for reason, at in row.email.suppressions.items()
                ],
                "list_suppressions": [
                    {"list_id": list_id, "reason": "UNSUBSCRIBE", "timestamp": at.isoformat()}
                    for list_id, at in row.email.list_suppressions.items()
                ],
            }
        },
        "sms": {
            "marketing": {
                "can_receive_sms_marketing": row.sms.consent == "SUBSCRIBED",
                **_consent(row.sms),
            }
        },
    }


def values_of(row: Profile, name: str, list_id: str = "") -> list[Any]:
    """What a profile has for a field that may be filtered or sorted by."""
    if name == "joined_group_at":
        return [row.lists[list_id]]
    if name == SUPPRESSED_AT:
        return list(row.email.suppressions.values())
    if name in ("id", "created", "updated"):
        return [getattr(row, name)]
    return [matching(row.attributes.get(name) or "")]


def matching(text: str) -> str:
    """A text as it is compared."""
    return text.strip().lower() if "@" in text else text.strip()


def list_(list_id: str, name: str) -> Object:
    """A list."""
    return {
        "type": "list",
        "id": list_id,
        "attributes": {"name": name, "opt_in_process": "single_opt_in"},
        "links": {"self": f"{HOST}/api/lists/{list_id}/"},
    }


def job(row: Job, now: datetime) -> Object:
    """A bulk import."""
    is_complete = row.completed is not None
    return {
        "type": "profile-bulk-import-job",
        "id": row.id,
        "attributes": {
            "status": row.status(now),
            "created_at": row.created.isoformat(),
            "total_count": len(row.profiles),
            "completed_count": len(row.profiles) - len(row.errors) if is_complete else 0,
            "failed_count": len(row.errors),
            "completed_at": row.completed.isoformat() if row.completed else None,
            "expires_at": None,
            "started_at": row.created.isoformat(),
        },
        "links": {"self": f"{HOST}/api/profile-bulk-import-jobs/{row.id}/"},
    }


def import_error(of: Job, number: int, content: Mapping[str, Any]) -> Object:
    """One thing that was wrong with a bulk import."""
    return {
        "type": "import-error",
        "id": f"{of.id}-{number}",
        "attributes": dict(content),
        "links": {"self": f"{HOST}/api/profile-bulk-import-jobs/{of.id}/import-errors/"},
    }


def suppression_job(count: int, now: datetime) -> Object:
    """A job that suppresses; this fake does it at once."""
    return {
        "type": "profile-suppression-bulk-create-job",
        "id": f"suppression-{now:%Y%m%d%H%M%S%f}",
        "attributes": {
            "status": "complete",
            "created_at": now.isoformat(),
            "total_count": count,
            "completed_count": count,
            "completed_at": now.isoformat(),
            "skipped_count": 0,
        },
        "links": {"self": f"{HOST}/api/profile-suppression-bulk-create-jobs/"},
    }


def error(status: int, code: str, pointer: str) -> Object:
    """An answer that says what was wrong."""
    title = code.replace("_", " ").capitalize() + "."
    problem = {"id": "fake", "status": status, "code": code, "title": title, "detail": title}
    return {"errors": [{**problem, "source": {"pointer": pointer}, "links": {}, "meta": {}}]}


def state(account: Account) -> Object:
    """What the account holds, as counts."""
    people = list(account.profiles.values())
    now = account.clock()
    return {
        "profiles": len(people),
        "billed": sum(each.is_billed for each in people),
        "suppressed": sum(bool(each.email.suppressions) for each in people),
        "deleted": account.deleted,
        "properties": dict(sorted(Counter(n for each in people for n in each.properties).items())),
        "lists": {
            account.lists[list_id]: sum(list_id in each.lists for each in people)
            for list_id in sorted(account.lists)
        },
        "jobs": dict(Counter(each.status(now) for each in account.jobs.values())),
        "import_errors": sum(len(each.errors) for each in account.jobs.values()),
        "events": len(account.events),
        "flows_fired": dict(account.flows),
    }


def _consent(marketing: Marketing) -> Object:
    at = marketing.at.isoformat() if marketing.at else None
    return {"consent": marketing.consent, "consent_timestamp": at, "last_updated": at}
