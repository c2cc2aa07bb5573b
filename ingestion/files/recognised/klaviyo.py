"""Klaviyo, a list, a segment or all profiles exported as CSV: one row per profile.

Described at https://help.klaviyo.com/hc/en-us/articles/115005078687 . The columns are chosen when
exporting; `Klaviyo ID` is always there. Consent stands per channel: SUBSCRIBED, UNSUBSCRIBED or
NEVER_SUBSCRIBED, with the time in a column of its own. Times carry their offset or are in UTC.

A SUBSCRIBED with its time is consent; one without, and standing in a list, is none. An UNSUBSCRIBED
or a suppression (`Email Suppressions`) counts with or without a time.
"""

from __future__ import annotations

from ingestion.files.recognised.export import Export, Feed

_NOTHING_SAID = "('', 'NEVER_SUBSCRIBED', 'NEVERSUBSCRIBED', 'NEVER', 'NONE')"


def _state(channel: str) -> str:
    """What is said of the channel, in Klaviyo's words; empty for nothing."""
    word = f"upper(replace(coalesce(@[{channel} Marketing Consent], ''), ' ', '_'))"
    return f"case when {word} in {_NOTHING_SAID} then '' else {word} end"


def _consents(channel: str, ours: str, identifier: str, header: str) -> Feed:
    state = _state(channel)
    return Feed(
        "consents",
        "consents",
        {
            "identifier_type": f"'{identifier}'",
            "identifier_value": f"@[{header}]",
            "channel": f"'{ours}'",
            "purpose": "'marketing'",
            "status": f"case when {state} in ('SUBSCRIBED', 'SUBSCRIBE') then 'granted' "
            f"else lower({state}) end",
            "occurred_at": f"@[{channel} Marketing Consent Timestamp]",
            "source": "'klaviyo'",
        },
        where=f"{state} <> '' and @[{header}] is not null "
        f"and @[{channel} Marketing Consent Timestamp] is not null",
    )


_EMAIL, _SMS = _state("Email"), _state("SMS")
_SUPPRESSED = "regexp_replace(lower(coalesce(@[Email Suppressions], '')), '[^a-z_]+', ' ', 'g')"
_YES = "('', 'SUBSCRIBED', 'SUBSCRIBE')"

PROFILES = Feed(
    "contacts",
    "contacts",
    {
        "email": "@[Email]",
        "phone": "@[Phone Number]",
        "first_name": "@[First Name]",
        "last_name": "@[Last Name]",
        "job": "@[Title]",
        "country": "@[Country]",
        "postcode": "@[Zip Code]",
        "source": f"case when {_EMAIL} in ('SUBSCRIBED', 'SUBSCRIBE') then 'newsletter' "
        "else 'import' end",
        "created_at": "coalesce(@[Profile Created On], @[Date Added])",
        "status": f"case when contains({_SUPPRESSED}, 'spam') then 'spam complaint' "
        f"when contains({_SUPPRESSED}, 'bounce') or contains({_SUPPRESSED}, 'invalid') "
        "then 'hard bounce' "
        f"when contains({_SUPPRESSED}, 'unsub') then 'unsubscribed' "
        f"when trim({_SUPPRESSED}) <> '' then 'suppressed' "
        f"when {_EMAIL} not in {_YES} then lower({_EMAIL}) end",
    },
    where="@[Email] is not null or @[Phone Number] is not null",
    keeps_others=True,
    leaves=(
        *("Klaviyo ID", "Address", "Address 2", "City", "State / Region", "Latitude", "Longitude"),
        *("IP Address", "Organization", "Source", "First Active", "Last Active", "Last Open"),
        *("Last Click", "Profile Created On", "Date Added", "Email Marketing Consent Timestamp"),
        *("Email Suppressions Timestamps", "Email Suppression Timestamps"),
        *("SMS Marketing Consent", "SMS Marketing Consent Timestamp", "Average Order Value"),
        *("Historic Customer Lifetime Value", "Total Customer Lifetime Value"),
        *("Predicted Customer Lifetime Value", "Historic Number Of Orders"),
        *("Predicted Number Of Orders", "Average Days Between Orders", "Churn Risk Prediction"),
        *("Expected Date Of Next Order", "Push Marketing Consent"),
        "Push Marketing Consent Timestamp",
    ),
)

# Said of the phone alone, so that it does not end the emails
PHONES = Feed(
    "contacts",
    "contacts",
    {
        "phone": "@[Phone Number]",
        "country": "@[Country]",
        "source": "'import'",
        "status": f"lower({_SMS})",
    },
    where=f"@[Phone Number] is not null and {_SMS} not in {_YES}",
)

EXPORTS = (
    Export(
        "klaviyo_profiles",
        "Klaviyo profile or list export",
        required=("Email", "Klaviyo ID"),
        feeds=(
            PROFILES,
            PHONES,
            _consents("Email", "email", "email", "Email"),
            _consents("SMS", "sms", "phone", "Phone Number"),
        ),
        other_names={
            "SMS Marketing Consent": ("SMS Consent",),
            "SMS Marketing Consent Timestamp": ("SMS Consent Timestamp",),
            "Email Marketing Consent": ("Email Consent",),
            "Email Marketing Consent Timestamp": ("Email Consent Timestamp",),
            "Email Suppressions": ("Email Suppression", "Suppressions"),
        },
    ),
)
