"""The ordered lists of codes that several places share, each once.

dbt has the same lists as seeds and macros, because SQL cannot read Python;
tests/test_vocabulary.py holds them against these.

Belongs here: lists whose members or order mean the same on both sides of the raw store. Does not
belong here: their words for people (`orchestration/words`) and codes that one module alone uses.
"""

from __future__ import annotations

from enum import StrEnum

# In the order in which people are shown them; the seed `identifier_types` has the order of trust.
IDENTIFIER_TYPES = (
    "email",
    "phone",
    "login",
    "payment_card",
    "loyalty_id",
    "device",
    "shopify_customer_id",
    "klaviyo_profile_id",
    "orders_customer_id",
    "publisher_login",
    "push_token",
)

# Of a browser or an app: they are somebody, and do not say who.
DEVICE, PUSH_TOKEN = "device", "push_token"
ANONYMOUS_TYPES = (PUSH_TOKEN, DEVICE)

# Best evidence first.
GRADES = ("card_paid_order", "verified_login", "checkout", "store_till", "newsletter", "import")

CHANNELS = ("email", "sms", "push", "ads", "onsite")
# Where somebody who gave no name can be met, by device.
ANONYMOUS_CHANNELS = ("push", "ads", "onsite")
PURPOSES = ("marketing", "personalisation", "ads", "sell_share", "transactional")
# How much a message may know of its reader.
LEVELS = ("none", "segment", "full")
# What a message is for. The first four may follow an order at once.
MESSAGE_KINDS = (
    *("transactional", "service", "thank_you", "education"),
    *("welcome", "reminder", "recommendation", "newsletter", "offer", "win_back"),
)
AFTER_AN_ORDER = MESSAGE_KINDS[:4]
# What may go out for the purpose transactional: a contract permits what concerns the order itself,
# and thanks for it. The first two go out for no other purpose.
OF_A_CONTRACT = MESSAGE_KINDS[:3]
ONLY_OF_A_CONTRACT = MESSAGE_KINDS[:2]
EVERY = "*"  # of channels, purposes or types of identifiers

# What a text column of the published file holds (`text_class` in the models' yml):
# identifier: names a person or a record of theirs. name, address (or a part of one), birthday,
# free_text (anybody may have written it, or it tells of one person), json (anything), url: as they
# say. label: written by the shop. word: of a closed list. key: of a thing of the shop. position: a
# number that counts within its row's order, person or list. visitor_text: of a browser. secret.
TEXT_CLASSES = (
    *("identifier", "name", "address", "birthday", "free_text", "json", "url"),
    *("label", "word", "key", "position", "visitor_text", "secret"),
)

# What people buy for, in the order of the year; after those with a date of their own the private.
OCCASIONS = (
    *("new_year", "lunar_new_year", "valentines_day", "womens_day", "carnival", "ramadan", "eid"),
    *("easter", "kings_day", "mothers_day", "fathers_day", "pride", "summer_sale"),
    *("back_to_school", "diwali", "halloween", "singles_day", "thanksgiving", "black_friday"),
    *("cyber_monday", "sinterklaas", "hanukkah", "christmas", "boxing_day", "winter_sale"),
    *("birthday", "wedding", "anniversary", "baby_shower", "graduation", "housewarming"),
)

# Where a web event happened.
TOUCHPOINTS = ("web", "app", "blog", "social", "kiosk", "iot")

# From the first contact on.
STAGES = ("awareness", "consideration", "acquisition", "purchase", "advocacy")

# Best customers first.
RFM_GROUPS = (
    "champions",
    "loyal",
    "active",
    "new",
    "promising",
    "needs_attention",
    "at_risk",
    "previously_loyal",
    "almost_lost",
    "dormant",
)


# What members get at a segment's first activation where being added is being contacted: nothing, or
# the message. The first is what holds where a segment's file says nothing.
FIRST_ACTIVATIONS = ("baseline", "send")
SEND_AT_FIRST = FIRST_ACTIVATIONS[1]


class Reason(StrEnum):
    """Why a person is held back; ordered from the strictest."""

    FORGOTTEN = "forgotten"
    SPAM_REPORT = "spam_report"
    UNSUBSCRIBED = "unsubscribed"
    MANUAL = "manual"
    GPC = "gpc"
    UNKNOWN_OPT_OUT = "unknown_opt_out"
    REVOKED = "revoked"
    DENIED = "denied"
    HARD_BOUNCE = "hard_bounce"
    UNCONFIRMED = "unconfirmed"
    EXPIRED = "expired"
    NO_CONSENT = "no_consent"
    NO_ADDRESS = "no_address"
    UNKNOWN_PERSON = "unknown_person"
    ADDRESS_CHANGED = "address_changed"
    NO_MESSAGE = "no_message"
    EVERYBODY = "everybody"
    BASELINE = "baseline"
    LEVEL = "level"
    HOLDOUT = "holdout"
    GOAL_REACHED = "goal_reached"
    TOO_LATE = "too_late"
    TOO_EARLY = "too_early"
    COOLDOWN = "cooldown"
    JUST_BOUGHT = "just_bought"
    QUIET_TIME = "quiet_time"
    SUPPORT = "support"
    COMPLAINT_RATE = "complaint_rate"
    CONTACT_CAP = "contact_cap"
    QUIET_HOURS = "quiet_hours"
    OTHER_SEGMENT = "other_segment"
    OTHER_CHANNEL = "other_channel"


# What a person said, so a newer opt-in with its evidence undoes it; a bounce, a manual stop, a
# signal and a word that nobody knows stay.
CLEARABLE = (Reason.SPAM_REPORT, Reason.UNSUBSCRIBED, Reason.REVOKED, Reason.DENIED)
# What is only known at the moment of sending, so no model says it: rows of somebody forgotten are
# taken out before any model reads them.
AT_SENDING = (
    *(Reason.FORGOTTEN, Reason.UNKNOWN_PERSON, Reason.ADDRESS_CHANGED),
    Reason.NO_MESSAGE,
)
# What the decision of the day says of somebody who may be contacted, in the order in which it asks.
OF_THE_DAY = (
    Reason.EVERYBODY,
    Reason.BASELINE,
    Reason.LEVEL,
    Reason.HOLDOUT,
    Reason.GOAL_REACHED,
    Reason.TOO_LATE,
    Reason.TOO_EARLY,
    Reason.COOLDOWN,
    Reason.JUST_BOUGHT,
    Reason.QUIET_TIME,
    Reason.SUPPORT,
    Reason.COMPLAINT_RATE,
    Reason.CONTACT_CAP,
    Reason.QUIET_HOURS,
    Reason.OTHER_SEGMENT,
    Reason.OTHER_CHANNEL,
)

# Kinds of senders of webhooks, each with the usual variable of its secret.
WEBHOOK_SECRETS = {
    "klaviyo": "KLAVIYO_WEBHOOK_SECRET",
    "segment": "SEGMENT_WRITE_KEY",
    "sendgrid": "SENDGRID_WEBHOOK_KEY",
    "shopify": "SHOPIFY_CLIENT_SECRET",
    "standard": "",
    "twilio": "TWILIO_AUTH_TOKEN",
}

# Parts of what Klaviyo says of a text that failed because its number can never be texted
LOST_NUMBER = ("disconnected", "incapable", "invalid", "landline")


def grade_rank(grade: str | None) -> int:
    """0 for the best evidence; what is no grade comes last."""
    return GRADES.index(grade) if grade in GRADES else len(GRADES)


def or_list(words: tuple[str, ...]) -> str:
    """`email, sms or push`."""
    return f"{', '.join(words[:-1])} or {words[-1]}"
