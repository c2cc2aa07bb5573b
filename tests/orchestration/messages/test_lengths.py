"""Parts of text messages against vectors worked out by hand from 3GPP TS 23.038."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.messages.lengths import BASIC, EXTENSION, TextLength, outside_gsm, text_length

VECTORS = [
    ("", "gsm7", 0, 0),
    ("a", "gsm7", 1, 1),
    ("a" * 160, "gsm7", 160, 1),
    ("a" * 161, "gsm7", 161, 2),
    ("a" * 306, "gsm7", 306, 2),
    ("a" * 307, "gsm7", 307, 3),
    ("€" * 80, "gsm7", 160, 1),
    ("€" * 81, "gsm7", 162, 2),
    ("[]{}\\~|^", "gsm7", 16, 1),
    ("ÄÖÑÜ§¿äöñüà\n\r", "gsm7", 13, 1),
    ("a" * 152 + "€" + "a" * 151, "gsm7", 305, 2),
    ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),  # the sign of two places is not cut in two
    ("ç", "ucs2", 1, 1),  # the alphabet has Ç alone
    ("`", "ucs2", 1, 1),
    ("ж" * 70, "ucs2", 70, 1),
    ("ж" * 71, "ucs2", 71, 2),
    ("ж" * 134, "ucs2", 134, 2),
    ("ж" * 135, "ucs2", 135, 3),
    ("a" * 70 + "ł", "ucs2", 71, 2),
    ("😀" * 35, "ucs2", 70, 1),
    ("😀" * 36, "ucs2", 72, 2),
    ("😀" * 66, "ucs2", 132, 2),
    ("😀" * 67, "ucs2", 134, 3),  # nor is a letter of two code units
    ("’", "ucs2", 1, 1),
]


@pytest.mark.parametrize("vector", range(len(VECTORS)))
def test_a_text_has_as_many_parts_as_carriers_count(vector: int) -> None:
    text, *expected = VECTORS[vector]
    assert text_length(text) == TextLength(*expected)


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert len(BASIC) == 127  # 128 places, of which one is the escape
    assert len(EXTENSION) == 10
    assert not BASIC & EXTENSION


def test_what_makes_a_message_ucs2_is_named_once() -> None:
    assert outside_gsm("Žofie’s Žluť €") == "Ž’ť"


@given(st.text(max_size=700))
def test_parts_hold_all_units_and_no_part_is_empty(text: str) -> None:
    length = text_length(text)
    alone, each = (160, 153) if length.alphabet == "gsm7" else (70, 67)
    assert length.units <= (alone if length.parts <= 1 else length.parts * each)
    assert length.units > (length.parts - 1) * (each - 1) or length.parts <= 1
