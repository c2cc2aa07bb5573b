"""How figures, codes and people are written on the page.

Belongs here: formats, plain words for codes, and masks. Does not belong here: reading data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

SYMBOLS = {"GBP": "£", "EUR": "€", "USD": "$", "JPY": "¥"}
FEW = 10  # groups smaller than this are not told apart (RELIABILITY: small segments)
DOT = "•••"

# Groups compare buyers with one another, so their words do too; the numbers are each group's own.
RFM_GROUPS = {
    "champions": "The last to buy, with more history than most",
    "loyal": "Bought later than most, with more history",
    "active": "Bought later than most, with as much history",
    "new": "The last to buy, with less history than most",
    "promising": "Bought later than most, with less history",
    "needs_attention": "Neither late nor long ago, compared with the others",
    "at_risk": "Longer away than most, with as much history or more",
    "previously_loyal": "Longer away than most, with the most history",
    "almost_lost": "Longer away than most, with less history",
    "dormant": "Away the longest, with the least history",
}
THRESHOLDS = {
    "loyal_min_orders": "Loyal from",
    "advocacy_min_orders": "In the stage advocacy from",
    "at_risk_min_orders": "At risk, when overdue, from",
    "overdue_min_days": "Overdue after, at the earliest",
    "recent_buyer_days": "A recent buyer for",
}
REASONS = {
    "granted": "may be contacted",
    "no_consent": "no permission on record",
    "unknown": "no permission on record",
    "denied": "permission denied",
    "revoked": "permission withdrawn",
    "expired": "permission expired",
    "unconfirmed": "opt-in not confirmed",
    "no_source": "permission without a source",
    "no_address": "no address for the channel",
    "unsubscribed": "unsubscribed",
    "spam_report": "reported spam",
    "hard_bounce": "address bounced",
    "manual": "stopped by hand",
    "gpc": "browser says do not share",
    "forgotten": "asked to be forgotten",
    "unknown_opt_out": "opted out",
    "unknown_person": "no longer known",
    "address_changed": "address changed meanwhile",
}
REFUSALS = {
    "shared_device": "Device used by several people",
    "shared_payment_card": "Card used by several people",
    "shared_phone": "Phone used by several people",
    "shared_email": "Email used by several people",
    "shared_login": "Login used by several people",
    "role_address": "Address of a role, such as info@, that several people use",
    "placeholder": "Made-up value from a form",
    "counting_digits": "Number that just counts up",
    "repeated_digits": "Number of one repeated digit",
    "reserved_number": "Number that belongs to nobody",
    "blocked_value": "Value on the block list",
    "role_account": "Account of a role address",
    "several_names": "Account under the names of several people",
    "shared_orders_customer_id": "Customer number used by several people",
    "unnamed_record": "Record that does not say whose it is",
    "unnamed_visitor": "Visitor without a name on somebody's device",
    "unproved_login": "Typed while another's account was signed in",
    "passed_on": "Phone number with a new owner",
    "several_people": "Would have joined two people",
    "cannot_link": "Kept apart by a rule",
    "identity_rule": "Blocked by a rule",
    "all_zeros": "Number of nothing but zeros",
    "test_address": "Address made for a test",
    "shared_loyalty_id": "Loyalty card used by several people",
    "shared_shopify_customer_id": "Shop account used by several people",
    "shared_klaviyo_profile_id": "Mail profile used by several people",
    "too_many_emails": "Seen with too many addresses",
    "too_many_phones": "Seen with too many phones",
    "too_many_logins": "Seen with too many logins",
    "too_many_cards": "Seen with too many cards",
    "too_many_accounts": "Seen with too many accounts",
    "too_many_devices": "Seen with too many devices",
    "too_many": "Would have been more of a kind than one person has",
}
# Refused because of the two together; any other refusal is about one value, which then joins nobody
OF_THE_PAIR = (
    "several_people",
    "cannot_link",
    "too_many",
    "unnamed_record",
    "unnamed_visitor",
    "unproved_login",
)
SURVIVAL = {
    "best_grade": "best evidence",
    "most_recent": "said last",
    "most_frequent": "said most often",
    "source_priority": "from the source that goes first",
    "minimum": "the smallest",
    "maximum": "the greatest",
    "any": "one yes is enough",
    "all": "a yes only where all say yes",
    "union": "all that were said",
}
CHANNELS = {"email": "Email", "sms": "SMS", "push": "Push", "ads": "Ads", "onsite": "On site"}

_ADDRESS = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+")


def count(value: float | None) -> str:
    """A whole number with separators."""
    return "–" if value is None else f"{int(value):,}"


def few(value: int) -> str:
    """A group's size, not told exactly when it is too small."""
    return f"under {FEW}" if 0 < value < FEW else count(value)


def counted(number: int, unit: str) -> str:
    """A number with its unit in the plural: "1 order", "2,000 days"."""
    return f"{number:,} {unit.removesuffix('s') if number == 1 else unit}"


def typical(order_count: int, recency_days: int) -> str:
    """A group's medians, as part of a sentence."""
    last = "today" if recency_days == 0 else f"{counted(recency_days, 'days')} ago"
    return f"typically {counted(order_count, 'orders')}, the last one {last}"


def orders_between(least: int, most: int) -> str:
    """A range of order counts."""
    return counted(most, "orders") if least == most else f"{least:,} to {most:,} orders"


def days_between(least: int, most: int) -> str:
    """How long ago, as a range of days."""
    if most == 0:
        return "today"
    return f"{most:,} d ago" if least == most else f"{least:,} to {most:,} d ago"


def stages(thresholds: Mapping[str, int]) -> dict[str, str]:
    """What each journey stage means in this shop."""
    enough = thresholds.get("advocacy_min_orders")
    return {
        "awareness": "Came by or got in touch",
        "consideration": "Came back or looked around",
        "acquisition": "Wish list, cart or checkout",
        "purchase": f"Ordered, fewer than {counted(enough, 'orders')}" if enough else "Ordered",
        "advocacy": f"{counted(enough, 'orders')} or more, or fewer and a recommendation"
        if enough
        else "Loyal, or recommends the shop",
    }


def basis(code: str, repeat_count: int, repeat_buyer_count: int) -> str:
    """Where a threshold of the shop's own rhythm comes from."""
    repeats = f"{counted(repeat_count, 'repeats')} by {counted(repeat_buyer_count, 'buyers')}"
    return {
        "auto": f"worked out from {repeats}",
        "setting": "set under [models] in the settings",
        "floor": f"fixed, because {repeats} are too few to tell",
    }.get(code, code)


def money(value: Decimal | float | None, currency: str, digits: int = 0) -> str:
    """An amount with its currency; a dash where it is not known."""
    if value is None:
        return "–"
    sign = "−" if value < 0 else ""
    amount = f"{abs(value):,.{digits}f}"
    symbol = SYMBOLS.get(currency)
    return f"{sign}{symbol}{amount}" if symbol else f"{sign}{amount} {currency}".rstrip()


def share(part: float, whole: float) -> str:
    """A percentage; "under 1 %" rather than a false zero."""
    if not whole:
        return "–"
    value = part / whole
    if 0 < value < 0.01:
        return "under 1 %"
    if 0.99 < value < 1:
        return "over 99 %"
    return f"{value:.0%}".replace("%", " %")


def change(now: Decimal | None, before: Decimal | None) -> str:
    """How a figure moved, in words; nothing where either is not known."""
    if now is None or not before:
        return ""
    moved = now / before - 1
    if abs(moved) < 0.005:
        return "unchanged"
    return f"{'+' if moved > 0 else '−'}{abs(moved):.0%}".replace("%", " %")


def moment(value: datetime | None) -> str:
    """A time, to the minute, in UTC."""
    return "–" if value is None else f"{value.day} {value:%B %Y, %H:%M} UTC"


def age(hours: float | None) -> str:
    """How long ago, in words."""
    if hours is None:
        return "–"
    if hours < 1:
        return "within the hour"
    if hours < 48:
        return f"{int(hours)} hour{'s' if int(hours) != 1 else ''} ago"
    return f"{int(hours // 24)} days ago"


def label(code: str | None) -> str:
    """A code as words: `previously_loyal` becomes "Previously loyal"."""
    return "–" if not code else code.replace("_", " ").capitalize()


def refusal(code: str | None) -> str:
    """Why two identifiers were not joined, as a sentence."""
    words = REFUSALS.get(code or "", label(code or "refused"))
    return f"{words}; {'the two stay apart' if code in OF_THE_PAIR else 'it joins nobody'}."


def mask(email: str | None, first_name: str | None, last_name: str | None) -> str:
    """Somebody as m•••@e•••.com, else as initials, else as a visitor."""
    if email and "@" in email:
        local, _, domain = email.rpartition("@")
        host, _, ending = domain.rpartition(".")
        return f"{local[:1]}{DOT}@{(host or ending)[:1]}{DOT}{'.' + ending if host else ''}"
    names = [(name or "").strip() for name in (first_name, last_name)]
    initials = [f"{name[0].upper()}." for name in names if name]
    return " ".join(initials) if initials else "Somebody without a name"


def without_addresses(text: str) -> str:
    """A text in which any email address is masked, should one have slipped in."""
    return _ADDRESS.sub(lambda found: mask(found.group(), None, None), text)
