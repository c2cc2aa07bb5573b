"""Which contacts take each other's place: the class of a segment's contacts.

Belongs here: the class, by what a segment's file says. Does not belong here: whose contact goes out
(orchestration/activation/decision.py).
"""

from __future__ import annotations

from ingestion.vocabulary import OF_A_CONTRACT

TRANSACTIONAL = "transactional"
MARKETING, SERVICE = "marketing", "service"  # the first is a purpose too


def asked_purpose(purpose: str, message_kind: str) -> str:
    """The purpose whose permission is asked for: an offer is marketing, whatever it says."""
    if purpose == TRANSACTIONAL and message_kind not in OF_A_CONTRACT:
        return MARKETING
    return purpose


def contact_class(purpose: str, message_kind: str) -> str:
    """Whether contacts of this purpose and kind are marketing or service."""
    return SERVICE if asked_purpose(purpose, message_kind) == TRANSACTIONAL else MARKETING
