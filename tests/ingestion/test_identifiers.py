"""Golden forms of identifiers, and that a matching form is its own matching form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.identifiers import match_email, match_identifier, match_phone


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Jane.Doe+news@Example.COM", "jane.doe+news@example.com"),
        ("  jane@example.com\t", "jane@example.com"),
        ("ｊａｎｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "jane@example.com"),
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("jane@BÜCHER.example.", "jane@xn--bcher-kva.example"),
        ("jane@xn--bcher-kva.example", "jane@xn--bcher-kva.example"),
        ("jane\u200b@example.com", "jane@example.com"),
        ("JOSÉ@example.com", "josé@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("jane@mail.example.co.uk", "jane@mail.example.co.uk"),
        ("jane@localhost", None),
        ("jane@example..com", None),
        ("jane@-example.com", None),
        ("jane@exa_mple.com", None),
        ("jane@127.0.0.1", None),
        ("Jane <jane@example.com>", None),
        ("jane@example.com, bob@example.com", None),
        ("jane@@example.com", None),
        ("@example.com", None),
        ("jane@", None),
        ("jane", None),
        ("a" * 65 + "@example.com", None),
        ("jane@" + "a." * 130 + "com", None),
        ("", None),
        (None, None),
        ("\x00", None),
        ("ja\x00ne@example.com", None),
    ],
)
def test_email(written: str | None, expected: str | None) -> None:
    assert match_email(written) == expected


@pytest.mark.parametrize(
    ("written", "country", "expected"),
    [
        ("07700 900123", "GB", "+447700900123"),
        ("+44 (0)7700 900123", "US", "+447700900123"),
        ("0044 7700 900123", "GB", "+447700900123"),
        ("(202) 555-0123", "US", "+12025550123"),
        ("(202) 555-0123", "us ", "+12025550123"),
        ("0７700 900123", "GB", "+447700900123"),
        ("tel:+447700900123", None, "+447700900123"),
        ("07700 900123", None, None),
        ("12345", "GB", None),
        ("020 7946 0018 ext 5", "GB", None),
        ("jane@example.com", "GB", None),
        ("1" * 65, "GB", None),
        ("n/a", "GB", None),
        ("", "GB", None),
        (None, "GB", None),
    ],
)
def test_phone(written: str | None, country: str | None, expected: str | None) -> None:
    assert match_phone(written, country) == expected


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
def test_phone_form_is_stable_in_any_country(text: str, country: str | None) -> None:
    once = match_phone(text, country)
    assert once is None or match_phone(once, "FR") == once
