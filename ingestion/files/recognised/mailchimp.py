"""Mailchimp, Audience > Export: `subscribed_…`, `unsubscribed_…` and `cleaned_…csv`.

Described at https://mailchimp.com/help/view-export-contacts/ . The first columns are the audience's
own fields under its own names; those in capitals are Mailchimp's. Times are in UTC without an
offset. A birthday is `MM/DD` without a year: it is kept as `birthday_month_day` (`04-17`), because
a date without its year is none.

Which of the three files it is, its columns say: `UNSUB_TIME` only those who left have, `CLEAN_TIME`
only addresses that bounced for good. `OPTIN_TIME` is there for who signed up themselves: consent,
of the time of its confirmation. Who was imported has none, and gave none here.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingestion.files.recognised.export import Export, Feed

_REQUIRED = ("Email Address", "MEMBER_RATING", "OPTIN_TIME", "LEID", "EUID")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "Email Address": (
        *("E-Mail-Adresse", "Adresse e-mail", "Correo electrónico", "Dirección de correo"),
        *("Indirizzo e-mail", "E-mailadres", "Endereço de e-mail", "EMAIL"),
    ),
    "First Name": ("Vorname", "Prénom", "Nombre", "Nome", "Voornaam", "FNAME"),
    "Last Name": ("Nachname", "Nom", "Apellido", "Apellidos", "Cognome", "Achternaam", "LNAME"),
    "Phone Number": ("Phone", "Telefonnummer", "Téléphone", "Teléfono", "Telefono", "PHONE"),
    "Birthday": ("Geburtstag", "Anniversaire", "Cumpleaños", "Compleanno", "BIRTHDAY"),
}
_LEAVES = (
    *("MEMBER_RATING", "OPTIN_TIME", "OPTIN_IP", "CONFIRM_TIME", "CONFIRM_IP", "LATITUDE"),
    *("LONGITUDE", "GMTOFF", "DSTOFF", "TIMEZONE", "CC", "REGION", "LAST_CHANGED", "LEID"),
    *("EUID", "NOTES", "UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_CAMPAIGN_ID"),
    *("UNSUB_REASON", "UNSUB_REASON_OTHER", "CLEAN_TIME", "CLEAN_CAMPAIGN_TITLE"),
    *("CLEAN_CAMPAIGN_ID", "Address", "Adresse"),
)
_DAY = "regexp_extract(@[Birthday], '^(\\d{1,2})/(\\d{1,2})$', ['m', 'd'])"


def _contacts(status: str) -> Feed:
    month_day = (
        f"case when try_cast({_DAY}['m'] as integer) between 1 and 12 "
        f"and try_cast({_DAY}['d'] as integer) between 1 and 31 "
        f"then lpad({_DAY}['m'], 2, '0') || '-' || lpad({_DAY}['d'], 2, '0') end"
    )
    return Feed(
        "contacts",
        "contacts",
        {
            "email": "@[Email Address]",
            "phone": "@[Phone Number]",
            "first_name": "@[First Name]",
            "last_name": "@[Last Name]",
            # One that has its year is a date; anything else is counted as not read
            "birthday": f"case when ({month_day}) is null then @[Birthday] end",
            "source": "'newsletter'",
            "created_at": "coalesce(@[OPTIN_TIME], @[CONFIRM_TIME])",
            "status": f"'{status}'",
            "birthday_month_day": month_day,
        },
        keeps_others=True,
        leaves=_LEAVES,
    )


def _consent(status: str, time: str, where: str) -> Feed:
    return Feed(
        "consents",
        "consents",
        {
            "identifier_type": "'email'",
            "identifier_value": "@[Email Address]",
            "channel": "'email'",
            "purpose": "'marketing'",
            "status": f"'{status}'",
            "occurred_at": time,
            "source": "'mailchimp'",
        },
        where=f"@[Email Address] is not null and {where}",
    )


SIGNED_UP = _consent(
    "granted", "coalesce(@[CONFIRM_TIME], @[OPTIN_TIME])", "@[OPTIN_TIME] is not null"
)
LEFT = _consent("revoked", "@[UNSUB_TIME]", "@[UNSUB_TIME] is not null")

EXPORTS = (
    Export(
        "mailchimp_subscribed",
        "Mailchimp export of subscribed contacts",
        required=_REQUIRED,
        feeds=(_contacts("subscribed"), SIGNED_UP),
        other_names=_NAMES,
    ),
    Export(
        "mailchimp_unsubscribed",
        "Mailchimp export of unsubscribed contacts",
        required=(*_REQUIRED, "UNSUB_TIME"),
        feeds=(_contacts("unsubscribed"), LEFT),
        other_names=_NAMES,
    ),
    Export(
        "mailchimp_cleaned",
        "Mailchimp export of cleaned contacts",
        required=(*_REQUIRED, "CLEAN_TIME"),
        feeds=(_contacts("cleaned"),),
        other_names=_NAMES,
    ),
)
