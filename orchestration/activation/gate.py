"""The gate: may this person be contacted on this channel for this purpose, and at which address?

Belongs here: the one rule of permission, from the facts in the operational store alone. Does not
belong here: who is in a segment, or how facts got into the store.

The rule, strictest first; whatever it does not recognise is a no:
0. An identifier that somebody asked to be forgotten ends everything for whoever has it, for every
   channel and purpose and for ever.
1. An opt-out on any identifier of the person counts for the whole person: suppression or a consent
   event denied or revoked, for this channel and purpose or for every one. A suppression for every
   purpose leaves the transactional one alone. An opt-out counts whatever its date.
2. Only a newer opt-in with its evidence (source, time, and wording version or proof) for the same
   identifier, channel and purpose clears an unsubscribe, a spam report, a denial or a revocation.
   A manual stop and a browser's privacy signal are never cleared by an opt-in. Sources tell times
   to the second, so a yes and a no of one second are a no.
3. A hard bounce ends one address, for ever.
4. There must be an opt-in: on the address itself, or on another kind of identifier of the person
   (a login, a loyalty card; a device only for push, ads and onsite). The latest one decides, of two
   of one moment the one that lacks something; it needs a source, must have happened, must not have
   expired, and with double opt-in it needs proof. A contract permits only transactional messages.
5. There must be a living address; permitted ones first, then by evidence, never a bounced one.

When the facts cannot be read, `load_facts` raises and nothing is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, Table, bindparam, literal, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from ingestion.vocabulary import (
    ANONYMOUS_CHANNELS,
    ANONYMOUS_TYPES,
    CLEARABLE,
    EVERY,
    Reason,
    grade_rank,
)
from orchestration.ops import schema
from orchestration.ops.store import StoreError
from orchestration.ops.tombstones import forgotten_among, has_tombstones

TRANSACTIONAL = "transactional"
ADS, ONSITE, PUSH = "ads", "onsite", "push"  # channels
ADDRESS_TYPES: Mapping[str, tuple[str, ...]] = {
    "email": ("email",),
    "sms": ("phone",),
    "push": ("device",),
    "ads": ("email", "phone"),
    "onsite": ("login", "device"),
}
_SECOND = 1_000_000  # microseconds
_LOOKUP = 900  # values per query; SQLite's oldest limit on bound values is 999
_FETCH = 10_000
_SCAN_ABOVE = 30_000  # identifiers from which reading all facts once is faster than looking up
_LARGE = 5_000  # people from which reading all facts at once is faster than looking theirs up

Key = tuple[str, str]
# When, receipt, whether evidenced, when it ends, whether proven
Grant = tuple[int, str, bool, int | None, bool]


_STRICTNESS = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(frozen=True)
class Policy:
    """What is asked for: a channel, a purpose, and the shop's wish for double opt-in."""

    channel: str
    purpose: str
    double_opt_in: bool = False


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier of a person, with what makes one address better than another."""

    type: str
    value: str
    grade: str = ""
    is_primary: bool = False
    is_dormant: bool = False
    last_seen: int = 0

    @property
    def key(self) -> Key:
        """What facts are about."""
        return self.type, self.value


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer: an address and the receipt that permits it, or a reason.

    `further`: for ads the best permitted address of each other kind, since platforms there find
    people by all that is known of them; on site every other one, since a person comes by any.
    """

    reason: Reason | None
    address: Key | None = None
    receipt_id: str | None = None
    further: tuple[Key, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether anything may leave."""
        return self.reason is None


@dataclass(slots=True)
class Facts:
    """What the store knows about one identifier, for one policy."""

    grants: list[Grant] = field(default_factory=list)
    opt_outs: list[tuple[int, Reason]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PermissionState:
    """What the facts about one identifier amount to at one moment."""

    opt_out: Reason | None = None
    bounced: bool = False
    receipt_id: str | None = None
    lacking: Reason | None = None  # an opt-in that does not count, and why


_NOTHING = PermissionState()
# Whether anything at all was ever refused by this value: built once, since building takes longer
# than asking.
_ANY_NO = union_all(
    select(literal(1)).where(schema.suppressions.c.identifier_value == bindparam("value")),
    select(literal(1)).where(
        schema.consent_events.c.identifier_value == bindparam("value"),
        schema.consent_events.c.status != "granted",
    ),
).limit(1)
_NO_CONSENT = Decision(Reason.NO_CONSENT)


def decide(
    identifiers: Sequence[Identifier],
    states: Mapping[Key, PermissionState],
    policy: Policy,
    *,
    address: Key | None = None,
) -> Decision:
    """The answer for one person; with `address`, for that address and no other.

    Args:
        identifiers: all identifiers of the person, whatever their kind.
        states: what is known of them (`permission_state`); a missing one has no facts.
        policy: channel and purpose.
        address: the address something was already made for.
    """
    if not identifiers:
        return Decision(Reason.UNKNOWN_PERSON)
    known = [(identifier, states.get(identifier.key, _NOTHING)) for identifier in identifiers]
    if all(state is _NOTHING for _, state in known):
        return _NO_CONSENT
    kinds = ADDRESS_TYPES.get(policy.channel, ())
    opt_outs = [s.opt_out for _, s in known if s.opt_out is not None]
    opt_outs += [
        Reason.HARD_BOUNCE for identifier, s in known if s.bounced and identifier.type not in kinds
    ]
    if opt_outs:
        return Decision(min(opt_outs, key=_STRICTNESS.__getitem__))
    receipt = _personal_receipt(known, policy, kinds)
    candidates = [
        (identifier, state.receipt_id or receipt)
        for identifier, state in known
        if identifier.type in kinds and (address is None or identifier.key == address)
    ]
    living = [
        (identifier, r)
        for identifier, r in candidates
        if not states.get(identifier.key, _NOTHING).bounced
    ]
    permitted = [(identifier, r) for identifier, r in living if r is not None]
    if permitted:
        permitted.sort(key=lambda pair: _preference(pair[0], states, kinds))
        best, best_receipt = permitted[0]
        further = _further(policy.channel, [identifier for identifier, _ in permitted])
        return Decision(None, best.key, best_receipt, further)
    return Decision(_why_not(known, candidates, living, has_receipt=receipt is not None))


def permission_state(facts: Facts, policy: Policy, at: int) -> PermissionState:
    """What the facts about one identifier amount to at the moment `at` (microseconds)."""
    if not facts.opt_outs and not facts.grants:
        return _NOTHING
    grants = sorted(grant for grant in facts.grants if grant[0] <= at)
    evidenced_at = max((grant[0] for grant in grants if grant[2]), default=None)
    in_force = [
        reason
        for occurred_at, reason in facts.opt_outs
        if reason not in CLEARABLE
        or evidenced_at is None
        or not _is_later(evidenced_at, occurred_at)
    ]
    bounced = Reason.HARD_BOUNCE in in_force
    wishes = [reason for reason in in_force if reason is not Reason.HARD_BOUNCE]
    opt_out = min(wishes, key=_STRICTNESS.__getitem__) if wishes else None
    if not grants:
        return PermissionState(opt_out, bounced)
    latest = [grant for grant in grants if grant[0] == grants[-1][0]]
    lacking = [each for each in (_lacking(grant, policy, at) for grant in latest) if each]
    if lacking:  # of two that say the same moment the stricter counts
        return PermissionState(opt_out, bounced, lacking=min(lacking, key=_STRICTNESS.__getitem__))
    return PermissionState(opt_out, bounced, latest[-1][1])


def _lacking(grant: Grant, policy: Policy, at: int) -> Reason | None:
    """Why an opt-in does not count at the moment `at`."""
    _, _, _, expires_at, has_proof = grant
    if expires_at is not None and expires_at <= at:
        return Reason.EXPIRED
    if policy.double_opt_in and not has_proof and policy.purpose != TRANSACTIONAL:
        return Reason.UNCONFIRMED
    return None


def _is_later(moment: int, other: int) -> bool:
    """Whether a moment is of a later second."""
    return moment // _SECOND > other // _SECOND


def load_states(
    connection: Connection, keys: Iterable[Key], policy: Policy, at: int
) -> dict[Key, PermissionState]:
    """What the store knows, right now, about these identifiers.

    Raises:
        StoreError: the store cannot be read; nothing may be sent.
    """
    facts = load_facts(connection, set(keys), policy)
    return {key: permission_state(known, policy, at) for key, known in facts.items()}


def load_states_by_policy(
    connection: Connection, keys: Iterable[Key], policies: Iterable[Policy], at: int
) -> dict[Policy, dict[Key, PermissionState]]:
    """What `load_states` says for each policy, from one reading: for one person, or a few.

    Raises:
        StoreError: the store cannot be read; nothing may be sent.
    """
    wanted = set(keys)
    with _unreadable_in_words():
        suppressions = list(_rows(connection, _suppressions(), schema.suppressions, wanted))
        consents = list(_rows(connection, _consents(), schema.consent_events, wanted))
        forgotten = list(forgotten_among(connection, wanted))
    states = {}
    for policy in policies:
        stops = [row for row in suppressions if _bears_on(row, policy, _stopping(policy))]
        wishes = [row for row in consents if _bears_on(row, policy, _consenting(policy))]
        facts = _together(stops, wishes, wanted, policy)
        _forget(facts, forgotten)
        states[policy] = {key: permission_state(each, policy, at) for key, each in facts.items()}
    return states


def reads_all_facts(connection: Connection, people: int) -> bool:
    """Whether `load_all_states` is to be asked for so many people, rather than `load_states`.

    A tombstone says of no value that it is its own: where there are any, each value is asked.
    """
    return people > _LARGE and not has_tombstones(connection)


def load_all_states(connection: Connection, policy: Policy, at: int) -> dict[Key, PermissionState]:
    """What the store knows about every identifier that there are facts about, where
    `reads_all_facts` allows it.

    Raises:
        StoreError: the store cannot be read; nothing may be sent.
    """
    facts = load_facts(connection, None, policy)
    return {key: permission_state(known, policy, at) for key, known in facts.items()}


def load_facts(connection: Connection, keys: set[Key] | None, policy: Policy) -> dict[Key, Facts]:
    """The facts about these identifiers (None: about all) that bear on the policy.

    Raises:
        StoreError: the store cannot be read; nothing may be sent.
    """
    with _unreadable_in_words():
        facts = _facts_by_key(connection, keys, policy)
        _forget(facts, forgotten_among(connection, facts if keys is None else keys))
    return facts


def refused_by(connection: Connection, key: Key, policies: Iterable[Policy], at: int) -> set[str]:
    """The purposes that an identifier alone refuses; of somebody forgotten there is none.

    Raises:
        StoreError: the permission facts cannot be read.
    """
    with _unreadable_in_words():
        if connection.execute(_ANY_NO, {"value": key[1]}).first() is None:
            return set()  # nearly everybody, asked for each page that is shown
        facts = [
            (each, _facts_by_key(connection, {key}, each).get(key, Facts())) for each in policies
        ]
    return {each.purpose for each, known in facts if permission_state(known, each, at).opt_out}


def _facts_by_key(
    connection: Connection, keys: set[Key] | None, policy: Policy
) -> dict[Key, Facts]:
    """What was said about these identifiers, or about all."""
    stops, wishes = schema.suppressions, schema.consent_events
    of_policy = [
        query.where(table.c.channel.in_(_channels(policy)), table.c.purpose.in_(purposes))
        for query, table, purposes in (
            (_suppressions(), stops, _stopping(policy)),
            (_consents(), wishes, _consenting(policy)),
        )
    ]
    return _together(
        _rows(connection, of_policy[0], stops, keys),
        _rows(connection, of_policy[1], wishes, keys),
        keys,
        policy,
    )


def _together(
    suppressions: Iterable[Sequence[Any]],
    consents: Iterable[Sequence[Any]],
    keys: set[Key] | None,
    policy: Policy,
) -> dict[Key, Facts]:
    """Rows that bear on the policy, by identifier; a lookup by value brings other types' too."""
    facts: dict[Key, Facts] = {}
    for row in suppressions:
        key = (row[0], row[1])
        if keys is None or key in keys:
            opt_out = (row[5], _opt_out_reason(row[4]))
            facts.setdefault(key, Facts()).opt_outs.append(opt_out)
    for row in consents:
        key = (row[0], row[1])
        if keys is None or key in keys:
            _add_consent(facts.setdefault(key, Facts()), row, policy)
    return facts


def _forget(facts: dict[Key, Facts], forgotten: Iterable[Key]) -> None:
    for key in forgotten:
        facts.setdefault(key, Facts()).opt_outs.append((0, Reason.FORGOTTEN))


@contextmanager
def _unreadable_in_words() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(
            "The permission facts cannot be read.",
            "Nothing was sent. Check the operational store with `regulars doctor`.",
        ) from error


def _personal_receipt(
    known: list[tuple[Identifier, PermissionState]], policy: Policy, kinds: tuple[str, ...]
) -> str | None:
    """An opt-in that was given for the person rather than for one address."""
    receipts = [
        (grade_rank(identifier.grade), identifier.type, identifier.value, state.receipt_id)
        for identifier, state in known
        if state.receipt_id is not None
        and (identifier.type not in kinds or policy.channel in (ADS, ONSITE))
        and (identifier.type not in ANONYMOUS_TYPES or policy.channel in ANONYMOUS_CHANNELS)
    ]
    return None if policy.channel == PUSH or not receipts else min(receipts)[3]


def _further(channel: str, permitted: Sequence[Identifier]) -> tuple[Key, ...]:
    """Which addresses go out beside the first of the permitted ones, the best first."""
    best, *others = permitted
    if channel == ONSITE:
        return tuple(each.key for each in others)
    if channel != ADS:
        return ()
    firsts = {each.type: each.key for each in reversed(others) if each.type != best.type}
    return tuple(firsts.values())


def _preference(
    identifier: Identifier, states: Mapping[Key, PermissionState], kinds: tuple[str, ...]
) -> tuple[Any, ...]:
    own = states.get(identifier.key, _NOTHING).receipt_id is not None
    return (
        not own,
        kinds.index(identifier.type),
        identifier.is_dormant,
        grade_rank(identifier.grade),
        not identifier.is_primary,
        -identifier.last_seen,
        identifier.value,
    )


def _why_not(
    known: list[tuple[Identifier, PermissionState]],
    candidates: list[tuple[Identifier, str | None]],
    living: list[tuple[Identifier, str | None]],
    *,
    has_receipt: bool,
) -> Reason:
    if any(receipt is not None for _, receipt in candidates) and not living:
        return Reason.HARD_BOUNCE
    lacking = [state.lacking for _, state in known if state.lacking is not None]
    if lacking and not has_receipt:
        return min(lacking, key=_STRICTNESS.__getitem__)
    if not candidates and has_receipt:
        return Reason.NO_ADDRESS
    return Reason.HARD_BOUNCE if candidates and not living else Reason.NO_CONSENT


def _opt_out_reason(written: str) -> Reason:
    try:
        return Reason(written)
    except ValueError:
        return Reason.UNKNOWN_OPT_OUT


def _add_consent(facts: Facts, row: Sequence[Any], policy: Policy) -> None:
    (
        _,
        _,
        channel,
        purpose,
        event_id,
        status,
        occurred_at,
        source,
        wording,
        expires,
        proof,
        basis,
    ) = row
    if status != "granted":
        facts.opt_outs.append((occurred_at, _opt_out_reason(status)))
        return
    specific = channel == policy.channel and purpose == policy.purpose
    lawful = basis != "contract" or policy.purpose == TRANSACTIONAL
    if specific and lawful and source and source.strip():
        is_evidenced = bool(wording or proof)
        facts.grants.append((occurred_at, event_id, is_evidenced, expires, bool(proof)))


def _channels(policy: Policy) -> tuple[str, ...]:
    return policy.channel, EVERY


def _stopping(policy: Policy) -> tuple[str, ...]:
    """The purposes of suppressions that stop this one."""
    every = () if policy.purpose == TRANSACTIONAL else (EVERY,)
    return policy.purpose, *every


def _consenting(policy: Policy) -> tuple[str, ...]:
    """The purposes of consent events that speak of this one."""
    return policy.purpose, EVERY


def _bears_on(row: Sequence[Any], policy: Policy, purposes: tuple[str, ...]) -> bool:
    """Whether a suppression or a consent event of these purposes speaks of the channel."""
    return row[2] in _channels(policy) and row[3] in purposes


def _suppressions() -> Select[Any]:
    table = schema.suppressions.c
    return select(
        table.identifier_type,
        table.identifier_value,
        table.channel,
        table.purpose,
        table.reason,
        table.occurred_at,
    )


def _consents() -> Select[Any]:
    table = schema.consent_events.c
    return select(
        table.identifier_type,
        table.identifier_value,
        table.channel,
        table.purpose,
        table.consent_event_id,
        table.status,
        table.occurred_at,
        table.source,
        table.wording_version,
        table.expires_at,
        table.proof,
        table.lawful_basis,
    )


def _rows(
    connection: Connection, query: Select[Any], table: Table, keys: set[Key] | None
) -> Iterator[Sequence[Any]]:
    """The query's rows for these identifiers: looked up, or all of them when there are many."""
    if keys is None or len(keys) > _SCAN_ABOVE:
        yield from _driver_rows(connection, query)
        return
    values = sorted({value for _, value in keys})
    for start in range(0, len(values), _LOOKUP):
        part = table.c.identifier_value.in_(values[start : start + _LOOKUP])
        yield from _driver_rows(connection, query.where(part))


def _driver_rows(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    """The driver's own tuples: half the time of row objects."""
    with connection.execute(query) as result:
        while rows := result.cursor.fetchmany(_FETCH):
            yield from rows
