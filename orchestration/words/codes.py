"""Codes of the published tables in plain words.

Belongs here: one word list per kind of code, and sentences made of them. Does not belong here:
amounts and dates (`amounts.py`); reading data.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestration.words.amounts import counted

# Five scores among fewer buyers than five for each compare next to nobody.
RFM_MIN_BUYERS = 25

THRESHOLDS = {
    "loyal_min_orders": "Loyal from",
    "advocacy_min_orders": "In the stage advocacy from",
    "at_risk_min_orders": "At risk, when overdue, from",
    "overdue_min_days": "Overdue after, at the earliest",
    "recent_buyer_days": "A recent buyer for",
    "quiet_time_days": "No offers after an order for",
    "win_back_60_days": "Win-back, first step after",
    "win_back_75_days": "Win-back, second step after",
    "win_back_90_days": "Win-back, third step after",
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
    "no_message": "no message can be worded for them",
    "everybody": "the segment is nearly everybody, and its file does not say so",
    "baseline": "a member before the segment was first sent there",
    "level": "may not be told what the message says of them",
    "holdout": "held out, to measure what contacts do",
    "goal_reached": "did already what it was for",
    "too_late": "too late for it",
    "too_early": "not due yet",
    "cooldown": "had it a short while ago",
    "just_bought": "just bought it",
    "support": "complained or asked for help a short while ago",
    "quiet_time": "ordered a short while ago",
    "complaint_rate": "too many emails were reported as spam",
    "contact_cap": "had enough contacts",
    "quiet_hours": "quiet hours where they live",
    "other_segment": "another segment goes first",
    "other_channel": "reached on another channel",
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
    "shared_publisher_login": "Publisher's account used by several people",
    "shared_push_token": "Push address used by several people",
    "too_many_emails": "Seen with too many addresses",
    "too_many_phones": "Seen with too many phones",
    "too_many_logins": "Seen with too many logins",
    "too_many_cards": "Seen with too many cards",
    "too_many_accounts": "Seen with too many accounts",
    "too_many_devices": "Seen with too many devices",
    "too_many": "Would have been more of a kind than one person has",
}
# Refused because of the two together; any other refusal is about one value, which then joins nobody
OF_THE_EDGE = (
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
MODELS = {
    "bg_nbd": "the model of orders and silence (BG/NBD)",
    "mbg_nbd": "the model of orders and silence (MBG/NBD)",
    "after_last": "what others bought next",
    "own_last": "what they bought last",
    "own_most_frequent": "what they buy most",
    "logistic": "the model of signals and orders",
}
# How something of a person is known
EVIDENCE = {
    "stated": "stated by them",
    "observed": "seen in what they did",
    "inferred": "worked out",
}
# Why a prediction is withheld
UNPROVEN = {
    "history_too_short": "The shop's past is too short to prove it.",
    "too_few_repeat_buyers": "Too few people came back to learn from.",
    "too_few_signals": "Too few people showed signals, or too few ordered after them.",
    "did_not_converge": "No model fits the shop's past.",
    "nothing_paid": "No order came to more than zero.",
    "unknown_cost": "What the goods of some orders cost the shop is not known.",
    "loses_to_baseline": "On the shop's past a naive rule was nearer.",
    "not_surely_better": "On the shop's past it was not surely nearer than a naive rule.",
    "interval_misses": "On the shop's past its intervals were right too seldom.",
    "missing_rate": "An amount has no exchange rate.",
    "no_fitted_model": "The last run worked nothing out.",
    "past_date": "Only the run's own date has one.",
    "last_stage": "No stage comes after theirs.",
    "no_stage": "They are in no stage.",
    "no_category": "Nothing they bought has a category.",
}
# Why a figure of the whole shop is withheld, beyond why a prediction is
WITHHELD = {
    "nobody_alike_today": "Somebody had then bought as long ago and as often as nobody has today.",
    "younger_than_6_months": "Their first six months are not over.",
    "younger_than_30_months": "Their first 30 months are not over.",
    "nothing_spent": "They spent nothing in their first six months.",
    "too_few_people": "Too few people to tell.",
    "nobody_known_before": "Nobody of them was known before.",
    "nothing_before": "Everybody else bought nothing before.",
    "no_buyers": "Nobody of them has ordered yet.",
    "no_members": "Nobody is in it.",
    "no_holdout": "Nobody is held out of it.",
    "no_first_order": "No first order came by it.",
    "nothing_differs": "Nobody did anything that differs.",
    "nobody_kept": "Nobody of the year before bought again.",
    "retention_too_high": "Nearly everybody comes back already.",
    "no_margin": "What the goods of some orders cost the shop is not known.",
    "too_few_comebacks": "Too few people came back to judge it by.",
    "no_rhythm": "It is bought again at no regular interval.",
    "loses_to_declared": "What the catalogue says was right more often.",
}
RECOMMENDATIONS = {
    "next": "May like",
    "cross_sell": "Goes with their last order",
    "up_sell": "Costlier, within reach",
    "bundle": "Together with another",
    "replenish": "Needed again",
}
DISPLEASED = {
    "bad_review": "they reviewed it badly",
    "complaint": "they complained",
    "returned": "they sent it back",
}
# Where the days of a replenishment are from
INTERVALS = {
    "product": "The interval was found in this shop's own purchases and held on its past.",
    "category": "The interval was found in this shop's own purchases and held on its past.",
    "declared": "The interval is what the catalogue says; not tried on the past.",
}
# What people are asked for: offers on a channel, or what they looked at and bought (report).
ASKED = {
    **{"email": "Offers by email", "sms": "Offers by text message", "push": "Offers by push"},
    "personalisation": "Personal content",
}
CHANNELS = {"email": "Email", "sms": "SMS", "push": "Push", "ads": "Ads", "onsite": "On site"}

# How somebody took the latest step of a persona's path
PATH_STATES = {
    "to_begin": "the first step is next",
    "waiting": "they still have days to react",
    "reacted": "they reacted",
    "did_not_react": "they did not react",
    "answered": "the answer is done too",
    "ended": "nothing is left to do",
}


def few_buyers(buyers: int) -> str:
    """What the words of RFM are worth among so few buyers; empty where they are worth something."""
    if not 0 < buyers < RFM_MIN_BUYERS:
        return ""
    return (
        f"Groups rank buyers against each other, and here are fewer than {RFM_MIN_BUYERS}: a name"
        " such as “almost lost” can stand beside a fresh order. Go by the days and the orders."
    )


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


def why_not(code: str | None) -> str:
    """Why a figure is not said, as a sentence."""
    return {**UNPROVEN, **WITHHELD}.get(str(code), f"{label(str(code))}.")


def label(code: str | None) -> str:
    """A code as words: `previously_loyal` becomes "Previously loyal"."""
    return "–" if not code else code.replace("_", " ").capitalize()


def refusal(code: str | None) -> str:
    """Why two identifiers were not joined, as a sentence."""
    words = REFUSALS.get(code or "", label(code or "refused"))
    return f"{words}; {'the two stay apart' if code in OF_THE_EDGE else 'it joins nobody'}."


def reasons_in_words(counts: Mapping[str, int]) -> str:
    """`12 unsubscribed, 3 permission expired`, in the given order."""
    return ", ".join(f"{count:,} {REASONS.get(reason, reason)}" for reason, count in counts.items())
