"""Which contacts take each other's place: the class of a segment's contacts.

Belongs here: the class, by what a segment's file says. Does not belong here: whose contact goes out
(orchestration/activation/decision.py).
"""

from __future__ import annotations

from ingestion.vocabulary import OF_A_CONTRACT

TRANSACTIONAL = "transactional"
MARKETING, SERVICE = "marketing", "service"  # the first is a purpose too
EXCLUSION = "exclusion"  # no contact: a list of whom ads leave out


def asked_purpose(purpose: str, message_kind: str) -> str:
    """The purpose whose permission is asked for: an offer is marketing, whatever it says."""
    if purpose == TRANSACTIONAL and message_kind not in OF_A_CONTRACT:
        return MARKETING
    return purpose


def contact_class(purpose: str, message_kind: str, *, is_exclusion: bool = False) -> str:
    """Whether contacts of this purpose and kind are marketing or service, or it is none."""
    if is_exclusion:
        return EXCLUSION
    return SERVICE if asked_purpose(purpose, message_kind) == TRANSACTIONAL else MARKETING
