"""Golden forms of identifiers, and that a matching form is its own matching form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestion.functions.identifiers import match_email, match_identifier, match_phone

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> list[list[str | None]]:
    """Lines of a file that people wrote: what came in, for a phone where, what is compared."""
    return [json.loads(line) for line in (GOLDEN / name).read_text("ascii").splitlines()]


def test_every_golden_email() -> None:
    lines = golden("emails.jsonl")
    assert len(lines) >= 300
    wrong = [line for line in lines if match_email(line[0]) != line[1]]
    assert not wrong


def test_every_golden_phone() -> None:
    lines = golden("phones.jsonl")
    assert len(lines) >= 300
    wrong = [line for line in lines if match_phone(line[0], line[1]) != line[2]]
    assert not wrong


def test_nothing_is_nobody() -> None:
    assert match_email(None) is None
    assert match_phone(None, "GB") is None


def test_other_types_stay_verbatim() -> None:
    assert match_identifier("login", " AbC ", "GB") == "AbC"
    assert match_identifier("device", "", "GB") is None
    assert match_identifier("shoe_size", "42", "GB") is None


@given(st.text(max_size=80) | st.emails())
def test_matching_form_is_stable(text: str) -> None:
    once = match_email(text)
    assert once is None or match_email(once) == once


@given(st.emails())
def test_case_and_spaces_never_split_a_person(address: str) -> None:
    if address.isascii():
        assert match_email(f" {address.upper()} ") == match_email(address)


@given(st.text(alphabet="0123456789+ ()-", max_size=20), st.sampled_from(["GB", "US", "DE", None]))
@example("00000000000", "GB")
def test_phone_form_is_stable_in_any_country(text: str, country: str | None) -> None:
    once = match_phone(text, country)
    assert once is None or match_phone(once, "FR") == once


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("447700900123.0", "+447700900123"),
        ("4.47700900123E+11", "+447700900123"),
        ("4,47700900123e11", "+447700900123"),
        ("4.477009E+11", None),
        ("4.477009001234E+11", None),
    ],
)
def test_a_number_that_a_spreadsheet_wrote_is_read_where_it_is_whole(
    written: str, number: str | None
) -> None:
    assert match_phone(written, "GB") == number
