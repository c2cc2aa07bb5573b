"""Consent rows: an end without a time of day is the shop's midnight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.config import Quarantine, Settings
from ingestion.config import Shop as ShopFacts
from ingestion.pipelines import RunContext
from tests.ingestion.conftest import Shop

HEADER = "identifier_type,identifier_value,channel,purpose,status,occurred_at,expires_at\n"
MAPPING = """
columns: {identifier_value: mail, occurred_at: since, expires_at: until}
constants: {identifier_type: email, channel: email, purpose: marketing, status: granted}
"""


class ShopSomewhere(Shop):
    """Its folder is opened as a run opens it: in the shop's zone."""

    def context(self) -> RunContext:
        made = super().context()
        folder = replace(made.folder, zone=self.settings.shop.timezone)
        return replace(made, folder=folder)


def _shop(folder: Path, zone: str) -> Shop:
    settings = Settings(
        shop=ShopFacts(timezone=zone), quarantine=Quarantine(max_source_share=1.0, accept=("*",))
    )
    return ShopSomewhere(folder, settings)


@pytest.mark.parametrize(
    ("zone", "until", "expected"),
    [
        ("Europe/London", "2026-06-01", "2026-05-31 23:00:00"),
        ("Pacific/Auckland", "2026-06-01", "2026-05-31 12:00:00"),
        ("America/New_York", "2026-06-01", "2026-06-01 04:00:00"),
        ("America/New_York", "2026-06-01T00:00:00Z", "2026-06-01 00:00:00"),
        ("America/New_York", "2026-06-01 09:30", "2026-06-01 09:30:00"),
    ],
)
@pytest.mark.parametrize("is_mapped", [False, True])
def test_a_permission_ends_at_the_shops_midnight(
    tmp_path: Path, zone: str, until: str, expected: str, is_mapped: bool
) -> None:
    shop = _shop(tmp_path, zone)
    if is_mapped:
        shop.write("consents/mapping.yml", MAPPING)
        shop.write("consents/a.csv", f"mail,since,until\na@b.example,2026-01-01,{until}\n")
    else:
        row = f"email,a@b.example,email,marketing,granted,2026-01-01,{until}\n"
        shop.write("consents/a.csv", HEADER + row)
    shop.run("consents")
    rows = shop.query(
        "select cast(expires_at as varchar), cast(occurred_at as varchar)"
        " from raw_consents.consents"
    )
    assert rows == [(expected, "2026-01-01 00:00:00")]


def test_an_end_or_a_level_that_nobody_can_read_grants_nothing(tmp_path: Path) -> None:
    shop = _shop(tmp_path, "Europe/London")
    row = "email,a@b.example,email,personalisation,granted,2026-01-01"
    shop.write("consents/a.csv", f"{HEADER}{row},midnight\n")
    levels = HEADER.replace("expires_at", "level")
    shop.write("consents/b.csv", f"{levels}{row},everything\n{row},full\n")
    shop.run("consents")
    assert [each[1:] for each in shop.quarantine("consents")] == [
        (2, "wrong_type", "expires_at"),
        (2, "unknown_value", "level"),
    ]
    assert shop.query("select level from raw_consents.consents") == [("full",)]
