"""`regulars consent`: dated by the home's own clock, and said in full."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import pytest
from rich.console import Console

from orchestration import cli
from orchestration.activation.delivery import why_not_permitted
from orchestration.commands.consent import ended_by
from orchestration.home.kind import claim
from orchestration.home.layout import Home

FIRST = datetime(2026, 7, 1)
PAIR = ("email", "marketing")


@pytest.fixture
def demo(tmp_path: Path) -> Home:
    home = Home(tmp_path / "demo")
    claim(home, "demo", {"people": 50, "seed": 4, "as_of": FIRST.isoformat(), "cards": True})
    return home


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the command prints; its own console is bound to the stream of its import."""
    stream = io.StringIO()
    monkeypatch.setattr(cli, "out", Console(file=stream, soft_wrap=True, width=200))
    return stream


def consent(home: Home, action: str, channel: str, purpose: str, *more: str) -> None:
    """Run the command as a person does."""
    evidence = ("--source", "desk", "--wording", "v1") if action == "grant" else ()
    words = (action, "a@x.example", "--channel", channel, "--purpose", purpose, *evidence, *more)

    cli.app(["consent", *words, "--home", str(home.root)], standalone_mode=False)


def why_not(home: Home) -> str | None:
    return why_not_permitted(home, "email", "a@x.example", *PAIR, at=FIRST)


def test_a_grant_in_the_pretend_shop_counts_at_its_moment(demo: Home, said: io.StringIO) -> None:
    assert why_not(demo) == "no_consent"
    consent(demo, "grant", *PAIR)
    assert why_not(demo) is None
    assert "not count" not in said.getvalue()


def test_a_grant_that_cannot_count_yet_says_so(demo: Home, said: io.StringIO) -> None:
    consent(demo, "grant", *PAIR, "--as-of", "2026-07-09")
    assert "counts from then on" in said.getvalue()
    assert why_not(demo) == "no_consent"


def test_a_refusal_counts_at_once_whatever_its_date_and_a_grant_beside_it_says_why_not(
    demo: Home, said: io.StringIO
) -> None:
    consent(demo, "grant", *PAIR)
    consent(demo, "revoke", *PAIR, "--as-of", "2026-07-09")
    assert why_not(demo) == "revoked"
    consent(demo, "grant", *PAIR)
    assert "It does not count: permission withdrawn." in said.getvalue()
    assert why_not(demo) == "revoked"


def test_a_shops_own_home_goes_by_the_wall_clock(tmp_path: Path, said: io.StringIO) -> None:
    home = Home(tmp_path / "shop")
    claim(home, "shop")
    consent(home, "grant", *PAIR)
    assert "not count" not in said.getvalue()
    assert why_not_permitted(home, "email", "a@x.example", *PAIR, at=datetime(2026, 1, 1))


@pytest.mark.parametrize(
    ("channel", "purpose", "ends", "leaves"),
    [
        (
            "email",
            "marketing",
            "on the channel email for marketing;",
            "channels and other purposes",
        ),
        (
            "email",
            "*",
            "for any purpose, mails about their orders included;",
            "other channels stay",
        ),
        ("*", "marketing", "on any channel for marketing;", "other purposes stay"),
        ("*", "*", "on any channel for any purpose, mails about their orders included.", "sync"),
    ],
)
def test_a_refusal_says_what_it_ends_and_what_it_leaves(
    channel: str, purpose: str, ends: str, leaves: str
) -> None:
    assert ends in ended_by(channel, purpose)
    assert leaves in ended_by(channel, purpose)
