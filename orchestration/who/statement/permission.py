"""What a shop uses somebody's data for, what they permitted, who received it, how to change it.

Belongs here: those sections. Does not belong here: what is known of a person (`known`).
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime

from orchestration.who.statement.parts import Asked, Own, Row, Section, Tables
from orchestration.words import amounts, codes
from orchestration.words import to_customers as words

MAX_SAID = 40
_BASIS = "lawful_basis"
# Reasons that are the person's own words, rather than what happened to a message.
_OWN_WORDS = ("denied", "revoked", "unsubscribed", "spam_report", "gpc")


def uses(tables: Tables, asked: Asked, own: Own) -> Section:
    """How personal messages are, and the groups that decide which of them somebody gets."""
    zone = asked.settings.shop.zone
    sentences = []
    for row in tables.get("marts.customer_personalisation", ()):
        sentence = words.LEVELS[row["level"]]
        if row["reason"] == "never_asked":
            sentence += " We never asked you, so it stays at that."
        elif row.get("answered_at"):
            sentence += f" You said so on {amounts.day(row['answered_at'], zone)}"
            sentence += f", by {words.source(row.get('source'))}."
        sentences.append(sentence)
    held = [row for row in tables.get("activity.fct_holdouts", ()) if row.get("is_held_out")]
    if held:
        sentences.append("We leave you out of some messages, to measure what they do for others.")
    entered = {
        row["segment"]: row["entered_at"]
        for row in tables.get("marts.fct_segment_memberships", ())
        if row.get("is_current")
    }
    rows = []
    for name in sorted(tables):
        if not name.startswith("segments.seg_"):
            continue
        segment = name.removeprefix("segments.seg_")
        about = asked.segments.get(segment, {})
        rows += [
            (
                about.get("label") or codes.label(segment),
                own(row["reason"] or "–"),
                amounts.day(entered.get(segment), zone),
                _used_for(about),
            )
            for row in tables[name]
        ]
    sentences.append(
        "Each of these groups chooses who gets a message; it goes out only where you permitted it."
        if rows
        else "You are in none of the groups by which we choose who gets a message."
    )
    columns = ("Group", "Why you are in it", "Since", "What for")
    return Section("What we use it for", sentences, columns if rows else (), rows)


def _used_for(segment: Row) -> str:
    kind = words.MESSAGE_KINDS.get(str(segment.get("message_kind")), "Messages")
    way = words.CHANNELS.get(str(segment.get("channel")), "")
    return f"{kind} by {way}" if way else kind


def permitted(tables: Tables, asked: Asked, own: Own) -> Section:
    """The gate's answer of today for all that the person was ever asked or said."""
    zone = asked.settings.shop.zone
    receipts = {row["consent_event_id"]: row for row in tables.get("ops.consent_events", ())}
    rows = []
    for (channel, purpose), (reason, receipt) in asked.permitted.items():
        if reason in ("no_consent", "unknown_person"):
            continue
        fact = receipts.get(receipt or "") or _refusal(tables, channel, purpose, reason)
        answer = words.answer(
            _reason_code(tables, reason, fact, (channel, purpose)), fact.get(_BASIS)
        )
        if reason in _OWN_WORDS and _differ(tables, channel, purpose):
            answer += words.DIFFERENT
        rows.append(
            (
                words.CHANNELS[channel],
                words.PURPOSES[purpose],
                answer,
                amounts.day(fact.get("occurred_at"), zone),
                words.source(own(fact["source"])) if fact.get("source") else "–",
            )
        )
    rows.sort(key=lambda row: not row[2].startswith("Yes"))
    if not rows:
        return Section("What we may send you", ["You permitted nothing, so we send you nothing."])
    rest = "For everything that is not here we have no permission, so we send nothing."
    return Section(
        "What we may send you", [rest], ("How", "What for", "May we", "Since", "Where"), rows
    )


def _facts(tables: Tables, channel: str, purpose: str) -> list[Row]:
    """What was said that bears on a channel and purpose, as the gate reads it.

    A suppression for every purpose leaves the transactional one alone.
    """
    return [
        row
        for name in ("ops.consent_events", "ops.suppressions")
        for row in tables.get(name, ())
        if row["channel"] in (channel, "*")
        and row["purpose"] in (purpose, "*")
        and (name, purpose, row["purpose"]) != ("ops.suppressions", "transactional", "*")
    ]


def _refusal(tables: Tables, channel: str, purpose: str, reason: str) -> Row:
    """The newest no that bears on a channel and purpose, of the gate's reason where one has it."""
    facts = [row for row in _facts(tables, channel, purpose) if row.get("status") != "granted"]
    facts = [row for row in facts if reason in (row.get("status"), row.get("reason"))] or facts
    return max(facts, key=lambda row: row["occurred_at"], default={})


def _reason_code(tables: Tables, reason: str, fact: Row, covers: tuple[str, str]) -> str:
    """A reason; a yes can be taken back only where one was given for what is covered before."""
    return reason if reason != "revoked" or _had_yes(tables, fact, covers) else "denied"


def _had_yes(tables: Tables, fact: Row, covers: tuple[str, str]) -> bool:
    channel, purpose = covers
    return any(
        row["status"] == "granted"
        and row.get(_BASIS) not in words.WITHOUT_A_YES
        and channel in (row["channel"], "*")
        and purpose in (row["purpose"], "*")
        and row["occurred_at"] <= fact.get("occurred_at", row["occurred_at"])
        for row in tables.get("ops.consent_events", ())
    )


def _differ(tables: Tables, channel: str, purpose: str) -> bool:
    """Whether the newest words of one identifier are a yes, and those of another a no."""
    newest: dict[tuple[str, str], Row] = {}
    for row in sorted(_facts(tables, channel, purpose), key=lambda row: row["occurred_at"]):
        newest[row["identifier_type"], row["identifier_value"]] = row
    return len({row.get("status") == "granted" for row in newest.values()}) > 1


def statements(tables: Tables, asked: Asked, own: Own) -> Section:
    """Every yes, no and question, the newest first."""
    zone = asked.settings.shop.zone
    facts = [
        (row["occurred_at"], words.status(_of_row(tables, row, column), row.get(_BASIS)), row)
        for name, column in (("ops.consent_events", "status"), ("ops.suppressions", "reason"))
        for row in tables.get(name, ())
    ]
    facts += [
        (row["occurred_at"], words.STATUSES["requested"], row)
        for row in tables.get("ops.consent_requests", ())
    ]
    facts.sort(key=lambda fact: (fact[0], fact[1]), reverse=True)
    rows = [
        (
            amounts.day(moment, zone),
            answer,
            words.CHANNELS.get(row["channel"], codes.label(row["channel"])),
            words.PURPOSES.get(row["purpose"], "a list of messages"),
            words.source(own(row["source"])),
        )
        for moment, answer, row in facts
    ]
    rows = list(dict.fromkeys(rows))
    sentences = [] if rows else ["Nothing is recorded."]
    if len(rows) > MAX_SAID:
        sentences.append(f"The newest {MAX_SAID} of {len(rows)}:")
    columns = ("When", "What", "How", "What for", "Where")
    return Section(
        "What you told us about that", sentences, columns if rows else (), rows[:MAX_SAID]
    )


def _of_row(tables: Tables, row: Row, column: str) -> str:
    return _reason_code(tables, str(row[column]), row, (row["channel"], row["purpose"]))


def received(tables: Tables, asked: Asked) -> Section:
    """Who got what of the person, by the ledger, and whether they have it still."""
    zone = asked.settings.shop.zone
    moments: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in tables.get("ops.deliveries", ()):
        if row["outcome"] == "delivered" and row["operation"] != "removed":
            moments[row["destination"], row["segment"]].append(row["delivered_at"])
    states = {
        (row["destination"], row["segment"]): row for row in tables.get("ops.audience_states", ())
    }
    rows = [
        (
            _destination(asked, destination),
            asked.segments.get(segment, {}).get("label") or codes.label(segment),
            _sent(states.get((destination, segment), {}), asked.segments.get(segment, {})),
            amounts.day(min(days), zone),
            amounts.day(max(days), zone),
            "yes" if states.get((destination, segment), {}).get("is_member") else "no, removed",
        )
        for (destination, segment), days in sorted(moments.items())
    ]
    sentences = [] if rows else ["Nobody: nothing about you was handed to another system."]
    levels = {row["level"] for row in tables.get("marts.customer_personalisation", ())}
    along = dict.fromkeys(name for state in states.values() for name in _traits(state))
    if along and "full" not in levels:
        sentences.append(words.GOES_ALONG.format(", ".join(along)))
    columns = ("Who", "For the group", "What", "First", "Last", "Have it still")
    return Section("Who received it", sentences, columns if rows else (), rows)


def _destination(asked: Asked, name: str) -> str:
    """A destination by the shop's name for it; a file has none that says anything."""
    known = asked.settings.destinations.get(name)
    is_file = name == "file" if known is None else known.kind == "file"
    return "A file of ours" if is_file else codes.label(name)


def _sent(state: Row, segment: Row) -> str:
    """What a destination has, in words, without the shop's own ids.

    Whoever may not be told what is known of them went out with the group's description.
    """
    content = _content(state)
    plain = {"reason": segment.get("description"), "context": segment.get("plain_context")}
    fields = [
        words.PLAIN if name in plain and value == plain[name] else _sent_name(name)
        for name, value in content.items()
        if name not in ("customer_id", "segment")
    ]
    return ", ".join(dict.fromkeys(fields)) or "address and group"


def _traits(state: Row) -> list[str]:
    """What goes with an address at every level: name, country, columns that the shop added."""
    own = {"customer_id", "segment", "reason", "context", *words.ADDRESSES}
    return [_sent_name(name) for name in _content(state) if name not in own]


def _sent_name(name: str) -> str:
    return words.SENT.get(name, codes.label(name).lower())


def _content(state: Row) -> dict[str, object]:
    content = json.loads(state.get("payload") or "{}")
    return {name: value for name, value in content.items() if value not in (None, "", "{}")}


def changes(asked: Asked) -> Section:
    """What somebody can do who wants it otherwise."""
    settings = asked.settings
    contact = settings.privacy.contact
    ask = f"Write to {contact}" if contact else "Ask us, by an answer to any message or in the shop"
    sentences = [
        f"{ask}: we correct what is wrong, give you a copy of everything, or delete it.",
        "The link to unsubscribe in an email ends these emails.",
    ]
    if asked.link:
        sentences.append(
            f"This one is yours, and ends all emails but those about orders: {asked.link}"
        )
    kinds = {own.kind_of(name) for name, own in settings.webhooks.items()}
    if kinds & {"twilio", "klaviyo"}:
        sentences.append("Answer STOP to a text message, and you get no more of them.")
    sentences.append(
        "Switch on Global Privacy Control in your browser, and we neither pass on your data nor use"
        " it for advertising."
    )
    return Section("How to change it", sentences)
