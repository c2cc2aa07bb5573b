"""Plans and syncs over all targets of a shop, by hand or within a run.

Belongs here: which (segment, destination) pairs there are, at which moment, under which authority.
Does not belong here: one plan or one sync (orchestration/activation) and what is printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from ingestion.config import Settings
from ingestion.errors import RegularsError, UsageError
from ingestion.functions.identifiers import match_identifier
from ingestion.settings_file import load_settings
from ingestion.vocabulary import Reason
from orchestration.activation.authority import Approval, may_send
from orchestration.activation.code_effect import CodeEffect, CodeEffects, code_effect
from orchestration.activation.consent_log import write_consent_log
from orchestration.activation.contact_day import ContactDay, read_contact_day
from orchestration.activation.gate import ADDRESS_TYPES, PermissionState, Policy, load_states
from orchestration.activation.ledger import LastSync, OpenIntent, last_syncs, open_intents
from orchestration.activation.moments import Clock, running, stopped
from orchestration.activation.new_profiles import NewProfiles, new_profiles
from orchestration.activation.people import Target, targets
from orchestration.activation.plan import (
    Change,
    Plan,
    audience_difference,
    build_plan,
    delivered_states,
)
from orchestration.activation.resolution import Resolution, as_answer, resolve
from orchestration.activation.shown_refusals import show_refusals
from orchestration.activation.sync import SyncReport, sync
from orchestration.destinations import check_destinations, open_destination
from orchestration.destinations.base import Destination, Payload, renewal
from orchestration.home import lock
from orchestration.home.kind import is_demo
from orchestration.home.layout import Home
from orchestration.ops.adoption import check_own_home, own_home, record_home
from orchestration.ops.continuity import check_continuity
from orchestration.ops.permission.consents import grant_consent, revoke_consent
from orchestration.ops.store import Store, has_store, open_store, to_micros
from orchestration.ops.unread_sources import check_refusals_known, what_is_unread
from orchestration.published.reader import open_published, read_build
from orchestration.published.segment_code import APART, CHANGED, NEW, published_codes
from orchestration.run.dbt import check_settings
from orchestration.run.run import Send, clock


@dataclass(frozen=True)
class Delivery:
    """What one target came to, in counts; `plan_hash` approves it where it is only planned.

    `kept` is how many the destination has and keeps as they are; `unknown`, how many rows of those
    that are left may have arrived or not; `accepted`, how many it applies later.
    """

    target: Target
    counts: dict[str, int]
    held_back: dict[str, int]
    left: int = 0
    plan_hash: str = ""
    kept: int = 0
    unknown: int = 0
    accepted: int = 0

    @classmethod
    def planned(cls, plan: Plan) -> Delivery:
        """What would be sent."""
        return cls(
            plan.target,
            plan.counts,
            plan.held_back_counts,
            plan_hash=plan.plan_hash,
            kept=plan.unchanged_count + plan.waiting_count + plan.accepted_count,
            unknown=plan.waiting_count,
            accepted=plan.accepted_count,
        )

    @classmethod
    def sent(cls, report: SyncReport) -> Delivery:
        """What was sent, and what is left to send."""
        unknown, accepted = report.left.get("unknown", 0), report.left.get("accepted", 0)
        left = sum(report.left.values()) - accepted
        return cls(
            report.target, report.sent, report.held_back, left, unknown=unknown, accepted=accepted
        )

    @property
    def changes(self) -> int:
        """How many rows a sync sends, or sent."""
        return sum(self.counts.values())

    @property
    def is_idle(self) -> bool:
        """Nothing to send, and nobody there who may be reached."""
        return not self.changes and not self.kept

    @property
    def is_planned(self) -> bool:
        """Whether nothing has left yet."""
        return bool(self.plan_hash)


@dataclass(frozen=True)
class Planned:
    """One person of a plan. `state`: added, updated, removed, has it, or held back (why)."""

    target: Target
    customer_id: str
    state: str
    address: str
    held_back: str


@dataclass(frozen=True)
class DeliveryContext:
    """What planning and sending need, opened once. `asked`: who may receive; nobody by default.

    `now`: the moment, told anew for each plan, sync and batch. `read`: what the decision knows of
    the published file, if it was read already. `refusals_read`: destinations that
    were asked who refused there; once for all segments, since each profile that a sync wrote would
    be told again.
    """

    home: Home
    settings: Settings
    store: Store
    now: Clock
    asked: Send = "no"
    read: ContactDay | None = None
    refusals_read: set[str] = field(default_factory=set)

    def may_send(self, destination: str) -> bool:
        """Whether anything may be delivered there."""
        chosen = self.settings.destinations[destination]
        return may_send(chosen, self.asked) and chosen.home in ("", self.home_id)

    @cached_property
    def home_id(self) -> str:
        """The home's id, by which settings may name the one that sends; empty of a pretend shop."""
        own = own_home(self.store)
        return own.home_id if own else ""

    @cached_property
    def day(self) -> ContactDay:
        """What the decision knows of the published file, read once for all targets."""
        return self.read or read_contact_day(self.home, settings=self.settings)

    def plan(self, target: Target) -> Plan:
        """What a sync would do now."""
        return build_plan(
            self.store,
            self.home,
            target,
            at=self.now(),
            double_opt_in=self.settings.double_opt_in,
            day=self.day,
            renewed_after=renewal(self._opened(target.destination)),
        )

    def audience_difference(self, after: Home, target: Target) -> tuple[Change, ...]:
        """What a destination that has all that is published here would hear of by `after`."""
        return audience_difference(
            self.store,
            self.home,
            after,
            target,
            at=self.now(),
            double_opt_in=self.settings.double_opt_in,
        )

    def _opened(self, name: str) -> Destination:
        """The adapter; opening it reaches nothing."""
        return open_destination(name, self.settings.destinations[name], self.home)

    def wishes(self, segment: str | None) -> list[tuple[str, str, str, str]]:
        """Segment, channel, outcome and reason of each wish of this moment, of one segment or all.

        Raises:
            StoreError: the permission facts cannot be read.
        """
        with self.store.read() as connection:
            judged = self.day.judge(
                connection, self.now(), double_opt_in=self.settings.double_opt_in
            )
        return [
            (verdict.segment, verdict.channel, str(verdict.outcome), str(verdict.reason or ""))
            for verdicts in judged.verdicts.values()
            for verdict in verdicts.values()
            if segment in (None, verdict.segment)
        ]

    def sync(
        self, target: Target, approval: Approval | None = None, plan: Plan | None = None
    ) -> SyncReport:
        """Do it; by a plan of this context that was made just before, where one was.

        Raises:
            UsageError: nobody asked for a delivery there, or its settings name another home.
            RegularsError: a run stopped before it had read all refusals, or this is a copied home.
        """
        check_own_home(self.store, self.home)
        named = self.settings.destinations[target.destination].home
        if named not in ("", self.home_id):
            raise UsageError(
                f"`{target.destination}` may be sent from the home {named} alone, and this is"
                f" {self.home_id or 'one without an id'}; nothing was sent.",
                f"Sync there, or let [destinations.{target.destination}] name this home.",
            )
        if not self.may_send(target.destination):
            raise UsageError(
                f"Nobody asked to send anything to `{target.destination}`; nothing was sent.",
                "`regulars sync` sends, or `regulars run --send`.",
            )
        check_refusals_known(self.store)
        opened = self._opened(target.destination)
        is_read = target.destination in self.refusals_read
        if not is_read:
            show_refusals(self.store, self.home, opened, self.now())
        self.refusals_read.add(target.destination)
        return sync(
            self.store,
            self.home,
            target,
            opened,
            at=self.now(),
            approval=approval,
            double_opt_in=self.settings.double_opt_in,
            day=self.day,
            clock=self.now,
            refusals_are_read=is_read,
            plan=plan,
        )

    def sync_each(self, chosen: Iterable[Target], approval: Approval | None = None) -> Synced:
        """Do it for each of these; what one destination refuses keeps none from the others."""
        return self.sync_planned(((target, None) for target in chosen), approval)

    def sync_planned(
        self, chosen: Iterable[tuple[Target, Plan | None]], approval: Approval | None = None
    ) -> Synced:
        """The same, of pairs that may have been planned already."""
        reports, failures = [], []
        for target, plan in chosen:
            try:
                reports.append(self.sync(target, approval, plan))
            except RegularsError as error:
                failures.append(Failure(target, error))
        return Synced(reports, failures)


@contextmanager
def open_delivery(home: Home, *, exclusive: bool) -> Iterator[DeliveryContext]:
    """Open the store for plans or, with the home's lock, for the sending that was asked for."""
    settings = load_settings()
    check_settings(settings)
    check_destinations(settings, home)
    with open_published(home):
        pass  # a clear sentence before anything else when nothing is published yet
    check_continuity(home)
    if exclusive:
        with lock.hold(home.sending_lock), open_store(home) as store:
            check_own_home(store, home)
            record_home(store, home)
            yield DeliveryContext(home, settings, store, clock_of(home), asked="yes")
    else:
        with open_store(home) as store:
            check_own_home(store, home)
            yield DeliveryContext(home, settings, store, clock_of(home))


def moment(home: Home) -> datetime:
    """Now; in the pretend shop's home, whose clock is its own, the moment that is published."""
    return read_build(home.published)[2] if is_demo(home) else clock()


def clock_of(home: Home) -> Clock:
    """The home's clock, which starts now; that of the pretend shop stands still between runs."""
    return stopped(moment(home)) if is_demo(home) else running(moment(home))


@dataclass(frozen=True)
class Plans:
    """What all targets asked for would get.

    `wishes`: of each wish of the segments asked for its segment, channel, outcome and why not,
    empty where it goes out. `new_profiles`: whom a destination would make profiles of.
    `code_effects`: what of each plan changed code of segments makes, and what the data.
    """

    plans: list[Plan]
    wishes: list[tuple[str, str, str, str]]
    new_profiles: NewProfiles
    code_effects: CodeEffects


def plan_all(home: Home, segment: str | None, destination: str | None) -> Plans:
    """The plans of all targets asked for, and what today gives whom; no destination is reached."""
    # Held open, so that all plans are of one build and share what opening costs
    with open_delivery(home, exclusive=False) as opened, open_published(home):
        context = replace(opened, now=stopped(opened.now()))
        chosen = targets(home, context.settings, segment, destination)
        plans = [context.plan(target) for target in chosen]
        made = new_profiles(home, context.settings, plans)
        return Plans(plans, context.wishes(segment), made, _code_effects(context, plans))


def _code_effects(context: DeliveryContext, plans: Sequence[Plan]) -> CodeEffects:
    """What changed code makes of each plan; the earlier code is asked only where some changed."""
    comparisons = {
        segment: code.comparison for segment, code in published_codes(context.home).items()
    }
    earlier = context
    if {CHANGED, NEW} & set(comparisons.values()):
        day = read_contact_day(context.home, settings=context.settings, by_earlier_code=True)
        earlier = replace(context, read=day)
    effects: dict[tuple[str, str], CodeEffect | None] = {}
    for plan in plans:
        target = plan.target
        is_known = comparisons.get(target.segment) in APART
        before = plan if earlier is context or not is_known else earlier.plan(target)
        pair = target.segment, target.destination
        effects[pair] = code_effect(plan, before) if is_known else None
    return effects


def unread_refusals(home: Home) -> str:
    """A sentence when a run stopped before it had read all refusals; a sync would not send."""
    if lock.is_busy(home.lock) or not has_store(home):
        return ""  # a run is reading them, or nobody has ever said anything
    with open_store(home) as store:
        return what_is_unread(store)


def last_deliveries(home: Home) -> dict[tuple[str, str], LastSync]:
    """What the latest sync delivered, by segment and destination."""
    with open_store(home) as store:
        return last_syncs(store)


def unknown_rows(home: Home, segment: str | None, destination: str | None) -> list[OpenIntent]:
    """The rows of unknown fate of these targets: they may have arrived or not."""
    with open_store(home) as store:
        rows = open_intents(store, ["unknown"])
    return [
        row
        for row in rows
        if segment in (None, row.segment) and destination in (None, row.destination)
    ]


def resolve_rows(home: Home, key: str, answer: str, by: str) -> Resolution:
    """Record what a person says of rows of unknown fate.

    Raises:
        BusyError: a sync or a run holds the home.
        StoreError: the operational store is gone or not this home's.
        UsageError: the key names no row of unknown fate, or the answer is none.
    """
    answered = as_answer(answer)
    check_continuity(home)
    with lock.hold(home.sending_lock), open_store(home) as store:
        return resolve(store, key, answered, by=by, at=moment(home))


def who_is_planned(home: Home, plans: Sequence[Plan]) -> list[Planned]:
    """Everybody of these plans, and whoever the destinations have already; addresses masked."""
    people = []
    with open_store(home) as store, store.read() as connection:
        for plan in plans:
            kinds = ADDRESS_TYPES.get(plan.target.channel, ())
            changed = {change.customer_id: change for change in plan.changes}
            held = {each.customer_id: str(each.reason) for each in plan.held_back}
            has = delivered_states(connection, plan.target)
            for customer_id in sorted({*changed, *held, *has}):
                change, state = changed.get(customer_id), has.get(customer_id)
                payload = change.payload if change else state.payload if state else {}
                people.append(
                    Planned(
                        plan.target,
                        customer_id,
                        change.operation if change else "has it" if state else "held back",
                        masked_address(payload, kinds),
                        held.get(customer_id, ""),
                    )
                )
    return people


def masked_address(payload: Payload, kinds: Sequence[str]) -> str:
    """The first address of these kinds as `m***@e***.org`: to recognise, not to use."""
    value = next((str(payload[kind]) for kind in kinds if payload.get(kind)), "")
    name, at, domain = value.rpartition("@")
    if at:
        return f"{name[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"
    return f"{value[:3]}***{value[-2:]}" if len(value) > 7 else "***" if value else ""


@dataclass(frozen=True)
class Failure:
    """Why one target was not delivered to, or not wholly."""

    target: Target
    error: RegularsError


@dataclass(frozen=True)
class Synced:
    """What became of each target: a report, or why not."""

    reports: list[SyncReport]
    failures: list[Failure]

    def raise_failures(self) -> None:
        """Tell of all failures at once, each sentence once however many segments it stopped.

        Raises:
            RegularsError: the only failure as it is; of several, one with all their sentences. Its
                exit code is theirs where they have one in common, else 1.
        """
        if not self.failures:
            return
        if len(self.failures) == 1:
            raise self.failures[0].error
        targets: dict[str, list[str]] = {}
        for failure in self.failures:
            error, target = failure.error, failure.target
            sentence = f"{target.destination}: {error.message} {error.hint}".strip()
            targets.setdefault(sentence, []).append(target.segment)
        lines = [
            f"  {', '.join(segments)} to {destination}" for destination, segments in targets.items()
        ]
        tried = len(self.reports) + len(self.failures)
        head = f"{len(self.failures)} of {tried} deliveries failed or were left halfway:"
        combined = RegularsError("\n".join([head, *lines]), "The next `regulars sync` goes on.")
        codes = {failure.error.exit_code for failure in self.failures}
        combined.exit_code = codes.pop() if len(codes) == 1 else RegularsError.exit_code
        raise combined


def sync_all(
    home: Home, segment: str | None, destination: str | None, approval: Approval | None = None
) -> Synced:
    """Deliver to all targets asked for; what one destination refuses keeps none from the others.

    Raises:
        UsageError: an approval was given for more than one target.
    """
    with open_delivery(home, exclusive=True) as context:
        chosen = targets(home, context.settings, segment, destination)
        if approval and len(chosen) != 1:
            raise UsageError(
                f"An approval is for one plan; this would be {len(chosen)} of them.",
                "Name the segment and the destination.",
            )
        return context.sync_each(chosen, approval)


def record_consent(
    home: Home,
    *,
    status: str,
    identifier_type: str,
    identifier: str,
    channel: str,
    purpose: str,
    source: str,
    occurred_at: datetime,
    wording: str = "",
    proof: str = "",
    expires_at: datetime | None = None,
) -> str:
    """Write a permission given or withdrawn into ops; returns the receipt id."""
    country = load_settings().shop.default_country
    home.create()
    with open_store(home) as store:
        if status == "revoked":
            return revoke_consent(
                store,
                identifier_type=identifier_type,
                identifier_value=identifier,
                channel=channel,
                purpose=purpose,
                source=source,
                at=occurred_at,
                default_country=country,
            )
        return grant_consent(
            store,
            identifier_type=identifier_type,
            identifier_value=identifier,
            channel=channel,
            purpose=purpose,
            source=source,
            wording_version=wording,
            at=occurred_at,
            default_country=country,
            expires_at=expires_at,
            proof=proof or None,
        )


def why_not_permitted(
    home: Home, identifier_type: str, identifier: str, channel: str, purpose: str, *, at: datetime
) -> Reason | None:
    """Why what is recorded of this identifier alone permits nothing at a moment; None if it does.

    Raises:
        StoreError: the permission facts cannot be read.
    """
    settings = load_settings()
    value = match_identifier(identifier_type, identifier, settings.shop.default_country)
    key = (identifier_type, value or identifier)
    policy = Policy(channel, purpose, settings.double_opt_in)
    with open_store(home) as store, store.read() as connection:
        state = load_states(connection, [key], policy, to_micros(at)).get(key, PermissionState())
    if state.opt_out or state.bounced:
        return state.opt_out or Reason.HARD_BOUNCE
    return None if state.receipt_id else state.lacking or Reason.NO_CONSENT


def export_consents(home: Home, path: Path) -> dict[str, int]:
    """Write all consent and suppression to one CSV file; returns the rows of each.

    Raises:
        StoreError: the operational store is gone or not this home's.
        UsageError: the file is there already, or cannot be written.
    """
    check_continuity(home)
    with open_store(home) as store:
        return write_consent_log(store, path)
