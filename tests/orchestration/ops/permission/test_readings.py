"""A refusal counts for every identifier that what was written may mean; an opt-in for one."""

from __future__ import annotations

import pytest

from orchestration.ops.permission.readings import readings


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        ("email", "'a@shop.example", "a@shop.example"),
        ("email", "a%40shop.example", "a@shop.example"),
        ("email", "mailto:a@shop.example?subject=unsubscribe", "a@shop.example"),
        ("email", "a (at) shop.example", "a@shop.example"),
        ("email", "a[AT]shop.example", "a@shop.example"),
        ("phone", "00819012345678", "+819012345678"),
        ("phone", "００８１ 90 1234 5678", "+819012345678"),
        ("phone", "+81 90 1234 5678 ext. 5", "+819012345678"),
        ("phone", "090-1234-5678", "+819012345678"),
        ("loyalty_id", "'00123", "00123"),
    ],
)
def test_a_refusal_counts_for_what_was_meant(kind: str, written: str, meant: str) -> None:
    assert (kind, meant) in readings(kind, written, None, "JP", ("JP",), every=True)


def test_an_opt_in_counts_for_what_was_written_alone() -> None:
    assert readings("email", "'a@shop.example", None, "JP", every=False) == [
        ("email", "'a@shop.example")
    ]
    assert readings("email", "a%40shop.example", None, "JP", every=False) == []
    assert ("phone", "+819012345678") not in readings(
        "phone", "00819012345678", None, "JP", every=False
    )
