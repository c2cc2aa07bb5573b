"""Names that a platform may take for health, money, faith and the like do not leave the house."""

from __future__ import annotations

import csv
from typing import Any

import pytest

from ingestion.config import Destination, Segment, Settings
from orchestration.ops.permission.status_words import unaccented
from orchestration.quality.flagged_words import SEED, flagged
from orchestration.quality.segment_traits import Judged
from orchestration.quality.segment_words import check_segment_words, faults_of
from orchestration.run.dbt import segment_names

THEMES = {"health", "finance", "religion", "sexuality", "politics", "origin", "hardship"}


def said(segment: str = "test", fields: tuple[str, ...] = (), **meta: Any) -> list[str]:
    found = faults_of(segment, {"channel": "email", **meta}, fields, Settings())
    return [sentence for sentence, _ in found]


@pytest.mark.parametrize(
    ("name", "theme"),
    [
        ("diabetes_care", "health"),
        ("DiabetesCare", "health"),
        ("newly pregnant", "health"),
        ("Schwangere", "health"),
        ("kunden_mit_Übergewicht", "health"),
        ("personnes âgées, santé", "health"),
        ("embarazadas", "health"),
        ("zwangere_vrouwen", "health"),
        ("malattie croniche", "health"),
        ("doença", "health"),
        ("kobiety w ciąży ciąża", "health"),
        ("low_income", "finance"),
        ("credit_score_under_500", "finance"),
        ("surendettés", "finance"),
        ("zadłużeni", "finance"),
        ("Muslims", "religion"),
        ("kościół", "religion"),
        ("gläubige", "religion"),
        ("gay_couples", "sexuality"),
        ("homosexuelle", "sexuality"),
        ("TradeUnionMembers", "politics"),
        ("wähler", "politics"),
        ("réfugiés", "origin"),
        ("recently_divorced", "hardship"),
        ("arbeitslos", "hardship"),
    ],
)
def test_a_word_is_found_in_however_a_name_is_written(name: str, theme: str) -> None:
    assert theme in {word.theme for word in flagged(name)}


@pytest.mark.parametrize(
    "name",
    [
        *("loyal_customers", "One-time buyers", "selection", "credit_card", "debit card"),
        *("Kreditkarte", "usual_gap_days", "is_first_order", "party", "Union Jack mugs", "essex"),
        *("healthy", "langer Arm", "długi rękaw", "", "2026", "宗教"),
    ],
)
def test_other_words_pass(name: str) -> None:
    assert not flagged(name)


def test_the_seed_has_words_of_eight_languages_in_every_theme_as_they_are_compared() -> None:
    with SEED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["theme"] for row in rows} == THEMES
    for language in ("en", "de", "fr", "es", "nl", "it", "pt", "pl"):
        assert {row["theme"] for row in rows if row["language"] == language} == THEMES
    for row in rows:
        assert unaccented(row["word"]) == row["word"]
        assert row["source"]


def test_each_name_that_leaves_is_judged() -> None:
    assert "The name of the segment diabetes" in said("diabetes")[0]
    assert "The label" in said(label="Trauernde")[0]
    assert "The context field `religion`" in said(fields=("product", "religion"))[0]
    assert "The plain context field `income_group`" in said(plain_context={"income_group": 1})[0]
    assert not said("vip", ("product", "value"), label="VIP", plain_context={"offer": "WELCOME"})


@pytest.mark.parametrize(
    ("options", "is_flagged"),
    [
        ({"audience": "Bankrupt people"}, True),
        ({"audience_names": {"test": "Debtors", "other": "VIP"}}, True),
        ({"audience_names": {"test": "VIP", "other": "Debtors"}}, False),
        ({"list_names": ["Pregnant"]}, True),
        ({"url": "/srv/pregnant"}, False),
    ],
)
def test_what_the_settings_call_an_audience_is_judged(
    options: dict[str, Any], is_flagged: bool
) -> None:
    settings = Settings(
        destinations={"meta": Destination(options=options), "mute": Destination()},
        segments={"test": Segment(destinations=["meta"]), "other": Segment(destinations=["mute"])},
    )
    assert bool(faults_of("test", {"channel": "email"}, (), settings)) is is_flagged
    assert not faults_of("other", {"channel": "email", "destinations": ["meta"]}, (), settings)


def test_a_trade_that_needs_the_word_says_why_but_never_for_ads() -> None:
    why = {"flagged_themes": {"health": "We are a pharmacy."}}
    assert said("allergy_season")
    assert not said("allergy_season", **why)
    assert said("allergy_season", label="For the divorced", **why)  # another theme
    assert said("allergy_season", flagged_themes={"health": " "})
    assert said("allergy_season", flagged_themes="health")
    for ads in ({"channels": ["email", "ads"]}, {"channel": "ads"}, {"purpose": "ads"}):
        (fault,) = faults_of("allergy_season", {**why, **ads}, (), Settings())
        assert "for ads no reason counts" in fault[1]


def test_the_run_is_told_which_word_which_theme_and_what_to_do() -> None:
    (result,) = check_segment_words(
        [Judged("pregnant", (), (), (), {"channel": "email"})], Settings()
    )
    assert result.stops
    assert not result.subject
    assert "`pregnan`" in result.sentence
    assert "theme health" in result.sentence
    assert "'flagged_themes': {'health': 'why'}" in result.hint


def test_our_own_segments_have_no_such_name() -> None:
    assert not [word for segment in segment_names() for word in flagged(segment)]
