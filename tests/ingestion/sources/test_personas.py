"""Persona files: checked against what a persona is, and what is wrong is said with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ingestion.config import Settings
from ingestion.errors import SourceError
from ingestion.files.folder import BrokenFileError
from ingestion.sources.personas import read_persona

GIVER = """\
name: Gift giver
who:
  - {trait: household, is: [family, couple]}
  - {value: lifetime_net_sales, at_least: 200}
  - {stage: [purchase, advocacy]}
needs: [an idea in time]
fears: ["late delivery"]
values: [thoughtful]
path:
  - {do: education, channel: email, after_days: 0, if_reacts: promo, if_not: wait}
  - do: gift guide
"""
WRONG = [
    ("needz: [x]", "line 12: needz is no key of a persona here, write needs"),
    ("colour: [x]", "line 12: colour is no key of a persona here, write one of name, who, needs"),
    ("tastes: wool", "line 12: tastes must be a list, write [one, another]"),
    ("tastes: [2026]", "line 12: tastes must be a text, write it in quotes"),
    ("tastes: &a [x]\noffers: *a", "aliases (*name) are not read, write it out"),
    ("tastes: [x", "this is no YAML, write key: value"),
    ('"ann@x.example": [x]', "line 12: it is no key of a persona here, write one of name"),
]


@pytest.mark.parametrize(("added", "sentence"), WRONG)
def test_a_mistake_is_told_with_its_line_and_what_to_write(added: str, sentence: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        read_persona(GIVER + added + "\n")
    assert caught.value.reason == "bad_document"
    assert sentence in caught.value.detail
    assert "ann@" not in caught.value.detail


@pytest.mark.parametrize(
    ("text", "changed", "sentence"),
    [
        ("name: Gift giver", "", "line 2: name is missing, write name:"),
        ("is: [family, couple]", "iz: [x]", "line 3: iz is no key of a persona here, write one of"),
        (", at_least: 200", "", "line 4: a condition compares by is, is_not, at_least or at_most"),
        ("trait: household", "stage: [buying]", "line 3: a stage is awareness, consideration,"),
        ("value: lifetime", "trait: x, value: lifetime", "line 4: a condition names trait, value"),
        ("channel: email", "channel: pigeon", "line 10: a channel is email, sms, push, ads or"),
        ("after_days: 0", "after_days: -1", "line 10: after_days must be zero or more"),
        ("do: gift guide", "doo: gift guide", "line 11: doo is no key of a persona here, write do"),
    ],
)
def test_each_part_is_checked(text: str, changed: str, sentence: str) -> None:
    with pytest.raises(BrokenFileError) as caught:
        read_persona(GIVER.replace(text, changed, 1))
    assert sentence in caught.value.detail


LOOP = "path:\n  - {do: education, if_reacts: gift guide, if_not: gift guide}\n"


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("{value: order_count, at_least: 5, at_most: 2}", "at_least is more than at_most"),
        (
            "{trait: household, is: [couple], is_not: [couple, family]}",
            "is and is_not name the same",
        ),
        ("{stage: [awareness]}", "its conditions name no stage in common"),
        ("{stage: [purchase], is: [x]}", "a stage is not compared"),
    ],
)
def test_a_persona_that_contradicts_itself_is_none(who: str, sentence: str) -> None:
    text = GIVER.replace("needs:", f"  - {who}\nneeds:")
    with pytest.raises(BrokenFileError) as caught:
        read_persona(text)
    assert sentence in caught.value.detail


@pytest.mark.parametrize("back", ["education", "gift guide"])
def test_a_path_without_an_end_is_none(back: str) -> None:
    begin, _, _ = GIVER.partition("path:")
    last = f"  - {{do: gift guide, if_reacts: education, if_not: {back}}}\n"
    with pytest.raises(BrokenFileError, match="bad_document") as caught:
        read_persona(begin + LOOP + last)
    assert "its path leads back into itself" in caught.value.detail
    # One way out is enough
    read_persona(begin + LOOP + "  - {do: gift guide, if_reacts: education}\n")


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b", "{" * 5000, "\x00"])
def test_what_is_no_persona_at_all_is_no_crash(text: str) -> None:
    with pytest.raises(BrokenFileError, match="bad_document"):
        read_persona(text)


def test_files_are_personas_and_follow_what_is_there(shop: Any, make: Any) -> None:
    shop.write("personas/giver.yml", GIVER)
    shop.write("personas/bad.yaml", GIVER + "needz: [x]\n")
    shop.write("personas/saver.yml", GIVER.replace("Gift giver", "Saver"))
    assert make.four(shop.run("personas")["personas"]) == (3, 2, 1, 0)
    query = "select name from raw_personas.personas order by all"
    assert shop.query(query) == [("Gift giver",), ("Saver",)]
    assert shop.query("select who from raw_personas.personas where name = 'Saver'") == [
        (json.dumps(read_persona(GIVER)["who"], separators=(",", ":")),)
    ]
    assert shop.query("select distinct persona_values from raw_personas.personas") == [
        ('["thoughtful"]',)
    ]
    assert shop.quarantine("personas") == [
        ("personas/bad.yaml", 0, "bad_document", "line 12: needz is no key of a persona here,"
         " write needs")
    ]  # fmt: skip
    (shop.input / "personas" / "saver.yml").unlink()
    shop.write("personas/bad.yaml", GIVER.replace("Gift giver", "Mended"))
    shop.run("personas")
    assert shop.query(query) == [("Gift giver",), ("Mended",)]
    assert shop.quarantine("personas") == []


def test_a_typo_in_the_only_file_stops_the_run_in_one_sentence(shop: Any) -> None:
    shop.settings = Settings()
    shop.write("personas/giver.yml", GIVER + "needz: [x]\n")
    with pytest.raises(SourceError) as caught:
        shop.run("personas")
    assert "personas/giver.yml cannot be read" in str(caught.value)
    assert "line 12: needz is no key of a persona here, write needs" in str(caught.value)
