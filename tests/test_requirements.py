"""The trace of requirements: what counts as met names a test that exists."""

from __future__ import annotations

import csv
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def rows() -> list[dict[str, str]]:
    with (REPOSITORY / "docs" / "requirements.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_every_requirement_has_one_row() -> None:
    assert [row["id"] for row in rows()] == [f"S{number}" for number in range(1, 140)]


def test_met_names_a_place_and_a_test_that_exists() -> None:
    for row in rows():
        assert row["status"] in ("met", "part", "open"), row
        if row["status"] == "met":
            assert row["where"], row
            assert all("::" in test for test in row["test"].split("; ")), row
        # Several where a requirement has parts that no one test holds
        for test in filter(None, row["test"].split("; ")):
            place, _, name = test.partition("::")
            path = REPOSITORY / place
            assert path.exists(), row
            assert not name or f"def {name}(" in path.read_text("utf-8"), row


def test_what_is_not_met_says_what_is_missing() -> None:
    for row in rows():
        assert bool(row["missing"]) == (row["status"] != "met"), row
