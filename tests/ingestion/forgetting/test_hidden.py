"""Addresses and numbers that stand in a text as a hash or in base64 are found, and little else."""

from __future__ import annotations

import base64
import hashlib
import re

from hypothesis import given
from hypothesis import strategies as st

from ingestion.forgetting.hidden import RUN, decoded, digests, digests_in, in_base64
from tests.traces import forms

ADDRESS = "ann.lee+x@mail.example"
bytes_around = st.binary(max_size=20)


def test_the_hashes_are_those_that_the_search_looks_for() -> None:
    expected = {forms(ADDRESS)[name].decode() for name in ("MD5", "SHA-1", "SHA-256")}
    assert digests("email", ADDRESS) == expected
    plain = hashlib.sha256(b"447700900001").hexdigest()
    assert plain in digests("phone", "+447700900001")
    assert digests("device", "dev-1") == set()


@given(bytes_around, bytes_around)
def test_an_address_in_base64_is_found_wherever_it_stands(before: bytes, after: bytes) -> None:
    text = base64.b64encode(before + b" " + ADDRESS.encode() + b" " + after).decode()
    assert any(core in text for core in in_base64(ADDRESS))
    found = [found for run in re.findall(RUN, text) for found in decoded(run)]
    assert any(ADDRESS in each for each in found)


@given(st.integers(0, 3), st.sampled_from(["-", "_", "%"]))
def test_what_stands_before_it_in_the_text_does_not_hide_it(lead: int, sign: str) -> None:
    text = "a" * lead + sign + "b" * lead + base64.b64encode(f"m={ADDRESS}".encode()).decode()
    found = [found for run in re.findall(RUN, text) for found in decoded(run)]
    assert any(ADDRESS in each for each in found)


def test_a_hash_is_found_within_a_path_and_in_capitals() -> None:
    digest = hashlib.sha1(ADDRESS.encode(), usedforsecurity=False).hexdigest()
    (run,) = re.findall(RUN, f"https:x/u/{digest.upper()}?y")
    assert digests_in(run) == {digest}
    assert digests_in("0" * 33) == set()


def test_a_short_value_is_not_looked_for_in_base64() -> None:
    assert in_base64("12345678") == set()
