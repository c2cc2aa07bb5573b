"""What all fakes share: finding them, faults by a seed, and the command that starts them."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from ingestion.config import REPOSITORY
from ingestion.errors import UsageError
from orchestration.commands.fakes import rules, running, serve_fakes
from orchestration.fakes import names, open_fake
from orchestration.fakes.faults import Fault, Faults, parsed
from orchestration.fakes.shop import profiles_of
from orchestration.home.layout import Home
from tests.ingestion.api_world import small_shop


def test_an_unknown_fake_is_named() -> None:
    with pytest.raises(UsageError, match="pigeon"):
        open_fake("pigeon")


@pytest.mark.parametrize("name", names())
def test_every_rule_has_a_page_and_an_answer(name: str) -> None:
    assert len(rules(name)) > 10
    for rule in open_fake(name).rules:
        assert rule.page.startswith("https://")
        assert rule.answer
        assert rule.limit


@pytest.mark.parametrize("name", names())
def test_the_page_shows_the_rules_as_they_are(name: str) -> None:
    page = (REPOSITORY / "docs" / "fakes.md").read_text("utf-8")
    stale = "docs/fakes.md is older than the rules: take them from `regulars fakes --rules`"
    assert "\n".join(rules(name)) in page, stale


def test_faults_are_written_as_kind_and_share() -> None:
    assert parsed(["429:0.05 503:0.1", "slow"]) == [
        Fault("429", 0.05),
        Fault("503", 0.1),
        Fault("slow"),
    ]


@pytest.mark.parametrize("word", ["430:0.1", "429:2", "429:0", "429:often", ":0.5"])
def test_a_fault_that_there_is_not_is_named(word: str) -> None:
    with pytest.raises(UsageError, match=word):
        parsed([word])


def test_the_same_seed_gives_the_same_faults() -> None:
    def happened(seed: int) -> list[str | None]:
        faults = Faults(seed, parsed(["429:0.2", "lost_ack:0.2"]))
        told = (faults.next_for("POST /x") for _ in range(200))
        return [fault.kind if fault else None for fault in told]

    assert happened(1) == happened(1)
    assert happened(1) != happened(2)
    assert 20 <= happened(1).count("429") <= 60


def test_a_fault_waits_for_its_request() -> None:
    faults = Faults(0, [Fault("429", where="POST", after=1, times=2)])
    asked = ["GET /a", "POST /a", "POST /b", "GET /c", "POST /d", "POST /e"]
    happened = [faults.next_for(each) is not None for each in asked]
    assert happened == [False, False, True, False, True, False]


def test_the_command_starts_them_with_their_faults() -> None:
    with running(["klaviyo", "slow"], ["429:1"], 0, seed=0) as fakes:
        [(fake, address)] = fakes
        assert [each.kind for each in fake.faults.planned] == ["429", "slow"]
        assert httpx.get(f"{address}/api/profiles").status_code == 429
        assert httpx.get(f"{address}/_state").json()["faults"] == {"429": 1}


def test_they_begin_with_the_people_of_a_pretend_shop(tmp_path: Path) -> None:
    with small_shop(tmp_path):
        people = profiles_of(tmp_path)
    refused = [p for p in people if p.subscriptions["email"]["marketing"]["suppression"]]
    with running([], [], 0, 0, people) as fakes:
        states = {fake.name: fake.state() for fake, _ in fakes}
    assert states["klaviyo"]["profiles"] == len(people) > 50
    assert states["klaviyo"]["suppressed"] == len(refused) > 0
    members = states["mailchimp"]["members"]
    assert sum(members.values()) == states["klaviyo"]["lists"]["Newsletter"]
    assert members["subscribed"] > members["unsubscribed"] > 0


def test_a_home_without_a_pretend_shop_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pretend shop"):
        serve_fakes([], [], 0, 0, print, Home(tmp_path))


def test_a_taken_port_is_one_sentence() -> None:
    with (
        running([], [], 0, seed=0) as [(_, address), *_others],
        pytest.raises(UsageError, match="taken"),
        running([], [], int(address.rpartition(":")[2]), seed=0),
    ):
        pass
