"""Words for the customers themselves: what they said, what was seen, who says so, what it is for.

Belongs here: word lists in the second person, without codes and without terms of the trade. Does
not belong here: words for the shop's own people (`codes`), reading data.
"""

from __future__ import annotations

from orchestration.words.codes import label

IDENTIFIERS = {
    "email": "Email address",
    "phone": "Phone number",
    "login": "Login",
    "loyalty_id": "Loyalty card",
}
# Their values mean nothing to the person, so they are counted.
COUNTED = {
    "payment_card": "Payment cards, by a code that is not the card's number",
    "device": "Browsers or apps that you used",
    "push_token": "Apps that may show you notifications",
    "shopify_customer_id": "Accounts in our shop system",
    "klaviyo_profile_id": "Profiles at our mail service",
    "orders_customer_id": "Customer numbers",
    "publisher_login": "Logins at a publisher's",
}
KINDS = {
    "stated": "you told us",
    "observed": "seen in what you did",
    "inferred": "worked out",
}
GRADES = {
    "card_paid_order": "an order you paid by card",
    "verified_login": "your login",
    "checkout": "an order",
    "store_till": "our till",
    "newsletter": "a newsletter form",
    "import": "a list that we took over",
}
_SOURCES = {
    **GRADES,
    "contacts": "our contact lists",
    "shopify": "our shop system, Shopify",
    "klaviyo": "our mail service, Klaviyo",
    "orders": "your orders",
    "order": "your order",
    "order_lines": "your orders",
    "web": "our web site",
    "web_traits": "our web site",
    "feedback": "your answers",
    "messages": "your answer to a message",
    "customer_interests": "what you looked at and bought",
    "cookie_banner": "the cookie banner",
    "preference_centre": "your preferences page",
    "one_click": "the link to unsubscribe in a message",
    "command line": "our staff, who recorded it",
}
TRAITS = {
    "birthday": "Birthday",
    "buys_gifts": "Orders that you called a gift",
    "buys_gifts_for": "What you gave presents for",
    "bought_category": "Kinds of goods you bought",
    "bought_brand": "Brands you bought",
    "bought_size": "Sizes you bought",
    "bought_colour": "Colours you bought",
    "bought_fit": "Fits you bought",
    "bought_hour": "Hours at which you ordered, by our clock",
    "bought_weekday": "Days on which you ordered",
    "bought_city": "Places your orders were for",
    "visited_hour": "Hours at which you visited our web site, by our clock",
    "visited_weekday": "Days on which you visited our web site",
    "visited_city": "Places you visited our web site from",
    "viewed_category": "Kinds of goods you looked at",
    "interest_category": "Kinds of goods that may interest you",
    "interest_topic": "Subjects that may interest you",
    "interest_brand": "Brands that may interest you",
    "interest_variant": "Goods that may interest you",
    "interest_price_band": "Prices that may suit you, among goods of their kind",
    "interest_colour": "Colours that may suit you",
    "interest_size": "Sizes that may suit you",
    "interest_fit": "Fits that may suit you",
    "interest_configuration": "Sizes, colours, fits and materials together that may suit you",
    "searched_category": "Kinds of goods you searched for",
    "sends_elsewhere": "Whether you sent orders to another address",
    "usual_order_value": "What half of your orders came to, or less",
    "highest_price_paid": "The most you paid for one piece",
    "last_viewed_product": "What you looked at last",
    "cart_product": "What is in your cart",
    "store": "Stores you bought in",
    "device_kind": "Kinds of device you used",
    "timezone": "Time zone",
}
# Their values are products by their ids
OF_PRODUCTS = ("interest_variant", "last_viewed_product", "cart_product")
HOURS = ("bought_hour", "visited_hour")
WEEKDAYS = ("bought_weekday", "visited_weekday")
CHANNELS = {
    "email": "email",
    "sms": "text message",
    "push": "notification of an app or browser",
    "ads": "advertisements elsewhere",
    "onsite": "our web site",
    "*": "every way",
}
PURPOSES = {
    "marketing": "news and offers",
    "personalisation": "making them personal to you",
    "ads": "advertising",
    "sell_share": "passing your data on to others",
    "transactional": "your orders and our service",
    "*": "everything",
}
MESSAGE_KINDS = {
    "transactional": "Messages about your orders",
    "service": "Messages about our service",
    "thank_you": "Thank-you messages",
    "education": "Messages on how to use what you bought",
    "welcome": "Welcome messages",
    "reminder": "Reminders",
    "recommendation": "Recommendations",
    "newsletter": "Newsletters",
    "offer": "Offers",
    "win_back": "Messages that ask you back",
}
LEVELS = {
    "none": "What a message or a page says uses nothing that we know about you.",
    "segment": "Messages may use the group you are in, not what you did or told us.",
    "full": "Messages may use what you looked at, bought or told us.",
}
SIGNALS = "what you looked at, your orders and messages that you clicked"
OWN_FIGURES = "our own figures; no message and no page says it or rests on it"
TO_SHOW = "to choose what we show you, as you permitted"
NOT_LISTED = (
    "We also work out what may suit you or what you may need next. You have not permitted messages"
    " and pages to use what you looked at and bought, so they do not use it and it is not listed"
    " here; it is in the copy of everything."
)
STATUSES = {
    "requested": "We asked you",
    "granted": "You said yes",
    "denied": "You said no",
    "revoked": "You took your yes back",
    "unsubscribed": "You unsubscribed",
    "spam_report": "You reported a message as spam",
    "hard_bounce": "Our message could not be delivered",
    "manual": "We stopped it by hand",
    "gpc": "Your browser or you said not to share or sell",
}
# A permission that rests on something else than a yes.
WITHOUT_A_YES = {
    "contract": "You ordered, so we may write to you about it",
    "soft_opt_in": "You bought from us, so we may write to you about similar goods",
}
ANSWERS = {
    "granted": "Yes",
    "denied": "No: you said no",
    "revoked": "No: you took your yes back",
    "expired": "No: your yes has run out",
    "unconfirmed": "No: your yes was never confirmed",
    "unsubscribed": "No: you unsubscribed",
    "spam_report": "No: you reported a message as spam",
    "hard_bounce": "No: our message could not be delivered",
    "manual": "No: we stopped it by hand",
    "gpc": "No: your browser or you said not to share or sell",
    "no_address": "No: we have no address for it",
}
DIFFERENT = "; your devices or addresses answered differently, and the strictest answer holds"
ORDER_STATES = {
    "placed": "ordered",
    "returned": "sent back",
    "partially_returned": "partly sent back",
    "test": "a test of ours",
}
# What a destination gets beside the shop's own names of people and groups; others by their name.
SENT = {
    "email": "email address",
    "phone": "phone number",
    "device": "a code of your browser or app",
    "login": "login",
    "country_code": "country",
    "region": "state or province",
    "reason": "why you are in the group",
    "context": "what the message may say about you",
}
PLAIN = "the group's description"
ADDRESSES = ("email", "phone", "device", "login")
GOES_ALONG = "These go along with each address, whatever you said about personal messages: {}."
OTHERS = "Recorded; not repeated here, because it may be about somebody else"


def source(code: str | None) -> str:
    """Where something is from: `contacts:store_till` is "our contact lists, our till"."""
    if not code:
        return "–"
    if code in _SOURCES:
        return _SOURCES[code]
    system, _, detail = code.partition(":")
    words = _SOURCES.get(system, label(system).lower())
    return f"{words}, {_SOURCES.get(detail, label(detail).lower())}" if detail else words


def answer(code: str, basis: str | None = None) -> str:
    """Whether we may, and why; a reason that has no words of its own is a no."""
    words = ANSWERS.get(code, "No")
    because = WITHOUT_A_YES.get(basis or "") if code == "granted" else None
    return f"{words}: {because[0].lower()}{because[1:]}" if because else words


def status(code: str, basis: str | None = None) -> str:
    """What somebody said, or what happened; what has no words counts as a no."""
    if code == "granted" and basis in WITHOUT_A_YES:
        return WITHOUT_A_YES[basis]
    return STATUSES.get(code, STATUSES["denied"])
