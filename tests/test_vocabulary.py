"""The lists that dbt says too: seeds, macros and accepted values are those of the vocabulary."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from ingestion import vocabulary
from ingestion.config import REPOSITORY
from ingestion.sources.orders.source import SPELT_NUMBER
from ingestion.vocabulary import AT_SENDING, OF_THE_DAY, Reason
from orchestration.activation.gate import ADDRESS_TYPES
from orchestration.words import codes

DBT = REPOSITORY / "dbt_project"
IN_MODELS = tuple(reason.value for reason in Reason if reason not in (*AT_SENDING, *OF_THE_DAY))
# What a column of this name may hold, wherever a model lists it.
ACCEPTED = {
    "channel": vocabulary.CHANNELS,
    "purpose": vocabulary.PURPOSES,
    "stage": vocabulary.STAGES,
    "level": vocabulary.LEVELS,
    "message_kind": vocabulary.MESSAGE_KINDS,
    "identifier_type": vocabulary.IDENTIFIER_TYPES,
    "evidence_grade": vocabulary.GRADES,
    "reason": ("granted", *IN_MODELS),
}

FURTHER = {
    ("customer_personalisation.yml", "reason"): {"never_asked"},
    ("rpt_permission_trend.yml", "level"): {"unstated"},
    # What happened to a person did so in places that no message goes to, too
    ("fct_interactions.yml", "channel"): {"web", "store", "other"},
}


def macro(file: str, name: str, *arguments: Any) -> Any:
    """What a macro returns, or the text it makes."""
    returned: list[Any] = []
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, extensions=["jinja2.ext.do"])
    environment.globals["return"] = returned.append
    environment.globals["var"] = lambda _name, default: default
    text = (DBT / "macros" / file).read_text("utf-8")
    made = getattr(environment.from_string(text).module, name)(*arguments)
    return returned[0] if returned else made


def seed(name: str) -> list[dict[str, str]]:
    with (DBT / "seeds" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def accepted_values() -> Iterator[tuple[Path, str, set[str]]]:
    """Every list of values that a model's yml accepts: file, column, values."""
    for path in sorted((DBT / "models").rglob("*.yml")):
        for model in (yaml.safe_load(path.read_text("utf-8")) or {}).get("models", []):
            for test in model.get("data_tests", []):
                if isinstance(test, dict) and "rows_obey" in test:
                    values = test["rows_obey"]["arguments"].get("values", {})
                    yield from ((path, column, set(known)) for column, known in values.items())


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("marts_permission.sql", "contact_channels", vocabulary.CHANNELS),
        ("marts_permission.sql", "contact_purposes", vocabulary.PURPOSES),
        ("marts_permission.sql", "refusal_reasons", IN_MODELS),
        ("marts_permission.sql", "clearable_reasons", vocabulary.CLEARABLE),
        ("marts_permission.sql", "personalisation_levels", vocabulary.LEVELS),
        ("marts_rfm.sql", "rfm_groups", vocabulary.RFM_GROUPS),
        ("sessions.sql", "touchpoints", vocabulary.TOUCHPOINTS),
        ("marts_stages.sql", "journey_stages", vocabulary.STAGES),
        ("segments.sql", "message_kinds", vocabulary.MESSAGE_KINDS),
        ("segments.sql", "contract_kinds", vocabulary.OF_A_CONTRACT),
        ("segments.sql", "first_activations", vocabulary.FIRST_ACTIVATIONS),
        ("segments.sql", "only_contract_kinds", vocabulary.ONLY_OF_A_CONTRACT),
    ],
)
def test_a_macro_lists_the_same_in_the_same_order(
    file: str, name: str, expected: tuple[str, ...]
) -> None:
    assert tuple(macro(file, name)) == expected


def test_every_group_stands_in_the_map() -> None:
    groups = seed("rfm_groups")
    assert tuple(row["rfm_segment"] for row in groups) == vocabulary.RFM_GROUPS
    assert tuple(row["acts_as"] for row in groups) == vocabulary.RFM_GROUPS
    assert {row["rfm_segment"] for row in seed("rfm_group_map")} == set(vocabulary.RFM_GROUPS)


def test_an_address_is_of_the_same_kinds_in_models_and_at_sending() -> None:
    text = macro("marts_permission.sql", "channel_address_types")
    rows = re.findall(r"'(\w+)' as channel,\s+'(\w+)' as identifier_type,\s+(\d+)", text)
    by_place = sorted(rows, key=lambda row: (row[0], int(row[2])))
    found = {
        channel: tuple(kind for name, kind, _ in by_place if name == channel)
        for channel in vocabulary.CHANNELS
    }
    assert found == dict(ADDRESS_TYPES)


def test_an_opt_out_of_the_models_is_a_reason() -> None:
    words = set(re.findall(r"'(\w+)'", macro("marts_permission.sql", "opt_out_reason", "written")))
    assert words <= set(IN_MODELS)
    assert len(words) > 5


def test_a_number_that_is_lost_is_one_in_the_ledger_and_in_the_models() -> None:
    model = DBT / "models" / "intermediate" / "conformed" / "int_klaviyo_message_events.sql"
    assert f"'{'|'.join(vocabulary.LOST_NUMBER)}'" in model.read_text("utf-8")


def test_grades_have_one_order() -> None:
    rows = sorted(seed("evidence_grades"), key=lambda row: int(row["evidence_rank"]))
    assert tuple(row["evidence_grade"] for row in rows) == vocabulary.GRADES
    text = macro("marts.sql", "grade_rank", "grade")
    ranked = {grade: int(rank) for grade, rank in re.findall(r"when '(\w+)' then (\d+)", text)}
    last = int(re.findall(r"else (\d+)", text)[0])
    ranks = [ranked.pop(grade, last) for grade in vocabulary.GRADES]
    assert not ranked, "the macro knows a grade that is none"
    assert ranks == [1 + vocabulary.grade_rank(grade) for grade in vocabulary.GRADES]
    assert vocabulary.grade_rank(None) == vocabulary.grade_rank("hearsay") == len(ranks)
    contacts = {row["evidence_grade"] for row in seed("contact_source_grades")}
    assert contacts <= set(vocabulary.GRADES)


def test_identifier_types_are_known_to_every_seed() -> None:
    rows = sorted(seed("identifier_types"), key=lambda row: int(row["trust_rank"]))
    by_trust = [row["identifier_type"] for row in rows]
    assert by_trust == list(macro("identity.sql", "identifier_types"))
    assert sorted(by_trust) == sorted(vocabulary.IDENTIFIER_TYPES)
    anonymous = tuple(row["identifier_type"] for row in rows if row["is_known_person"] == "false")
    assert anonymous == tuple(macro("identity.sql", "anonymous_identifier_types"))
    assert anonymous == vocabulary.ANONYMOUS_TYPES
    for name in ("identifier_limits", "person_limits", "blocked_identifiers"):
        assert {row["identifier_type"] for row in seed(name)} <= {*by_trust, vocabulary.EVERY}
    assert {row["linked_type"] for row in seed("identifier_limits")} <= set(by_trust)


def test_what_models_accept_is_the_vocabulary() -> None:
    found = [
        (path.name, column, values - FURTHER.get((path.name, column), set()))
        for path, column, values in accepted_values()
    ]
    wrong = [
        (file, column, sorted(values ^ set(ACCEPTED[column])))
        for file, column, values in found
        if column in ACCEPTED and values != set(ACCEPTED[column])
    ]
    assert not wrong
    assert len({column for _, column, _ in found} & set(ACCEPTED)) >= 6


def test_people_are_told_each_code_in_words() -> None:
    assert tuple(codes.CHANNELS) == vocabulary.CHANNELS
    assert tuple(codes.stages({})) == vocabulary.STAGES
    assert set(Reason) <= set(codes.REASONS)


def test_marketing_channels_are_one_list_in_dbt() -> None:
    """The seed that sorts visits, and the macro that tells them, know what the models accept."""
    (accepted,) = {
        frozenset(values)
        for _, column, values in accepted_values()
        if column == "marketing_channel"
    }
    ruled = {row["marketing_channel"] for row in seed("marketing_channel_rules")}
    assert ruled <= accepted
    told = set(re.findall(r"when '(\w+)'", macro("marts.sql", "marketing_channel_in_words", "c")))
    assert told == accepted


def test_a_price_that_is_let_in_is_one_that_models_read() -> None:
    """Numbers with signs between their thousands: one pattern, in the source and in the macro."""
    macro = (REPOSITORY / "dbt_project" / "macros" / "money.sql").read_text("utf-8")
    _, _, body = macro.partition("macro number_from_text")
    body, _, _ = body.partition("endmacro")
    said = "|".join(re.findall(r"text_matches\(expression, \"'(.*?)'\"\)", body))
    assert said.replace("[0-9]", r"\d").replace("^", "").replace("$", "") == SPELT_NUMBER
