"""What ad platforms get of an address: golden vectors, and what is never hashed.

Both files were made from invented addresses by the platforms' own code, which is no dependency of
ours: `golden/meta.csv` by facebook-business 26.0.3 (`CustomAudienceMixin.format_params`),
`golden/google.csv` by google-ads-datamanager-util 0.4.0 (`Formatter.process_…`; an empty hash is
where it refuses the value).
"""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.functions.identifiers import match_email, match_phone
from orchestration.destinations.normalising import (
    GOOGLE,
    META,
    Rule,
    postal_code,
    region_code,
)

GOLDEN = Path(__file__).parent / "golden"
NOTHING = hashlib.sha256(b"").hexdigest()
RULES = {"meta": META[-1], "google": GOOGLE[-1]}


@pytest.fixture(params=RULES)
def platform(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rule(platform: str) -> Rule:
    return RULES[platform]


def _vectors(platform: str) -> list[dict[str, str]]:
    with (GOLDEN / f"{platform}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_all_golden_vectors_are_met(platform: str, rule: Rule) -> None:
    vectors = _vectors(platform)
    assert len(vectors) >= 300
    wrong = [
        number
        for number, each in enumerate(vectors, 2)
        if rule.hashed(each["identifier_type"], each["value"]) != each["sha256"]
    ]
    assert wrong == []


def test_the_vectors_tell_the_usual_mistakes_apart(platform: str) -> None:
    """The hash of the value as it is, of gmail folded (or not), or of a phone with its plus."""
    hashes = {each["value"]: each["sha256"] for each in _vectors(platform) if each["sha256"]}
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
        ("email", "nobody"),
        ("email", "@example.com"),
        ("email", " @ "),
        ("phone", ""),
        ("phone", "+"),
        ("phone", "0"),
        ("phone", "07700 900123"),  # of which country?
        ("phone", "447700900123"),
        ("phone", "+44 7700 900123 ext. 5"),
        ("phone", "+44"),
    ],
)
def test_what_is_no_address_is_never_hashed(rule: Rule, kind: str, value: str | None) -> None:
    assert rule.hashed(kind, value) == ""


@pytest.mark.parametrize(
    ("of", "digits"), [("meta", b"447700900123"), ("google", b"+447700900123")]
)
def test_two_spellings_of_a_number_are_one(of: str, digits: bytes) -> None:
    hashes = {RULES[of].hashed("phone", v) for v in ("+44 7700 900123", "0044 7700-900123")}
    assert hashes == {hashlib.sha256(digits).hexdigest()}


def test_a_hash_is_not_hashed_twice(rule: Rule) -> None:
    once = rule.hashed("email", "ann@example.com")
    assert rule.hashed("email", once) == once


@pytest.mark.parametrize(
    ("value", "code"),
    [(" gb", "GB"), ("GBR", ""), ("", ""), (None, ""), ("Ü1", ""), ("de\n", "DE")],
)
def test_a_country_is_two_letters(value: str | None, code: str) -> None:
    assert region_code(value) == code
    assert postal_code(value) == (value or "").strip()


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_whatever_the_text_the_hash_of_nothing_never_leaves(text: str) -> None:
    for each in RULES.values():
        for kind in each.normalisers:
            assert each.hashed(kind, text) != NOTHING


@settings(max_examples=60)
@given(st.emails(), st.integers(0, 999))
def test_every_matching_form_can_be_sent(email: str, number: int) -> None:
    matched = match_email(email)
    for each in RULES.values():
        assert matched is None or each.hashed("email", matched)
    phone = match_phone(f"07700 900{number:03d}", "GB")
    assert (
        RULES["meta"].hashed("phone", phone) == hashlib.sha256(str(phone)[1:].encode()).hexdigest()
    )
    assert RULES["google"].hashed("phone", phone) == hashlib.sha256(str(phone).encode()).hexdigest()
