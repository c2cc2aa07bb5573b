"""What ad platforms get of an address: golden vectors, and what is never hashed.

`golden/meta.csv` was made from invented addresses by Meta's own client (facebook-business 26.0.3,
`CustomAudienceMixin.format_params`), which is no dependency of ours.
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.functions.identifiers import match_email, match_phone
from orchestration.destinations.normalising import META

GOLDEN = Path(__file__).parent / "golden"
NOTHING = hashlib.sha256(b"").hexdigest()
[RULE] = META


def _vectors() -> list[dict[str, str]]:
    with (GOLDEN / "meta.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_golden_vectors_are_met() -> None:
    vectors = _vectors()
    assert len(vectors) >= 300
    wrong = [
        number
        for number, each in enumerate(vectors, 2)
        if RULE.hashed(each["identifier_type"], each["value"]) != each["sha256"]
    ]
    assert wrong == []


def test_the_vectors_tell_the_usual_mistakes_apart() -> None:
    """The hash of the value as it is, of gmail folded, or of a phone with its plus."""
    hashes = {each["value"]: each["sha256"] for each in _vectors()}
    mistakes = {
        "raw": lambda value: value,
        "folded": lambda value: value.replace(".", "", value.partition("@")[0].count(".")),
        "spaces gone": lambda value: value.replace(" ", ""),
    }
    for mistake in mistakes.values():
        same = [v for v in hashes if hashlib.sha256(mistake(v).encode()).hexdigest() == hashes[v]]
        assert len(same) < 0.6 * len(hashes)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", ""),
        ("email", None),
        ("email", " . "),
        ("email", "nobody"),
        ("email", "@example.com"),
        ("phone", ""),
        ("phone", "+"),
        ("phone", "0"),
        ("phone", "07700 900123"),  # of which country?
        ("phone", "447700900123"),
        ("phone", "+44 7700 900123 ext. 5"),
        ("phone", "+44"),
    ],
)
def test_what_is_no_address_is_never_hashed(kind: str, value: str | None) -> None:
    assert RULE.hashed(kind, value) == ""


def test_two_spellings_of_a_number_are_one() -> None:
    hashes = {RULE.hashed("phone", v) for v in ("+44 7700 900123", "0044 7700-900123")}
    assert hashes == {hashlib.sha256(b"447700900123").hexdigest()}


def test_a_hash_is_not_hashed_twice() -> None:
    once = RULE.hashed("email", "ann@example.com")
    assert RULE.hashed("email", once) == once


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_whatever_the_text_the_hash_of_nothing_never_leaves(text: str) -> None:
    for kind in ("email", "phone"):
        assert RULE.hashed(kind, text) != NOTHING


@settings(max_examples=60)
@given(st.emails(), st.integers(0, 999))
def test_every_matching_form_can_be_sent(email: str, number: int) -> None:
    matched = match_email(email)
    assert matched is None or RULE.hashed("email", matched)
    phone = match_phone(f"07700 900{number:03d}", "GB")
    assert RULE.hashed("phone", phone) == hashlib.sha256(str(phone)[1:].encode()).hexdigest()
