"""Who somebody is to the shop, what it knows of them besides, and how often they were in touch.

Belongs here: those sections. Does not belong here: orders (`purchases`), permission and who
received what (`permission`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import datetime
from zoneinfo import ZoneInfo

from ingestion.vocabulary import IDENTIFIER_TYPES
from orchestration.who.statement.parts import (
    Asked,
    Own,
    Row,
    Rows,
    Section,
    Tables,
    own_identifiers,
)
from orchestration.words import amounts, codes
from orchestration.words import to_customers as words
from orchestration.words.rfm_groups import group_words

_WHO = ("What", "Value", "How we know", "From", "First known", "Last seen")
_TRAITS = ("What", "Value", "How we know", "From", "As of")
_NAMES = {
    "first_name": "First name",
    "last_name": "Last name",
    "postcode": "Postcode",
    "region_code": "State or province",
}
# Traits whose value can only be about the person who has them. A column of a list's own can hold
# anybody, in any language (who recommended them, a daughter): it is named without its value.
_OWN = frozenset(
    {
        *("gender", "job", "birthday", "birth_year", "timezone", "country", "loyalty_tier"),
        *("preferred_channel", "buys_gifts", "buys_gifts_for", "shoe_size", "clothing_size"),
        *("size", "fit", "ring_size", "height", "weight", "home_ownership", "lifestyle"),
        *("values", "needs", "hobby", "favourite_colour", "favorite_color", "style", "income"),
        *("religion", "faith", "ethnicity", "nationality", "politics", "political_party"),
        *("union_member", "bought_fit", "bought_hour", "bought_weekday", "bought_city"),
        *("visited_hour", "visited_weekday", "visited_city"),
    }
)
_POSTCODE = re.compile(r"[\w -]{1,12}")
_FEEDBACK = {
    "review": "Reviews you wrote",
    "product_reviewed": "Reviews you wrote",
    "nps": "Questions about us that you answered",
    "quiz": "Quizzes you filled in",
    "quiz_completed": "Quizzes you filled in",
    "complaint": "Complaints you made",
    "support": "Requests to our service",
    "referral": "Recommendations you made",
}


def who(tables: Tables, asked: Asked, own: Own) -> Section:
    """Names, and identifiers that are the person's alone; those that mean nothing, counted."""
    zone = asked.settings.shop.zone
    claims = tables.get("marts.fct_customer_field_provenance", ())
    rows = [
        _claimed(title, claim, zone, own)
        for name, title in _NAMES.items()
        for claim in claims
        if claim["field"] == name and claim["is_winner"] and _says_something(claim)
    ]
    claims_by_value = {(row["field"], row["claimed_value"]): row for row in claims}
    counted: dict[str, list[Row]] = defaultdict(list)
    identifiers = sorted(own_identifiers(tables), key=_in_order)
    for identifier in identifiers:
        kind, value = identifier["identifier_type"], identifier["identifier_value"]
        if kind in words.IDENTIFIERS:
            rows.append(_identifier(identifier, claims_by_value.get((kind, value), {}), zone))
        else:
            counted[kind].append(identifier)
    rows += [
        (title, str(len(counted[kind])), words.KINDS["observed"], "–", *_seen(counted[kind], zone))
        for kind, title in words.COUNTED.items()
        if counted[kind]
    ]
    return Section("Who you are to us", [] if rows else ["Nobody we have a name for."], _WHO, rows)


def _says_something(claim: Row) -> bool:
    """Whether a claim has a value; a region's is a country alone where no region is named."""
    value = str(claim["claimed_value"] or "")
    return "-" in value if claim["field"] == "region_code" else bool(value)


def _in_order(identifier: Row) -> tuple[int, str]:
    kind = str(identifier["identifier_type"])
    return IDENTIFIER_TYPES.index(kind), str(identifier["identifier_value"])


def _claimed(title: str, claim: Row, zone: ZoneInfo, own: Own) -> tuple[str, ...]:
    origin = words.source(claim.get("source_system"))
    kind = words.KINDS.get(str(claim.get("fact_kind")), "–")
    last = amounts.day(claim.get("stated_at"), zone)
    value = str(claim["claimed_value"])
    is_postcode = claim["field"] == "postcode" and _POSTCODE.fullmatch(value)
    return title, value if is_postcode else own(value), kind, origin, "–", last


def _identifier(identifier: Row, claim: Row, zone: ZoneInfo) -> tuple[str, ...]:
    title = words.IDENTIFIERS[identifier["identifier_type"]]
    return (
        f"{title} (proved to be yours)" if identifier.get("is_verified") else title,
        str(identifier["identifier_value"]),
        words.KINDS.get(str(claim.get("fact_kind")), words.KINDS["observed"]),
        words.GRADES.get(str(identifier.get("evidence_grade")), "what you permitted or refused"),
        *_seen([identifier], zone),
    )


def _seen(identifiers: Rows, zone: ZoneInfo) -> tuple[str, str]:
    """The first and the last day of identifiers of a kind."""
    first = [row["first_seen_at"] for row in identifiers if row.get("first_seen_at")]
    last = [row["last_seen_at"] for row in identifiers if row.get("last_seen_at")]
    return amounts.day(min(first, default=None), zone), amounts.day(max(last, default=None), zone)


def traits(tables: Tables, asked: Asked, own: Own) -> Section:
    """Traits, one line for each and kind of evidence, and what the shop works out of them."""
    zone = asked.settings.shop.zone
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in tables.get("marts.customer_traits", ()):
        if row.get("valid_to") is None:
            groups[row["evidence_kind"], row["trait"]].append(row)
    rows: list[tuple[str, ...]] = []
    kinds = list(words.KINDS)
    for (kind, trait), traits in sorted(
        groups.items(), key=lambda item: (kinds.index(item[0][0]), item[0][1])
    ):
        best_first = sorted(traits, key=lambda row: (-(row.get("score") or 0), str(row["value"])))
        texts = [_shown(trait, row["value"], asked) for row in best_first]
        values = dict.fromkeys(_value(trait, own(text)) for text in texts)
        sources = dict.fromkeys(words.source(row["source"]) for row in best_first)
        last = max((row["stated_at"] for row in traits if row.get("stated_at")), default=None)
        text = ", ".join(values) if is_own(trait) else words.OTHERS
        title = words.TRAITS.get(trait, codes.label(own(trait)))
        rows.append((title, text, words.KINDS[kind], "; ".join(sources), amounts.day(last, zone)))
    rows += _worked_out(tables, asked)
    sentences = [] if rows else ["Nothing."]
    return Section("What we know of you besides", sentences, _TRAITS, rows)


def _shown(trait: str, value: str, asked: Asked) -> str:
    """What a trait's value stands for: a product has a name, where the shop still knows it."""
    if trait in words.OF_PRODUCTS:
        return asked.products.get(value, "a product without a name")
    return value


def is_own(trait: str) -> bool:
    """Whether a trait's value can only be about the person who has it."""
    return trait in words.TRAITS or trait in _OWN


def _value(trait: str, value: str) -> str:
    """A trait's value as people write it: a birthday as day and month, an hour, a weekday."""
    if trait == "birthday":
        try:
            return f"{datetime.strptime(f'2000-{value}', '%Y-%m-%d'):%-d %B}"  # noqa: DTZ007
        except ValueError:
            return value
    if trait in words.HOURS:
        return f"{value} o'clock"
    if trait in words.WEEKDAYS:
        return value.capitalize()
    return value.replace("_", " ") if value.isascii() else value


def _worked_out(tables: Tables, asked: Asked) -> list[tuple[str, ...]]:
    inferred, zone = words.KINDS["inferred"], asked.settings.shop.zone
    rows: list[tuple[str, ...]] = []
    for row in tables.get("marts.fct_customer_journey_stages", ()):
        if row.get("is_current"):
            where = codes.stages({}).get(row["stage"], codes.label(row["stage"]))
            text = f"{where}, since {amounts.day(row.get('entered_at'), zone)}"
            text += f" (then: {row['entry_reason']})" if row.get("entry_reason") else ""
            until = amounts.day(asked.as_of, zone)
            rows.append(("Where you are with us", text, inferred, "visits and orders", until))
    for row in sorted(
        tables.get("marts.customer_channel_preferences", ()), key=lambda row: row["rank"]
    ):
        text = words.CHANNELS.get(row["channel"], codes.label(row["channel"]))
        if row.get("time_basis") == "own":
            text += f", mostly on {row['best_weekday'].capitalize()} at {row['best_hour']} o'clock"
        if row["basis"] == "measured":
            last = amounts.day(row.get("last_reacted_at"), zone)
            rows.append(("Where you answer us", text, words.KINDS["observed"], "messages", last))
    for row in _latest(tables.get("marts.fct_customer_rfm", ())):
        text = group_words().get(row["rfm_segment"], codes.label(row["rfm_segment"]))
        since = amounts.day(row["as_of_date"], zone)
        rows.append(("Beside our other buyers", text, inferred, "your orders", since))
    return rows


def _latest(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: row["as_of_date"])[-1:]


def contacts(tables: Tables, asked: Asked, own: Own) -> Section:
    """How often they visited, were written to and answered, without what was searched or said."""
    zone = asked.settings.shop.zone
    moments: dict[str, list[datetime]] = defaultdict(list)
    for row in tables.get("marts.fct_web_sessions", ()):
        moments["Visits to our web site"].append(row["started_at"])
    for row in tables.get("marts.fct_messages", ()):
        way = codes.CHANNELS.get(row["channel"], codes.label(row["channel"]))
        moments[f"Messages to you: {way}"].append(row["sent_at"])
        opened = row.get("clicked_at") or row.get("opened_at")
        if opened:
            moments[f"Messages that you opened or clicked: {way}"].append(opened)
    for row in tables.get("marts.fct_interactions", ()):
        if row["kind"] in _FEEDBACK:
            moments[_FEEDBACK[row["kind"]]].append(row["occurred_at"])
    rows = []
    for what, times in moments.items():
        known = sorted(each for each in times if each is not None)
        ends = [amounts.day(each, zone) for each in (known[:1] + known[-1:])] or ["–", "–"]
        rows.append((what, str(len(times)), *ends))
    lists = [
        f"You are on our list “{own(row['list_name'] or 'without a name')}”."
        for row in tables.get("marts.customer_lists", ())
        if row["is_member"]
    ]
    sentences = lists if rows or lists else ["None that we know of."]
    return Section(
        "Visits, messages and answers", sentences, ("What", "How many", "First", "Last"), rows
    )
