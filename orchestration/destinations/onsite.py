"""The destination `onsite`: who is in which segment, in the file that answers the on-site feed.

Calls: none. A batch is one transaction on `feeds/<name>.sqlite` in the home: a person's entries of
the segment are deleted and, unless they are removed, written anew, one for each of their browsers,
their login and their id. `finish` deletes the entries of whoever is no member, writes those of
members who have none, and notes that the segment is fresh.
Auth: none. Limits: `BATCH` rows. Idempotent as a set: entries are what the row says.

Written of a person: the digests of their identifiers, the segment, the stage, the type of each
browser and products to show, as far as their level permits. A browser's are what goes with its own
latest visit, whoever uses it; only the login and the id have what is for the person. No name, no
address, no reason, no context: what a slot shows is said by the settings, for a segment and not for
a person.

`regulars serve` answers the feed (orchestration/serve/feed).

Belongs here: the contract of a destination. Does not belong here: the file (`feed_file`), the gate.
Data flow: outbox rows -> feeds/<name>.sqlite.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ingestion.errors import RegularsError, UsageError
from orchestration.destinations.base import (
    Acknowledgement,
    Audience,
    Batch,
    Idempotency,
    Identifiers,
    Limits,
    Outcome,
    Payload,
    RetryLaterError,
    Row,
    delivered,
    merged_ids,
)
from orchestration.destinations.feed_file import (
    CUSTOMER,
    Entry,
    FeedFileError,
    FeedWriter,
    Key,
    OfKey,
    forget_the_past,
    writing,
)
from orchestration.destinations.options import checked_options
from orchestration.home.layout import Home

BATCH = 10_000
SECRET = "REGULARS_FEED_SECRET"  # noqa: S105 - the name of the variable
TRAITS: tuple[str, ...] = ()  # no column of a person beside the channel's own
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - naive UTC, as every moment of a sync
_MICROSECOND = timedelta(microseconds=1)
_BUSY = ("locked", "busy")

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
Name = Annotated[str, Field(pattern=f"^{NAME}$")]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$")]


class Content(BaseModel):
    """What members of a segment are shown: the key of a landing page, and of each slot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    segment: Name
    landing_page: Name | None = None
    slots: dict[Name, Name] = {}


class Options(BaseModel):
    """What `[destinations.<name>.options]` may say.

    `content`: for each slot the first segment of this list counts that a visitor is in.
    `origins`: pages of which sites may ask. `secret_env`: the variable with the secret of the
    shop's own server. `max_age_hours`: a segment that was not brought up to date for longer is not
    told any more. `requests_per_second`: more are turned away.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    content: list[Content] = []
    origins: list[Origin] = []
    secret_env: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] = SECRET
    max_age_hours: Annotated[int, Field(ge=1, le=24 * 365)] = 72
    requests_per_second: Annotated[int, Field(ge=1, le=100_000)] = 1_000


class OnsiteDestination:
    """Keeps audiences in the file of the on-site feed."""

    channels = frozenset({"onsite"})
    idempotency = Idempotency.SET
    acknowledgement = Acknowledgement.APPLIED
    limits = Limits(BATCH)

    def __init__(self, name: str, options: Options, home: Home) -> None:
        """Nothing is opened or created until the first delivery."""
        self.name = name
        self.options = options
        self.path = feed_path(home, name)

    def deliver(self, batch: Batch) -> Sequence[Outcome]:
        """Write one batch, whole or not at all."""
        if batch.rows:
            with self._writing() as feed:
                for row in sorted(batch.rows, key=lambda row: row.version):
                    _write(feed, batch, row)
        return list(delivered(batch.rows))

    def finish(self, audience: Audience) -> None:
        """Leave members alone in the segment, all of them, and note that it is fresh."""
        moment = micros(audience.started_at)
        with self._writing() as feed:
            there = feed.members(audience.segment)
            members = set()
            for payload in audience.members:
                who = str(payload[CUSTOMER])
                members.add(who)
                if who not in there:
                    feed.add(_entry(audience.segment, payload, moment), keys_of(payload))
            feed.take_out(there - members, audience.segment)
            feed.refresh(audience.segment, moment)

    def members_of(self, segment: str) -> Iterable[str]:
        """The ids of everybody who has entries of a segment.

        Raises:
            RetryLaterError: another process holds the file for too long.
        """
        if not self.path.exists():
            return ()
        with self._writing() as feed:
            return feed.members(segment)

    def erase(self, people: Sequence[Identifiers]) -> Sequence[Outcome]:
        """Delete every entry and refusal of these people, and what is left of them beside the file.

        Raises:
            RetryLaterError: another process holds the file for too long.
        """
        if not self.path.exists():
            return [Outcome(person.key, "delivered") for person in people]
        with self._writing() as feed:
            for person in people:
                keys = [(kind, value) for kind, values in person.values.items() for value in values]
                feed.take_out(feed.people_of(keys) | {*person.values.get(CUSTOMER, ())})
                feed.show_no_more(keys)
        if not forget_the_past(self.path):
            raise RetryLaterError("busy")
        return [Outcome(person.key, "delivered") for person in people]

    def show_refusals(self, refusals: Mapping[tuple[str, str], frozenset[str]]) -> None:
        """Keep what each visitor refused, to be told to themselves.

        Raises:
            RetryLaterError: another process holds the file for too long.
        """
        with self._writing() as feed:
            feed.show(refusals)

    def preview(self, segment: str) -> str:
        """Which feed, and what members would be shown."""
        shown = []
        for content in (each for each in self.options.content if each.segment == segment):
            shown += [f"{slot}: {key}" for slot, key in content.slots.items()]
            shown += [f"landing page: {content.landing_page}"] if content.landing_page else []
        return f"the on-site feed {self.name} ({', '.join(shown) or 'no slot of its own'})"

    def stays_in(self, folder: Path) -> bool:
        """Whether the file lies below it, links followed."""
        return self.path.resolve().is_relative_to(folder.resolve())

    @contextmanager
    def _writing(self) -> Iterator[FeedWriter]:
        """A transaction on the file, and errors in our own words."""
        try:
            with writing(self.path) as feed:
                yield feed
        except sqlite3.OperationalError as error:
            if any(sign in str(error) for sign in _BUSY):
                raise RetryLaterError("busy") from None
            raise self._error_of() from None
        except (sqlite3.Error, OSError):
            raise self._error_of() from None
        except FeedFileError as error:
            raise self._error_of(error.reason) from None

    def _error_of(self, reason: str = "") -> RegularsError:
        hint = "Check the disk and its permissions, or delete it: the next sync fills it again"
        if reason == "newer_version":
            hint = "Use the newer version of Regulars that made it"
        return RegularsError(
            f"The file of the on-site feed `{self.name}` cannot be written.",
            f"{hint}; the rows stay queued.",
        )


def create(name: str, options: dict[str, Any], home: Home) -> OnsiteDestination:
    """The destination with these options.

    Raises:
        UsageError: an option is unknown or has a wrong value, or the name is no part of an address.
    """
    if not re.fullmatch(NAME, name):
        raise UsageError(
            f"The destination `{name}` has a name that cannot stand in an address.",
            "Use letters without accents, digits, `.`, `-` and `_`.",
        )
    return OnsiteDestination(name, checked_options(Options, name, options), home)


def feed_path(home: Home, name: str) -> Path:
    """Where the feed of a destination lies."""
    return home.feeds / f"{name}.sqlite"


def micros(moment: datetime) -> int:
    """A naive UTC moment in microseconds."""
    return (moment - _EPOCH) // _MICROSECOND


def keys_of(payload: Payload) -> dict[Key, OfKey]:
    """Everything a person is looked up by, with what is told by that identifier alone."""
    devices: dict[str, str | None] = json.loads(payload.get("devices") or "{}")
    shown: dict[str, Any] = json.loads(payload.get("recommendations") or "{}")
    of_person = OfKey(recommendations=_as_json(shown.get("person")))
    visits = shown.get("visits", {})
    login = payload.get("login")
    return {
        (CUSTOMER, str(payload[CUSTOMER])): of_person,
        **({("login", str(login)): of_person} if login else {}),
        **{
            ("device", device): OfKey(kind, _as_json(visits.get(device)))
            for device, kind in devices.items()
        },
    }


def _as_json(shown: Any) -> str | None:
    return json.dumps(shown) if shown else None


def _write(feed: FeedWriter, batch: Batch, row: Row) -> None:
    feed.take_out([row.customer_id, *merged_ids(row)], batch.segment)
    if row.operation != "removed":
        payload = {**row.payload, CUSTOMER: row.customer_id}
        feed.add(_entry(batch.segment, payload, micros(batch.started_at)), keys_of(payload))


def _entry(segment: str, payload: Payload, moment: int) -> Entry:
    return Entry(segment, str(payload[CUSTOMER]), payload.get("stage"), None, moment)
