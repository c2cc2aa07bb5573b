"""Every trouble of the pretend shop's data, at its rate: the one place where they are documented.

Belongs here: the rates and what each trouble looks like in the data. Does not belong here: the code
that makes them (people, purchases, mailing, browsing) or what is later done about them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Troubles:
    """How often things go wrong. Each rate is a share of what its docstring names."""

    # ---- one person under several names -------------------------------------------------------
    dormant_newsletter_address: float = 0.20
    """Buyers who once joined the newsletter with an address they no longer read."""
    work_address: float = 0.08
    """Buyers who check out with a second, living address now and then."""
    typo_address: float = 0.04
    """Buyers who mistype their address on one online order."""
    second_phone: float = 0.08
    """People with a phone who also give a second number."""
    cookie_reset: float = 0.15
    """People whose browser forgets them once and comes back as a new device."""
    double_login: float = 0.006
    """Buyers with a login who opened a second account for themselves."""
    name_variant: float = 0.02
    """Orders on which the first name is only an initial."""

    # ---- several people under one name --------------------------------------------------------
    family: float = 0.07
    """Households of two to four people (share of households): one address, often one surname."""
    family_device: float = 0.80
    """Families whose members share a tablet."""
    family_card: float = 0.60
    """Families whose members pay with one card, each under their own name."""
    role_address: float = 0.01
    """Buyers who order for an office under its info@, sales@ or office@ address."""
    recycled_phone: float = 0.01
    """People whose number belonged to somebody else more than four months before."""
    kiosk_sign_in: float = 0.04
    """Known people who once used the shop floor's shared tablet."""
    placeholder_phone: float = 0.05
    """Till receipts on which staff typed a phone number that is nobody's."""
    placeholder_email: float = 0.03
    """Till receipts with none@none.com, there because the till wants something."""

    # ---- traffic that is not customers --------------------------------------------------------
    bot: float = 0.015
    """Robots, as a share of people; each makes dozens of page views."""
    internal: float = 0.002
    """Staff devices (at least one), as a share of people, from the shop's own address."""
    test_order: float = 0.003
    """Online orders placed by staff to try the checkout."""

    # ---- orders ---------------------------------------------------------------------------------
    cancelled: float = 0.025
    """Online orders cancelled within two days."""
    returned: float = 0.08
    """Online orders with something sent back; at the till half as often, as a return receipt."""
    foreign_currency: float = 0.60
    """Online orders from abroad that are paid in the buyer's own currency."""
    missing_rate: float = 0.001
    """Online orders (at least one) in SEK, for which the rates folder has no row."""
    no_identity_receipt: float = 0.15
    """Till receipts paid in cash by somebody who gives nothing; with those where it just was not
    asked, about a quarter say nothing of who."""

    # ---- permission and mail --------------------------------------------------------------------
    consent_denied: float = 0.12
    """Buyers who say no at checkout."""
    consent_expires: float = 0.05
    """Newsletter permissions that run out after a year."""
    consent_unproven: float = 0.05
    """Newsletter addresses that stand in a list without any consent on record."""
    gpc: float = 0.06
    """Devices that send Global Privacy Control."""
    unsubscribe: float = 0.003
    """Campaign messages answered by unsubscribing."""
    hard_bounce: float = 0.002
    """Campaign messages that bounce for good."""
    soft_bounce: float = 0.004
    """Campaign messages that bounce for now."""
    spam_report: float = 0.0006
    """Campaign messages reported as spam."""
    machine_open: float = 0.30
    """Addresses whose mail program opens everything by itself."""

    # ---- delivery of the data -------------------------------------------------------------------
    late_event: float = 0.02
    """Web events that arrive one hour to ten days after they happened."""
    clock_skew: float = 0.004
    """Web events from a device whose clock is up to a day wrong, either way."""
    duplicate_event: float = 0.005
    """Web events delivered twice with the same messageId."""

    hidden_card: float = 0.0
    """Cards whose fingerprint no system passes on: 1.0 is a shop that has Shopify's API alone."""
    broken_line: float = 0.002
    """Web events of the last month whose line also arrives cut off, in a file of its own."""

    @classmethod
    def none(cls) -> Troubles:
        """A shop in which nothing ever goes wrong."""
        return cls(**{field.name: 0.0 for field in fields(cls)})
