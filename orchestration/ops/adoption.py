"""Which home an operational store belongs to, and a person's word that it belongs to a copy now.

Belongs here: the record of a home's id and place, the sentence that stops a copy, and adopting one.
Does not belong here: what a place is (home/place), whether the store is lost (continuity).

Two homes with one history would each send what the other has sent. The store therefore says where
its home lies; in any other place nothing is planned or sent until a person says that this is the
home from now on. It then has an id of its own, so that a destination whose settings name a home
(`home = "…"`) takes from that one alone. The pretend shop reaches nothing but its own folder and
fakes, so its home may be copied.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from ingestion.errors import RegularsError, UsageError
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.home.place import Place, place_of
from orchestration.ops import schema
from orchestration.ops.store import Store, append, upsert

HINT = (
    "If the other must not send any more, say so: `regulars ops adopt --by NAME --reason WHY`. If"
    " it goes on, this one is only to look at."
)
ADOPTED = "adopted:"
_KEY = "home"


@dataclass(frozen=True)
class OwnHome:
    """The home that a store belongs to."""

    home_id: str
    place: Place


def own_home(store: Store) -> OwnHome | None:
    """What the store says; None before its first run or sync, and in the pretend shop's home."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == _KEY)
    with store.read() as connection:
        text = connection.execute(query).scalar()
    if text is None:
        return None
    known = json.loads(text)
    return OwnHome(known["home_id"], Place(**known["place"]))


def record_home(store: Store, home: Home) -> None:
    """Say where the home lies, where nobody has yet or its folder has another name now."""
    if is_demo(home):
        return
    known, here = own_home(store), place_of(home)
    if known is None:
        own = OwnHome(_new_id(), here)
    elif known.place != here and known.place.holds(here):
        own = OwnHome(known.home_id, here)
    else:
        return
    with store.write() as connection:
        _write(connection, own)


def what_is_copied(store: Store, home: Home) -> str:
    """A sentence where the store belongs to a home in another place; else empty."""
    known = own_home(store)
    if known is None or is_demo(home):
        return ""
    here = place_of(home)
    if known.place.holds(here):
        return ""
    return (
        "This home was copied, restored or moved to another disk: its operational store is that of"
        f" {in_words(known, here)}."
    )


def check_own_home(store: Store, home: Home) -> None:
    """Refuse a home whose store belongs to one in another place.

    Raises:
        RegularsError: it does; nothing may be planned or sent.
    """
    problem = what_is_copied(store, home)
    if problem:
        raise RegularsError(f"{problem} Nothing is planned or sent.", HINT)


def adopt(
    store: Store, home: Home, *, person: str, reason: str, at: datetime
) -> tuple[OwnHome, OwnHome]:
    """Make a copy the home, with an id of its own; returns the other home and what this is now.

    Raises:
        UsageError: it is no copy, or nobody answers for it.
    """
    if not person.strip() or not reason.strip():
        raise UsageError("Adopting a home needs who says so and why.", "Give --by and --reason.")
    before = own_home(store)
    if before is None or not what_is_copied(store, home):
        raise UsageError(
            "This home is in its own place; there is nothing to adopt.",
            "`regulars doctor` says what else stops sending.",
        )
    record = {
        "by": person.strip(),
        "reason": reason.strip(),
        "at": at.isoformat(),
        "before": asdict(before),
    }
    adopted = OwnHome(_new_id(), place_of(home))
    with store.write() as connection:
        row = {"key": f"{ADOPTED}{adopted.home_id}", "value": json.dumps(record)}
        append(connection, schema.meta, [row])
        _write(connection, adopted)
    return before, adopted


def in_words(own: OwnHome, here: Place) -> str:
    """The home's id and folder, and whether that is on another machine than `here`."""
    away = " on another machine" if own.place.machine != here.machine else ""
    return f"the home {own.home_id} in {own.place.path}{away}"


def _write(connection: Connection, own: OwnHome) -> None:
    upsert(connection, schema.meta, [{"key": _KEY, "value": json.dumps(asdict(own))}])


def _new_id() -> str:
    return secrets.token_hex(4)
