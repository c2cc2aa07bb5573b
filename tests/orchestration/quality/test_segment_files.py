"""What a segment's file lacks is said before anything is built, with the file's name."""

from __future__ import annotations

from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import UsageError
from ingestion.vocabulary import MESSAGE_KINDS, PURPOSES
from orchestration.quality.segment_files import check_segment_files

GOOD = {"channel": "email", "purpose": "marketing", "message_kind": "offer"}
FILE = "dbt_project/models/segments/seg_plus_fit.sql"


def refused(name: str, told: dict[str, Any]) -> UsageError:
    with pytest.raises(UsageError) as caught:
        check_segment_files([name], told, Settings())
    return caught.value


@pytest.mark.parametrize(
    "meta",
    [GOOD, {**GOOD, "channel": None, "channels": ["sms", "email"]}, {**GOOD, "channels": "best"}],
)
def test_a_file_that_says_enough_passes(meta: dict[str, Any]) -> None:
    check_segment_files(["vip"], {"vip": meta}, Settings())


def test_a_file_that_says_nothing_is_named_with_all_that_it_lacks() -> None:
    error = refused("plus_fit", {})
    for word in ("plus_fit", "channel (email", "purpose (marketing", "message_kind (transactional"):
        assert word in error.message
    assert FILE in error.hint


@pytest.mark.parametrize(
    ("changes", "lacks"),
    [
        ({"channel": "fax"}, "channel"),
        ({"channels": ["email", "fax"]}, "channel"),
        ({"purpose": "fun"}, "purpose"),
        ({"message_kind": None}, "message_kind"),
    ],
)
def test_a_word_that_nobody_knows_is_as_none(changes: dict[str, Any], lacks: str) -> None:
    message = refused("plus_fit", {"plus_fit": {**GOOD, **changes}}).message
    assert message.startswith(f"The segment plus_fit does not say its {lacks} (")


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_a_kind_that_its_purpose_does_not_permit_is_named_before_anything_is_built(
    purpose: str, kind: str
) -> None:
    meta = {**GOOD, "purpose": purpose, "message_kind": kind}
    permitted = {
        "transactional": ("transactional", "service", "thank_you"),
    }.get(
        purpose, tuple(each for each in MESSAGE_KINDS if each not in ("transactional", "service"))
    )
    if kind in permitted:
        check_segment_files(["plus_fit"], {"plus_fit": meta}, Settings())
        return
    error = refused("plus_fit", {"plus_fit": meta})
    assert error.message.startswith("The segment plus_fit has the ")
    assert f"message_kind {kind}" in error.message
    assert FILE in error.hint


def test_a_name_that_may_not_leave_is_refused_here_already() -> None:
    error = refused("diabetes_care", {"diabetes_care": GOOD})
    assert "theme health" in error.message
    assert "seg_diabetes_care.sql" in error.hint
    reason = {"flagged_themes": {"health": "We are a pharmacy."}}
    check_segment_files(["diabetes_care"], {"diabetes_care": GOOD | reason}, Settings())
